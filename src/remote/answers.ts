import { networkFailure, RelayError } from '../errors.ts'
import { createFrameReader, type Frame } from '../frame.ts'
import { mediaType, readBody } from '../http/body.ts'
import type { HttpResponse } from '../http/client.ts'
import { MAX_ERROR_BODY_BYTES, MAX_FRAME_BYTES, MAX_SERVER_RETRY_MS } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Cursor } from './context.ts'
import { createEventDecoder } from './events.ts'

/** Takes a frame that came in a response; a returned promise pauses the response. */
export type TakeFrame = (frame: Frame) => Promise<void> | undefined

/** What one response body said, beyond its frames. */
export interface Reading {
  /** Why the body ended early or could not be read. */
  readonly failure?: RelayError | undefined
}

/** Reads a 2xx response to a request: JSON, an event stream, or nothing. */
export async function readAnswers(
  response: HttpResponse,
  take: TakeFrame,
  cursor: Cursor,
  log: Log,
  alive: () => void,
): Promise<Reading> {
  const type = mediaType(response)
  if (response.status === 202 || response.status === 204) {
    await readBody(response, MAX_ERROR_BODY_BYTES)
    return {}
  }
  if (type === 'text/event-stream') return readEventStream(response, take, cursor, log, alive)
  if (type === 'application/json') return readJson(response, take, alive)
  await readBody(response, MAX_ERROR_BODY_BYTES)
  const what = type === '' ? 'an answer without content type' : type
  const hint = 'Check the server URL: an MCP endpoint answers in JSON or as an event stream.'
  return { failure: badAnswer(response, `sent ${what} instead of JSON`, hint) }
}

/** Reads an event stream to its end; what it can be resumed after is in `cursor`. */
export async function readEventStream(
  response: HttpResponse,
  take: TakeFrame,
  cursor: Cursor,
  log: Log,
  alive: () => void,
): Promise<Reading> {
  const decoder = createEventDecoder({
    event({ type, frame }) {
      if (type !== 'message') return undefined
      if (frame !== undefined) return take(frame)
      log.warn(`${response.url.origin} sent an event that is not JSON; it is left out`)
      return undefined
    },
    id(id) {
      cursor.id = id
    },
    retry(ms) {
      cursor.retryMs = Math.min(ms, MAX_SERVER_RETRY_MS)
    },
  })
  try {
    await response.consume((chunk) => {
      alive()
      return decoder.push(chunk)
    })
    return {}
  } catch (error) {
    if (error instanceof RangeError) return { failure: tooLarge(response) }
    return { failure: networkFailure(error, response.url.origin, 'stream') }
  }
}

async function readJson(
  response: HttpResponse,
  take: TakeFrame,
  alive: () => void,
): Promise<Reading> {
  const reader = createFrameReader()
  try {
    await response.consume((chunk) => {
      alive()
      if (reader.size() + chunk.length > MAX_FRAME_BYTES) throw new RangeError('answer too large')
      reader.push(chunk)
      return undefined
    })
  } catch (error) {
    if (error instanceof RangeError) return { failure: tooLarge(response) }
    return { failure: networkFailure(error, response.url.origin, 'response') }
  }
  if (reader.size() === 0) return { failure: badAnswer(response, 'sent an empty answer') }
  const frame = reader.finish()
  if (frame === undefined)
    return { failure: badAnswer(response, 'sent an answer that is not JSON') }
  await take(frame)
  return {}
}

/** A response that ended, in good order, without the answer that was asked for. */
export function noAnswer(response: HttpResponse): RelayError {
  return badAnswer(response, 'ended its response without an answer to this request')
}

function tooLarge(response: HttpResponse): RelayError {
  return badAnswer(response, `sent more than ${MAX_FRAME_BYTES / 1024 / 1024} MiB in one message`)
}

function badAnswer(response: HttpResponse, what: string, hint?: string): RelayError {
  const { status, url } = response
  const message = `${url.origin} ${what}.`
  return new RelayError(message, { phase: 'response', httpStatus: status, hint })
}
