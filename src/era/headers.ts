import { slice, type Frame } from '../frame.ts'
import { locate, valueAt } from '../json/locate.ts'
import { isModern, META } from './vocabulary.ts'

/** Parameter that becomes `Mcp-Name` (MCP 2026-07-28, streamable-http; SEP-2663 for tasks). */
const NAME_PARAMETER: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
}

/** The protocol version that a request of the stateless era carries, `undefined` for all others. */
export function modernVersion(frame: Frame): string | undefined {
  const { params } = frame
  if (params === undefined || !frame.chunks.some((chunk) => chunk.includes(META.version))) {
    return undefined
  }
  const version = valueAt(slice(frame.chunks, params), '_meta', META.version)
  return typeof version === 'string' && isModern(version) ? version : undefined
}

/** The standard headers of a message of the stateless era (MCP 2026-07-28, Standard Request Headers). */
export function modernHeaders(frame: Frame, version: string): Record<string, string> {
  const headers: Record<string, string> = {
    'mcp-protocol-version': version,
    'mcp-method': frame.method ?? '',
  }
  const parameter = NAME_PARAMETER[frame.method ?? '']
  if (parameter !== undefined && frame.params !== undefined) {
    const name = valueAt(slice(frame.chunks, frame.params), parameter)
    if (typeof name === 'string') headers['mcp-name'] = headerValue(name)
  }
  return headers
}

/**
 * A value as a header field (MCP 2026-07-28, Value Encoding): as it is when it is plain ASCII that
 * survives every proxy, otherwise Base64 of its UTF-8 bytes between markers.
 */
export function headerValue(value: string): string {
  const plain = /^[\t\u0020-\u007e]+$/.test(value) && value.trim() === value
  if (plain && !/^=\?base64\?.*\?=$/.test(value)) return value
  return `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`
}

/** The tool name and the bytes of the arguments of a `tools/call`. */
export function toolCall(frame: Frame): { name: string; arguments: Buffer } | undefined {
  if (frame.method !== 'tools/call' || frame.params === undefined) return undefined
  const params = slice(frame.chunks, frame.params)
  const name = valueAt(params, 'name')
  if (typeof name !== 'string') return undefined
  const span = locate(params, 'arguments')
  return {
    name,
    arguments: span === undefined ? Buffer.from('{}') : params.subarray(span.start, span.end),
  }
}
