import { createHash } from 'node:crypto'
import { items, locate, members } from '../json/locate.ts'
import type { Span } from '../json/scanner.ts'
import { MAX_CANONICAL_DEPTH } from '../limits.ts'

/** What of a tool reaches a model or decides what a call may do (MCP 2025-11-25, server/tools, Tool). */
const PINNED_MEMBERS = [
  'name',
  'title',
  'description',
  'inputSchema',
  'outputSchema',
  'annotations',
] as const

/** A fingerprint of a tool's text that white space, the order of members and escapes do not change. */
export function fingerprint(tool: Buffer): string {
  const hash = createHash('sha256')
  for (const name of PINNED_MEMBERS) {
    const span = locate(tool, name)
    hash.update(`${name}=${span === undefined ? '' : canonical(tool, span, 0)}\n`)
  }
  return hash.digest('hex').slice(0, 32)
}

/** The value at `span` in one spelling; numbers stay as they are written, they may not fit a double. */
function canonical(text: Buffer, span: Span, depth: number): string {
  const source = text.toString('utf8', span.start, span.end)
  if (depth > MAX_CANONICAL_DEPTH) return source
  switch (text[span.start]) {
    case 0x7b: {
      const found = [...members(text, span)].map(
        ({ name, value }) => `${JSON.stringify(name)}:${canonical(text, value, depth + 1)}`,
      )
      return `{${found.sort().join(',')}}`
    }
    case 0x5b:
      return `[${[...items(text, span)].map((item) => canonical(text, item, depth + 1)).join(',')}]`
    case 0x22:
      return JSON.stringify(JSON.parse(source))
    default:
      return source
  }
}
