import { slice, type Frame, withResult } from '../frame.ts'
import { withoutItems } from '../json/edit.ts'
import { items, locate, valueAt } from '../json/locate.ts'
import type { Span } from '../json/scanner.ts'
import type { Log } from '../log.ts'
import { headerValue, toolCall } from './headers.ts'

/**
 * `x-mcp-header` (MCP 2026-07-28, server/tools): arguments of a tool that travel as `Mcp-Param-*`
 * headers as well. The client over HTTP is us, so the duty is ours.
 */
export interface ToolHeaders {
  /** Learns from a `tools/list` result; returns it without the tools whose annotation is invalid. */
  learn(result: Frame): Frame
  /** The `Mcp-Param-*` headers of a `tools/call`; none for a tool that has not been listed. */
  headers(call: Frame): Record<string, string>
}

interface Annotation {
  readonly path: readonly string[]
  readonly header: string
}

/** Header names are tokens (RFC 9110 §5.6.2). */
const TOKEN = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/

const ANNOTATION = 'x-mcp-header'
const CARRIABLE_TYPES: ReadonlySet<unknown> = new Set(['string', 'integer', 'boolean'])

/** An empty table of tools. */
export function createToolHeaders(log: Log): ToolHeaders {
  const tools = new Map<string, readonly Annotation[]>()
  return {
    learn(frame) {
      if (frame.result === undefined) return frame
      const text = slice(frame.chunks, frame.result)
      const list = locate(text, 'tools')
      if (list === undefined) return frame
      const refused: Span[] = []
      for (const item of items(text, list)) {
        const tool = JSON.parse(text.toString('utf8', item.start, item.end)) as unknown
        if (!isObject(tool) || typeof tool['name'] !== 'string') continue
        const { name } = tool
        try {
          tools.set(name, annotations(tool['inputSchema']))
        } catch (error) {
          tools.delete(name)
          refused.push(item)
          log.warn(`tool ${name} is left out of the list: ${(error as Error).message}`)
        }
      }
      return refused.length === 0 ? frame : withResult(frame, withoutItems(text, list, refused))
    },
    headers(call) {
      const target = toolCall(call)
      const known = target === undefined ? undefined : tools.get(target.name)
      const headers: Record<string, string> = {}
      if (target === undefined || known === undefined) return headers
      for (const { path, header } of known) {
        const value = valueAt(target.arguments, ...path)
        const carriable =
          ['string', 'boolean'].includes(typeof value) || Number.isSafeInteger(value)
        if (carriable) headers[`mcp-param-${header}`] = headerValue(String(value))
      }
      return headers
    },
  }
}

/** The annotated properties of an input schema; throws when one of them is not valid. */
function annotations(schema: unknown): Annotation[] {
  const found: Annotation[] = []
  const names = new Set<string>()
  let counted = 0
  walkProperties(schema, [], (property, path) => {
    const header = property[ANNOTATION]
    if (header === undefined) return
    counted++
    if (typeof header !== 'string' || !TOKEN.test(header)) {
      throw new TypeError(`${ANNOTATION} is not a header name`)
    }
    if (!CARRIABLE_TYPES.has(property['type'])) {
      throw new TypeError(`${ANNOTATION} stands on a type that no header can carry`)
    }
    const key = header.toLowerCase()
    if (names.has(key)) throw new TypeError(`${ANNOTATION} ${header} is used twice`)
    names.add(key)
    found.push({ path, header: key })
  })
  if (count(schema) !== counted) {
    throw new TypeError(`${ANNOTATION} stands where no argument path leads`)
  }
  return found
}

type Schema = Record<string, unknown>

function walkProperties(
  schema: unknown,
  path: readonly string[],
  visit: (property: Schema, path: readonly string[]) => void,
): void {
  if (!isObject(schema) || !isObject(schema['properties'])) return
  for (const [name, property] of Object.entries(schema['properties'])) {
    if (!isObject(property)) continue
    visit(property, [...path, name])
    walkProperties(property, [...path, name], visit)
  }
}

/** Annotations anywhere in the schema, reachable or not. A property may itself be called so. */
function count(value: unknown, isPropertyMap = false): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + count(item), 0)
  if (!isObject(value)) return 0
  let sum = !isPropertyMap && ANNOTATION in value ? 1 : 0
  for (const [name, member] of Object.entries(value)) {
    if (DATA_KEYWORDS.has(name) && !isPropertyMap) continue
    sum += count(member, !isPropertyMap && name === 'properties')
  }
  return sum
}

/** Keywords whose values are data and not schemas. */
const DATA_KEYWORDS: ReadonlySet<string> = new Set(['default', 'const', 'enum', 'examples'])

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
