import { networkFailure, type Phase, RelayError, ServerError } from '../errors.ts'
import { type Frame, readFrame, slice } from '../frame.ts'
import { mediaType, readBody } from '../http/body.ts'
import type { HttpResponse } from '../http/client.ts'
import { retryAfterMs } from '../http/with-retry.ts'
import { valueAt } from '../json/locate.ts'
import { MAX_ERROR_BODY_BYTES } from '../limits.ts'
import { printable } from '../log.ts'
import type { Repeatable } from './repeatable.ts'

/** Longest part of a server's prose that is quoted in an error message. */
const MAX_QUOTE_CHARS = 200

/** Reads an HTTP error: the server's own JSON-RPC error when the body is one, else ours. */
export async function httpFailure(response: HttpResponse): Promise<RelayError | ServerError> {
  return failureOf(response, await readBody(response, MAX_ERROR_BODY_BYTES))
}

/** An HTTP error whose body has been read. */
export function failureOf(response: HttpResponse, body: Buffer): RelayError | ServerError {
  const object = errorObject(body)
  if (object !== undefined) return new ServerError(object, response.status)
  const { status, hint } = response
  // Loaded now: no start needs node:http, and it is 5 ms of it.
  const title = process.getBuiltinModule('node:http').STATUS_CODES[status]
  const quote = quotable(response, body)
  const message =
    `${response.url.origin} answered ${status}${title === undefined ? '' : ` ${title}`}` +
    (quote === undefined ? '.' : `: ${quote}`)
  return new RelayError(message, {
    phase: status === 401 || status === 403 ? 'authorization' : 'response',
    httpStatus: status,
    retryAfterMs: retryAfterMs(response),
    hint: hint ?? HINTS[status],
  })
}

/** The bytes of a JSON-RPC error object inside an HTTP body; its id may be anything or missing. */
function errorObject(body: Buffer): Buffer | undefined {
  const frame = readFrame(body)
  if (frame?.error === undefined) return undefined
  const object = slice(frame.chunks, frame.error)
  const isError =
    typeof valueAt(object, 'code') === 'number' && typeof valueAt(object, 'message') === 'string'
  return isError ? object : undefined
}

/** Prose of the server that is fit for a model and a person: plain text or a JSON message, never HTML. */
function quotable(response: HttpResponse, body: Buffer): string | undefined {
  const type = mediaType(response)
  let text: unknown
  if (type === 'text/plain') text = body.toString('utf8', 0, 4 * MAX_QUOTE_CHARS)
  else if (readFrame(body) !== undefined) {
    text =
      valueAt(body, 'error_description') ??
      valueAt(body, 'error', 'message') ??
      valueAt(body, 'message') ??
      valueAt(body, 'error')
  }
  if (typeof text !== 'string' || text.trim() === '' || text.includes('<')) return undefined
  const line = printable(text).trim()
  return line.length > MAX_QUOTE_CHARS ? `${line.slice(0, MAX_QUOTE_CHARS)}…` : line
}

/** Answers of gateways that do not know what became of the request behind them. */
const UNCERTAIN_STATUS: ReadonlySet<number | undefined> = new Set([undefined, 502, 504])

/** Where a request is once its first byte has been written. */
const UNDER_WAY: ReadonlySet<Phase> = new Set<Phase>(['request', 'response', 'stream'])

/**
 * The failure of a request that was on its way. A call that may have been carried out is not made
 * again: its reader has to know that (docs/decisions/007).
 */
export function brokenOff(
  error: unknown,
  origin: string,
  frame: Frame,
  may: Repeatable['may'],
): RelayError {
  const failure = networkFailure(error, origin, 'response')
  const { phase, httpStatus } = failure.details
  if (frame.method !== 'tools/call' || !UNDER_WAY.has(phase) || may(frame)) return failure
  // A stream had begun: whatever the server says of it now, it had taken the call.
  if (phase !== 'stream' && !UNCERTAIN_STATUS.has(httpStatus)) return failure
  return new RelayError(`${failure.message} ${MAY_HAVE_RUN}`, failure.details, error)
}

/** What is said of a call whose answer was lost. */
const MAY_HAVE_RUN = 'The tool may have run; it was not called again.'

const HINTS: Readonly<Record<number, string>> = {
  404: 'Check the path of the server URL.',
  405: 'Check the path of the server URL, or try --transport sse.',
  413: 'The server does not accept messages of this size.',
  429: 'The server limits how often it may be asked.',
}
