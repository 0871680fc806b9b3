import { items, locate, valueAt } from '../../json/locate.ts'
import { MAX_TOOL_PAGES } from '../../limits.ts'
import type { Exchanges } from './exchanges.ts'
import type { Introduction } from './introduction.ts'

/**
 * Tools that run only as tasks (MCP 2025-11-25, tasks, experimental). The stateless era has no such
 * tasks, so the host sees a call like any other, and the task is followed here.
 */
export interface TaskTools {
  /** Learns from a `tools/list` result. */
  learn(result: Buffer): void
  /** The list has changed. */
  forget(): void
  /** Whether a tool runs only as a task; asks for the list of the tools when it has not been seen. */
  isRequired(tool: unknown, introduction: Introduction): boolean | Promise<boolean>
}

/** No tool has been seen. */
export function createTaskTools(exchanges: Exchanges): TaskTools {
  const required = new Map<unknown, boolean>()
  let listing: Promise<void> | undefined

  function learn(result: Buffer): void {
    const tools = locate(result, 'tools')
    if (tools === undefined) return
    for (const { start, end } of items(result, tools)) {
      const tool = result.subarray(start, end)
      required.set(valueAt(tool, 'name'), valueAt(tool, 'execution', 'taskSupport') === 'required')
    }
  }

  async function list(): Promise<void> {
    let cursor: unknown
    for (let page = 0; page < MAX_TOOL_PAGES; page++) {
      const params = cursor === undefined ? {} : { cursor }
      const result = await exchanges.ask('tools/list', Buffer.from(JSON.stringify(params)))
      learn(result)
      cursor = valueAt(result, 'nextCursor')
      if (typeof cursor !== 'string') return
    }
  }

  return {
    learn,
    forget() {
      required.clear()
      listing = undefined
    },
    isRequired(tool, { capabilities }) {
      if (locate(capabilities, 'tasks', 'requests', 'tools', 'call') === undefined) return false
      const known = required.get(tool)
      if (known !== undefined) return known
      listing ??= list().catch(() => {
        listing = undefined
      })
      return listing.then(() => required.get(tool) ?? false)
    },
  }
}
