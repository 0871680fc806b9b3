import { specTypeSchemas } from '@modelcontextprotocol/client'
import * as legacy from '@modelcontextprotocol/sdk/types.js'

/**
 * Judges the messages of one side of the bridge by what the SDKs publish: SDK v1's types for the
 * initialize era, SDK v2's `specTypeSchemas` for 2026-07-28, where the schemas leave out what only
 * the stateless era demands of the wire (`_meta` of requests, `resultType`, no requests of servers).
 */
export interface Wire {
  fromClient(message: unknown): void
  fromServer(message: unknown): void
  /** What was wrong, one line each. */
  readonly faults: readonly string[]
}

interface Message {
  readonly id?: unknown
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: Record<string, unknown>
  readonly error?: unknown
}

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

interface MethodSchemas {
  readonly message?: Check
  readonly result?: Check
}

const LEGACY: Readonly<Record<string, MethodSchemas>> = {
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
}

const MODERN: Readonly<Record<string, MethodSchemas>> = {
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

const META = 'io.modelcontextprotocol/'

/** Methods whose results say how long they may be kept. */
const CACHED = /^(?:server\/discover|.*\/list|resources\/read)$/

/** Watches one side of the bridge; `era` is what is spoken there. */
export function watchWire(era: 'legacy' | 'modern'): Wire {
  const faults: string[] = []
  const schemas = era === 'legacy' ? LEGACY : MODERN
  /** The methods of the open requests, by who asked and under which id. */
  const open = new Map<string, string>()
  const fault = (what: string, message: unknown): void => {
    faults.push(`${what}: ${JSON.stringify(message)?.slice(0, 1000)}`)
  }

  function take(message: Message, from: 'client' | 'server'): void {
    const other = from === 'client' ? 'server' : 'client'
    const { id, method, result } = message
    if (method !== undefined) {
      const wrong = schemas[method]?.message?.(message)
      if (wrong !== undefined) fault(`${from} ${method}: ${wrong}`, message)
      if (id !== undefined) open.set(`${from} ${JSON.stringify(id)}`, method)
      const strange = era === 'legacy' ? strangeInLegacy(message) : strangeInModern(message, from)
      if (strange !== undefined) fault(`${from} ${method}: ${strange}`, message)
      return
    }
    if (era === 'modern' && from === 'client') fault('a response of a client', message)
    const key = `${other} ${JSON.stringify(id)}`
    const asked = open.get(key)
    if (asked === undefined) {
      if (id !== undefined && id !== null) fault(`${from} answers what nobody asked`, message)
      return
    }
    open.delete(key)
    if (result === undefined) return
    const strange = era === 'legacy' ? legacyResult(result) : modernResult(asked, result)
    const wrong =
      era === 'modern' && result['resultType'] === 'input_required'
        ? undefined
        : schemas[asked]?.result?.(result)
    for (const reason of [strange, wrong]) {
      if (reason !== undefined) fault(`${from} result of ${asked}: ${reason}`, message)
    }
  }

  const each = (message: unknown, from: 'client' | 'server'): void => {
    for (const one of Array.isArray(message) ? message : [message]) take(one as Message, from)
  }
  return {
    fromClient: (message) => each(message, 'client'),
    fromServer: (message) => each(message, 'server'),
    faults,
  }
}

function strangeInLegacy({ method, params }: Message): string | undefined {
  if (method === 'server/discover' || method?.startsWith('subscriptions/') === true) {
    return 'a method of the stateless era'
  }
  const meta = (params?.['_meta'] ?? {}) as object
  const names = [
    'protocolVersion',
    'clientCapabilities',
    'clientInfo',
    'logLevel',
    'subscriptionId',
  ]
  const found = names.find((name) => META + name in meta)
  return found === undefined ? undefined : `${found} in _meta`
}

function strangeInModern(message: Message, from: string): string | undefined {
  if (message.id === undefined) return undefined
  if (from === 'server') return 'a request of a server'
  const meta = (message.params?.['_meta'] ?? {}) as Record<string, unknown>
  if (meta[`${META}protocolVersion`] !== '2026-07-28') return 'no protocolVersion'
  if (typeof meta[`${META}clientCapabilities`] !== 'object') return 'no clientCapabilities'
  return undefined
}

function legacyResult(result: Record<string, unknown>): string | undefined {
  const found = ['resultType', 'ttlMs', 'cacheScope', 'inputRequests'].find(
    (name) => name in result,
  )
  return found === undefined ? undefined : `${found} in a result`
}

function modernResult(method: string, result: Record<string, unknown>): string | undefined {
  const type = result['resultType']
  if (typeof type !== 'string') return 'no resultType'
  if (type !== 'complete' || !CACHED.test(method)) return undefined
  if (typeof result['ttlMs'] !== 'number') return 'no ttlMs'
  if (!['public', 'private'].includes(result['cacheScope'] as string)) return 'no cacheScope'
  return undefined
}
