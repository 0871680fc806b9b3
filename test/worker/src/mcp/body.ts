import { isJsonContentType, readRequestBody } from '@modelcontextprotocol/server'
import { parseJson } from '../json.ts'
import { MAX_BODY_BYTES } from '../limits.ts'
import { RPC, rpcError } from '../rpc-error.ts'

/** A POST body that was read once: as text to pass on, and parsed to route by. */
export interface Body {
  readonly text: string
  readonly value: unknown
}

/** Reads a JSON body under the size cap, or says with which answer to refuse it. */
export async function readBody(request: Request): Promise<Body | Response> {
  if (!isJsonContentType(request.headers.get('content-type'))) {
    return rpcError(415, RPC.refused, 'Content-Type must be application/json')
  }
  const read = await readRequestBody(request, MAX_BODY_BYTES)
  if (read.tooLarge) return rpcError(413, RPC.refused, `Request body over ${MAX_BODY_BYTES} bytes`)
  try {
    return { text: read.text, value: parseJson(read.text) }
  } catch {
    return rpcError(400, RPC.parse, 'Parse error: the body is not JSON')
  }
}

/** The messages of a body: 2025-03-26 allowed several in one POST. */
export function messagesOf(value: unknown): readonly Record<string, unknown>[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.filter(
    (item): item is Record<string, unknown> => typeof item === 'object' && item !== null,
  )
}

/** The method names in a body, for routing and for the log. */
export function methodsOf(value: unknown): readonly string[] {
  return messagesOf(value).flatMap(({ method }) => (typeof method === 'string' ? [method] : []))
}
