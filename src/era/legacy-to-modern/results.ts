import { withItems, withMembers } from '../../json/edit.ts'
import { items, locate, valueAt } from '../../json/locate.ts'
import { objectAt } from '../claims.ts'

/**
 * The result of a server of the stateless era as clients of the initialize era take it. Their SDK
 * refuses what it does not expect: an empty result with a member, a whole list of tools for one
 * `outputSchema` that is no object, `structuredContent` that is none.
 */
export function legalResult(method: string, result: Buffer): Buffer {
  switch (method) {
    case 'tools/list':
      return legalTools(plain(result))
    case 'tools/call':
      return legalContent(plain(result))
    case 'prompts/list':
    case 'prompts/get':
    case 'resources/list':
    case 'resources/templates/list':
    case 'resources/read':
    case 'completion/complete':
      return plain(result)
    default:
      // What an extension calls `ttlMs` is its own.
      return withMembers(result, { resultType: undefined })
  }
}

function plain(result: Buffer): Buffer {
  return withMembers(result, { resultType: undefined, ttlMs: undefined, cacheScope: undefined })
}

/** Output schemas had to be objects (MCP 2025-11-25, Tool); any other is dropped, the tool stays. */
function legalTools(result: Buffer): Buffer {
  const list = locate(result, 'tools')
  if (list === undefined) return result
  let dropped = false
  const tools = withItems(result.subarray(list.start, list.end), (tool) => {
    const legal =
      locate(tool, 'outputSchema') === undefined ||
      valueAt(tool, 'outputSchema', 'type') === 'object'
    if (legal) return tool
    dropped = true
    return withMembers(tool, { outputSchema: undefined })
  })
  return dropped ? withMembers(result, { tools }) : result
}

/** Structured content had to be an object: anything else becomes the member of one, and is there as text. */
function legalContent(result: Buffer): Buffer {
  const value = locate(result, 'structuredContent')
  if (value === undefined || objectAt(result, 'structuredContent') !== undefined) return result
  const source = result.toString('utf8', value.start, value.end)
  return withMembers(result, {
    structuredContent: `{"result":${source}}`,
    content: withText(result, source),
  })
}

/** The content blocks, with one more for the text when there is none. */
function withText(result: Buffer, text: string): string {
  const list = locate(result, 'content')
  const block = `{"type":"text","text":${JSON.stringify(text)}}`
  const blocks = list === undefined ? [] : [...items(result, list)]
  const sources = blocks.map(({ start, end }) => result.subarray(start, end))
  const hasText = sources.some((source) => valueAt(source, 'type') === 'text')
  const all = sources.map((source) => source.toString('utf8'))
  return `[${(hasText ? all : [...all, block]).join(',')}]`
}

/** The result of a tool call that could not be carried to its end (MCP, tools, Error Handling). */
export function failedCall(text: string): Buffer {
  return Buffer.from(JSON.stringify({ content: [{ type: 'text', text }], isError: true }))
}
