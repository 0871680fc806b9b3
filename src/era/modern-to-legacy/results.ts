import { withItems, withMembers } from '../../json/edit.ts'
import { locate } from '../../json/locate.ts'
import { objectAt } from '../claims.ts'
import { META, MODERN_VERSION, TASKS_EXTENSION } from '../vocabulary.ts'
import type { Introduction } from './introduction.ts'

/** Results of a session as the stateless era writes them; what it does not define is not touched. */

/** Results that say how long they may be kept (MCP 2026-07-28, caching): never, for one user. */
const CACHED: ReadonlySet<string> = new Set([
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
])

const UNCACHED = { ttlMs: '0', cacheScope: '"private"' } as const

const COMPLETE = '"complete"'

/** Which task a message belongs to; tasks stay between us and the server (MCP 2025-11-25, tasks). */
export const RELATED_TASK = 'io.modelcontextprotocol/related-task'

/**
 * The result of a request.
 *
 * @param result JSON source of an object
 */
export function modernResult(method: string, result: Buffer, { serverInfo }: Introduction): Buffer {
  const meta = objectAt(result, '_meta') ?? Buffer.from('{}')
  const text = withMembers(result, {
    resultType: COMPLETE,
    ...(CACHED.has(method) && UNCACHED),
    ...(method === 'tools/call' && locate(result, 'content') === undefined && { content: '[]' }),
    _meta: withMembers(meta, { [RELATED_TASK]: undefined, [META.serverInfo]: serverInfo }),
  })
  return method === 'tools/list' ? withoutExecution(text) : text
}

/** How a tool runs is told by tasks alone, and those are gone (MCP 2026-07-28, changelog). */
function withoutExecution(result: Buffer): Buffer {
  const tools = locate(result, 'tools')
  if (tools === undefined) return result
  const list = withItems(result.subarray(tools.start, tools.end), (tool) =>
    locate(tool, 'execution') === undefined ? tool : withMembers(tool, { execution: undefined }),
  )
  return withMembers(result, { tools: list })
}

/** The DiscoverResult of a server that has introduced itself by an InitializeResult. */
export function discoverResult({ capabilities, instructions, serverInfo }: Introduction): Buffer {
  const extensions = objectAt(capabilities, 'extensions')
  const offered = withMembers(capabilities, {
    tasks: undefined,
    ...(extensions && { extensions: withMembers(extensions, { [TASKS_EXTENSION]: undefined }) }),
  })
  return withMembers(Buffer.from('{}'), {
    resultType: COMPLETE,
    supportedVersions: JSON.stringify([MODERN_VERSION]),
    capabilities: offered,
    ...(instructions && { instructions }),
    ...UNCACHED,
    _meta: withMembers(Buffer.from('{}'), { [META.serverInfo]: serverInfo }),
  })
}

/**
 * The result that asks the host something before its call can go on (MCP 2026-07-28, MRTR).
 *
 * @param questions JSON source of the input requests, by key
 */
export function inputRequired(
  questions: ReadonlyMap<string, Buffer>,
  requestState: string,
  { serverInfo }: Introduction,
): Buffer {
  return withMembers(Buffer.from('{}'), {
    resultType: '"input_required"',
    inputRequests: withMembers(Buffer.from('{}'), Object.fromEntries(questions)),
    requestState: JSON.stringify(requestState),
    _meta: withMembers(Buffer.from('{}'), { [META.serverInfo]: serverInfo }),
  })
}
