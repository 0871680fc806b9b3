import { specTypeSchemas } from '@modelcontextprotocol/client'
import * as legacy from '@modelcontextprotocol/sdk/types.js'

/** Says what is wrong with a value, `undefined` when nothing is. */
type Check = (value: unknown) => string | undefined

interface ZodSchema {
  safeParse(value: unknown): { success: boolean; error?: { message: string } | undefined }
}

const zod =
  (schema: ZodSchema): Check =>
  (value) => {
    const { success, error } = schema.safeParse(value)
    return success ? undefined : (error?.message ?? 'refused')
  }

/** A schema of SDK v2 by its name in the specification. */
const spec =
  (name: keyof typeof specTypeSchemas): Check =>
  (value) => {
    const outcome = specTypeSchemas[name]['~standard'].validate(value)
    if (outcome instanceof Promise) throw new TypeError(`${name} validates later`)
    return outcome.issues === undefined ? undefined : JSON.stringify(outcome.issues)
  }

/** The schemas of a method's message and of the result that answers it. */
export interface MethodSchemas {
  readonly message?: Check
  readonly result?: Check
}

/** What SDK v1 publishes for the initialize era. */
export const LEGACY: Readonly<Record<string, MethodSchemas>> = {
  initialize: {
    message: zod(legacy.InitializeRequestSchema),
    result: zod(legacy.InitializeResultSchema),
  },
  ping: { message: zod(legacy.PingRequestSchema), result: zod(legacy.EmptyResultSchema) },
  'tools/list': {
    message: zod(legacy.ListToolsRequestSchema),
    result: zod(legacy.ListToolsResultSchema),
  },
  'tools/call': {
    message: zod(legacy.CallToolRequestSchema),
    result: zod(legacy.CallToolResultSchema),
  },
  'prompts/list': {
    message: zod(legacy.ListPromptsRequestSchema),
    result: zod(legacy.ListPromptsResultSchema),
  },
  'prompts/get': {
    message: zod(legacy.GetPromptRequestSchema),
    result: zod(legacy.GetPromptResultSchema),
  },
  'resources/list': {
    message: zod(legacy.ListResourcesRequestSchema),
    result: zod(legacy.ListResourcesResultSchema),
  },
  'resources/templates/list': {
    message: zod(legacy.ListResourceTemplatesRequestSchema),
    result: zod(legacy.ListResourceTemplatesResultSchema),
  },
  'resources/read': {
    message: zod(legacy.ReadResourceRequestSchema),
    result: zod(legacy.ReadResourceResultSchema),
  },
  'resources/subscribe': {
    message: zod(legacy.SubscribeRequestSchema),
    result: zod(legacy.EmptyResultSchema),
  },
  'resources/unsubscribe': {
    message: zod(legacy.UnsubscribeRequestSchema),
    result: zod(legacy.EmptyResultSchema),
  },
  'completion/complete': {
    message: zod(legacy.CompleteRequestSchema),
    result: zod(legacy.CompleteResultSchema),
  },
  'logging/setLevel': {
    message: zod(legacy.SetLevelRequestSchema),
    result: zod(legacy.EmptyResultSchema),
  },
  'sampling/createMessage': {
    message: zod(legacy.CreateMessageRequestSchema),
    result: zod(legacy.CreateMessageResultWithToolsSchema),
  },
  'elicitation/create': {
    message: zod(legacy.ElicitRequestSchema),
    result: zod(legacy.ElicitResultSchema),
  },
  'roots/list': {
    message: zod(legacy.ListRootsRequestSchema),
    result: zod(legacy.ListRootsResultSchema),
  },
  'notifications/initialized': { message: zod(legacy.InitializedNotificationSchema) },
  'notifications/cancelled': { message: zod(legacy.CancelledNotificationSchema) },
  'notifications/progress': { message: zod(legacy.ProgressNotificationSchema) },
  'notifications/message': { message: zod(legacy.LoggingMessageNotificationSchema) },
  'notifications/tools/list_changed': { message: zod(legacy.ToolListChangedNotificationSchema) },
  'notifications/prompts/list_changed': {
    message: zod(legacy.PromptListChangedNotificationSchema),
  },
  'notifications/resources/list_changed': {
    message: zod(legacy.ResourceListChangedNotificationSchema),
  },
  'notifications/resources/updated': { message: zod(legacy.ResourceUpdatedNotificationSchema) },
  'notifications/roots/list_changed': { message: zod(legacy.RootsListChangedNotificationSchema) },
  'notifications/elicitation/complete': {
    message: zod(legacy.ElicitationCompleteNotificationSchema),
  },
  'tasks/get': {
    message: zod(legacy.GetTaskRequestSchema),
    result: zod(legacy.GetTaskResultSchema),
  },
  'tasks/result': { message: zod(legacy.GetTaskPayloadRequestSchema) },
  'tasks/cancel': {
    message: zod(legacy.CancelTaskRequestSchema),
    result: zod(legacy.CancelTaskResultSchema),
  },
  'notifications/tasks/status': { message: zod(legacy.TaskStatusNotificationSchema) },
}

/** What SDK v2 publishes for 2026-07-28. */
export const MODERN: Readonly<Record<string, MethodSchemas>> = {
  'server/discover': { message: spec('DiscoverRequest'), result: spec('DiscoverResult') },
  'tools/list': { message: spec('ListToolsRequest'), result: spec('ListToolsResult') },
  'tools/call': { message: spec('CallToolRequest'), result: spec('CallToolResult') },
  'prompts/list': { message: spec('ListPromptsRequest'), result: spec('ListPromptsResult') },
  'prompts/get': { message: spec('GetPromptRequest'), result: spec('GetPromptResult') },
  'resources/list': { message: spec('ListResourcesRequest'), result: spec('ListResourcesResult') },
  'resources/templates/list': {
    message: spec('ListResourceTemplatesRequest'),
    result: spec('ListResourceTemplatesResult'),
  },
  'resources/read': { message: spec('ReadResourceRequest'), result: spec('ReadResourceResult') },
  'completion/complete': { message: spec('CompleteRequest'), result: spec('CompleteResult') },
  'subscriptions/listen': {
    message: spec('SubscriptionsListenRequest'),
    result: spec('SubscriptionsListenResult'),
  },
  'notifications/cancelled': { message: spec('CancelledNotification') },
  'notifications/progress': { message: spec('ProgressNotification') },
  'notifications/message': { message: spec('LoggingMessageNotification') },
  'notifications/subscriptions/acknowledged': {
    message: spec('SubscriptionsAcknowledgedNotification'),
  },
  'notifications/tools/list_changed': { message: spec('ToolListChangedNotification') },
  'notifications/prompts/list_changed': { message: spec('PromptListChangedNotification') },
  'notifications/resources/list_changed': { message: spec('ResourceListChangedNotification') },
  'notifications/resources/updated': { message: spec('ResourceUpdatedNotification') },
}

/** The questions inside an `input_required` result, and what answers them. */
export const QUESTIONS: Readonly<Record<string, MethodSchemas>> = {
  // A page to visit has no id in this era, which the schema shares with the one before it.
  'elicitation/create': { result: spec('ElicitResult') },
  'sampling/createMessage': {
    message: spec('CreateMessageRequest'),
    result: spec('CreateMessageResultWithTools'),
  },
  'roots/list': { message: spec('ListRootsRequest'), result: spec('ListRootsResult') },
}

/** Forms inside an `input_required` result. */
export const FORM = spec('ElicitRequest')

/** Any message, of either era. */
export const ENVELOPE = zod(legacy.JSONRPCMessageSchema)
