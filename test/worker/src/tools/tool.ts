import {
  isInputRequiredResult,
  requireScopes,
  type CallToolResult,
  type InputRequiredResult,
  type McpServer,
  type ServerContext,
  type ToolAnnotations,
} from '@modelcontextprotocol/server'
import type { z } from 'zod'
import { errorFields, logEvent } from '../log.ts'
import { callerAt, type Place } from '../place.ts'
import { BASE_SCOPE } from '../scopes.ts'

/** What a tool gets besides its arguments. */
interface Call extends Place {
  readonly ctx: ServerContext
}

/** What a tool may answer: a result, or a question to the person. */
type Answer = CallToolResult | InputRequiredResult

/** One tool: everything that is listed, and the code behind it. */
export interface Tool<Input extends z.ZodObject = z.ZodObject> {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly input: Input
  readonly output?: z.ZodObject
  readonly annotations: ToolAnnotations
  /** Scopes beyond the basic one. Without sign-in nobody holds them, so the tool is not listed. */
  readonly scopes?: readonly string[]
  run(args: z.output<Input>, call: Call): Answer | Promise<Answer>
}

/** Keeps the argument type of `run` tied to the input schema. */
export function defineTool<Input extends z.ZodObject>(tool: Tool<Input>): Tool {
  return tool as unknown as Tool
}

/** A result with structured content; the text is its JSON, for clients that read only text. */
export function answer(structured: Record<string, unknown>, text?: string): CallToolResult {
  return {
    content: [{ type: 'text', text: text ?? JSON.stringify(structured) }],
    structuredContent: structured,
  }
}

/** An expected failure, worded for the model that has to react to it. */
export function refuse(reason: string): CallToolResult {
  return { isError: true, content: [{ type: 'text', text: reason }] }
}

/** Puts a tool on a server, with its scope challenge, its log line and its error mask. */
export function registerTool(server: McpServer, tool: Tool, place: Place): void {
  const signedIn = place.caller.authInfo !== undefined
  if (tool.scopes !== undefined && !signedIn) return
  const scopes: [string, ...string[]] = [BASE_SCOPE, ...(tool.scopes ?? [])]
  server.registerTool(
    tool.name,
    {
      title: tool.title,
      description: tool.description,
      inputSchema: tool.input,
      ...(tool.output === undefined ? {} : { outputSchema: tool.output }),
      annotations: tool.annotations,
      // A challenge without sign-in would send clients looking for an authorization server.
      ...(signedIn ? { scopeChallenge: requireScopes(...scopes) } : {}),
    },
    (args: Record<string, unknown>, ctx: ServerContext) => run(tool, scopes, args, place, ctx),
  )
}

async function run(
  tool: Tool,
  scopes: readonly string[],
  args: Record<string, unknown>,
  place: Place,
  ctx: ServerContext,
): Promise<Answer> {
  const started = Date.now()
  const call: Call = { ...place, caller: callerAt(place, ctx), ctx }
  const { authInfo } = call.caller
  const done = (outcome: string) =>
    logEvent('info', 'tool', { tool: tool.name, outcome, ms: Date.now() - started, era: place.era })
  // The HTTP transport has asked already; HTTP+SSE never asks.
  const missing = authInfo === undefined ? [] : scopes.filter((s) => !authInfo.scopes.includes(s))
  if (missing.length > 0) {
    done('insufficient_scope')
    return refuse(`This tool needs the scope ${missing.join(' ')}`)
  }
  try {
    const result = await tool.run(args, call)
    done(isInputRequiredResult(result) ? 'input_required' : result.isError ? 'refused' : 'ok')
    return result
  } catch (thrown) {
    if (ctx.mcpReq.signal.aborted) {
      done('cancelled')
      return refuse('Cancelled')
    }
    logEvent('error', 'tool_failed', { tool: tool.name, ...errorFields(thrown) })
    return refuse('Internal error')
  }
}
