import { toolCall } from '../era/headers.ts'
import { type Frame, slice } from '../frame.ts'
import { items, locate, valueAt } from '../json/locate.ts'

/** Which messages may be sent twice: a second time changes nothing (docs/decisions/007). */
export interface Repeatable {
  /** Learns from a `tools/list` result which tools say so of themselves (MCP, ToolAnnotations). */
  learn(result: Frame): void
  /** Whether the server may carry this message out twice. */
  may(frame: Frame): boolean
}

/** Requests that read, or that set something to a value. */
const REPEATABLE: ReadonlySet<string | undefined> = new Set([
  'completion/complete',
  'initialize',
  'logging/setLevel',
  'ping',
  'prompts/get',
  'prompts/list',
  'resources/list',
  'resources/read',
  'resources/subscribe',
  'resources/templates/list',
  'resources/unsubscribe',
  'server/discover',
  'subscriptions/listen',
  'tasks/get',
  'tasks/list',
  'tasks/result',
  'tools/list',
])

/** An empty table: no tool has said anything yet. */
export function createRepeatable(): Repeatable {
  const tools = new Set<string>()
  return {
    learn(frame) {
      if (frame.result === undefined) return
      const text = slice(frame.chunks, frame.result)
      const list = locate(text, 'tools')
      if (list === undefined) return
      for (const item of items(text, list)) {
        const tool = text.subarray(item.start, item.end)
        const name = valueAt(tool, 'name')
        if (typeof name !== 'string') continue
        const idempotent = valueAt(tool, 'annotations', 'idempotentHint') === true
        const readOnly = valueAt(tool, 'annotations', 'readOnlyHint') === true
        if (idempotent || readOnly) tools.add(name)
        else tools.delete(name)
      }
    },
    may(frame) {
      // What nobody answers is about something that is already there: a request, a state, a list.
      if (frame.kind === 'notification' || frame.kind === 'response') return true
      if (REPEATABLE.has(frame.method)) return true
      if (tools.size === 0) return false
      const call = toolCall(frame)
      return call !== undefined && tools.has(call.name)
    },
  }
}
