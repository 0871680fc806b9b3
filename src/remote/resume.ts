import { networkFailure, RelayError } from '../errors.ts'
import { mediaType, readBody } from '../http/body.ts'
import type { HttpSend } from '../http/client.ts'
import { MAX_ERROR_BODY_BYTES, MAX_RESUMES_WITHOUT_PROGRESS, RETRY_FOR_MS } from '../limits.ts'
import type { Log } from '../log.ts'
import { pause } from '../pause.ts'
import { readEventStream, type TakeFrame } from './answers.ts'
import { backoffMs } from '../backoff.ts'
import type { Cursor, Exchange } from './context.ts'
import { isSessionLost } from './lost-session.ts'
import type { Session } from './session.ts'

/** A stream to be read on, whatever verb opened it (MCP 2025-11-25, Resumability and Redelivery). */
export interface Resumption {
  readonly url: URL
  readonly send: HttpSend
  readonly log: Log
  readonly session: Session
  readonly exchange: Exchange
  /** With an id to resume after. */
  readonly cursor: Cursor
  readonly take: TakeFrame
  readonly alive: () => void
  /** The server does not know the session any more. */
  lost(): void
}

/**
 * Reads the rest of a request's stream by GET with `Last-Event-ID` until the request is answered.
 * Waits as long as the server asked for before each try. Rejects when the stream is gone.
 */
export async function resumeStream(resumption: Resumption): Promise<void> {
  const { url, send, log, session, exchange, cursor, take, alive } = resumption
  /** The end of patience with a server that is away altogether. */
  let awayUntil = Date.now() + RETRY_FOR_MS
  const signal = exchange.abort?.signal
  let fruitless = 0
  let attempt = 0
  let failure: RelayError | undefined
  while (exchange.waiting.size > 0 && !exchange.cancelled) {
    if (fruitless === MAX_RESUMES_WITHOUT_PROGRESS) throw failure ?? gone(url)
    await pause(cursor.retryMs ?? backoffMs(attempt++), signal)
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
          'last-event-id': before!,
          ...session.headers(),
        },
        signal,
      })
      if (response.status !== 200 || mediaType(response) !== 'text/event-stream') {
        const body = await readBody(response, MAX_ERROR_BODY_BYTES)
        if (session.id() !== undefined && isSessionLost(response.status, body)) resumption.lost()
        throw gone(url, response.status)
      }
      log.state({ part: 'stream', what: 'resumed', of: 'request' })
      exchange.response = response
      awayUntil = Date.now() + RETRY_FOR_MS
      failure = (await readEventStream(response, take, cursor, log, alive)).failure
    } catch (error) {
      failure = networkFailure(error, url.origin, 'stream')
      const status = failure.details.httpStatus
      // 5xx and 429 pass; any other refusal means that the server no longer has the stream.
      if (status !== undefined && status < 500 && status !== 429) throw failure
      // A server that restarts refuses connections for longer than five tries take.
      if (failure.details.phase === 'connect' && Date.now() < awayUntil) continue
    }
    fruitless = cursor.id === before ? fruitless + 1 : 0
    if (fruitless === 0) attempt = 0
  }
}

function gone(url: URL, httpStatus?: number): RelayError {
  const message = `${url.origin} ended the stream of this request and does not continue it.`
  const hint = 'The request may have been carried out; its answer is lost.'
  return new RelayError(message, { phase: 'stream', httpStatus, hint })
}
