import { type Frame, readFrame, slice } from '../frame.ts'
import { valueAt } from '../json/locate.ts'

/** JSON-RPC 2.0 §5.1: some servers put it under HTTP 404, and the session is alive. */
const METHOD_NOT_FOUND_CODE = -32601

/**
 * How servers say with a 400 that they do not know the session. The specification wants a 404 (MCP
 * 2025-11-25, Session Management 3) and gives 400 to a missing header only, and no code tells the
 * cases apart: the words are all there is. Compared in lower case with the start of the message;
 * what stands here was found in the source of the servers named.
 */
const UNKNOWN_SESSION: readonly string[] = [
  // The TypeScript SDK's examples, copied by most servers: code -32000 and 400 after a restart.
  // The Python SDK's session manager says the same as text/plain.
  'bad request: no valid session id',
  // The TypeScript SDK's transport, when a new process has seen no initialize.
  'bad request: server not initialized',
  // mcp-go, as text/plain.
  'invalid session id',
  // The C# SDK and servers on top of others, where the specification wants 404.
  'session not found',
  'session expired',
  // The TypeScript SDK's HTTP+SSE examples and the Python SDK's HTTP+SSE server.
  'no transport found for sessionid',
  'could not find session',
]

/** Whether an HTTP error to a request with a session id means that the session is gone. */
export function isSessionLost(status: number, body: Buffer): boolean {
  if (status !== 404 && status !== 400) return false
  const frame = readFrame(body)
  const error = frame?.error === undefined ? undefined : slice(frame.chunks, frame.error)
  if (status === 404) {
    return error === undefined || valueAt(error, 'code') !== METHOD_NOT_FOUND_CODE
  }
  const words =
    error === undefined
      ? wordsOf(body, frame !== undefined)
      : (valueAt(error, 'message') ?? valueAt(error))
  if (typeof words !== 'string') return false
  const text = words.toLowerCase()
  return UNKNOWN_SESSION.some((start) => text.startsWith(start))
}

/** Whether a message is about a request of its session: in the next one it means nothing, or another. */
export function diesWithSession(frame: Frame): boolean {
  return frame.kind === 'response' || frame.method === 'notifications/cancelled'
}

/** The prose of a body that is no JSON-RPC error. */
function wordsOf(body: Buffer, isJson: boolean): unknown {
  if (!isJson) return body.toString('utf8', 0, 200).trim()
  return valueAt(body, 'message') ?? valueAt(body)
}
