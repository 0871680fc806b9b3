import { networkFailure, RelayError } from '../errors.ts'
import { mediaType, readBody } from '../http/body.ts'
import type { HttpSend } from '../http/client.ts'
import { MAX_ERROR_BODY_BYTES, MAX_RESUMES_WITHOUT_PROGRESS } from '../limits.ts'
import type { Log } from '../log.ts'
import { pause } from '../pause.ts'
import { readEventStream, type TakeFrame } from './answers.ts'
import { backoffMs } from '../backoff.ts'
import type { Cursor, Exchange } from './context.ts'
import type { Session } from './session.ts'

/** A stream to be read on, whatever verb opened it (MCP 2025-11-25, Resumability and Redelivery). */
export interface Resumption {
  readonly url: URL
  readonly send: HttpSend
  readonly log: Log
  readonly session: Session
  readonly exchange: Exchange
  readonly cursor: Cursor
  readonly take: TakeFrame
  readonly alive: () => void
}

/**
 * Reads the rest of a request's stream by GET with `Last-Event-ID` until the request is answered.
 * Waits as long as the server asked for before each try. Rejects when the stream is gone.
 */
export async function resumeStream(resumption: Resumption): Promise<void> {
  const { url, send, log, session, exchange, cursor, take, alive } = resumption
  const signal = exchange.abort?.signal
  let fruitless = 0
  let failure: RelayError | undefined
  while (exchange.waiting.size > 0 && !exchange.cancelled) {
    if (fruitless === MAX_RESUMES_WITHOUT_PROGRESS) throw failure ?? gone(url)
    await pause(cursor.retryMs ?? backoffMs(fruitless), signal)
    if (exchange.cancelled) return
    if (signal?.aborted === true) throw networkFailure(signal.reason, url.origin, 'stream')
    const before = cursor.id
    failure = undefined
    try {
      const response = await send({
        method: 'GET',
        url,
        headers: {
          accept: 'text/event-stream',
          'last-event-id': before ?? '',
          ...session.headers(),
        },
        signal,
      })
      if (response.status !== 200 || mediaType(response) !== 'text/event-stream') {
        await readBody(response, MAX_ERROR_BODY_BYTES)
        throw gone(url, response.status)
      }
      failure = (await readEventStream(response, take, cursor, log, alive)).failure
    } catch (error) {
      failure = networkFailure(error, url.origin, 'stream')
      const status = failure.details.httpStatus
      // 5xx and 429 pass; any other refusal means that the server no longer has the stream.
      if (status !== undefined && status < 500 && status !== 429) throw failure
    }
    fruitless = cursor.id === before ? fruitless + 1 : 0
  }
}

function gone(url: URL, httpStatus?: number): RelayError {
  const message = `${url.origin} ended the stream of this request and does not continue it.`
  const hint = 'The request may have been carried out; its answer is lost.'
  return new RelayError(message, { phase: 'stream', httpStatus, hint })
}
