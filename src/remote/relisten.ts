import { backoffMs } from '../backoff.ts'
import { changesIn } from '../era/changes.ts'
import { notification, objectAt, paramsOf } from '../era/claims.ts'
import { RelayError, ServerError } from '../errors.ts'
import type { Frame } from '../frame.ts'
import type { HttpResponse } from '../http/client.ts'
import { REOPEN_MAX_MS } from '../limits.ts'
import type { Log } from '../log.ts'
import { pause } from '../pause.ts'
import { readEventStream, type TakeFrame } from './answers.ts'
import type { Exchange } from './context.ts'
import { httpFailure } from './failures.ts'
import { mediaType } from '../http/body.ts'

/** A `subscriptions/listen` whose stream broke after the server had acknowledged it. */
export interface Relisten {
  readonly listen: Frame
  readonly exchange: Exchange
  readonly log: Log
  /** Sends the request again. */
  post(): Promise<HttpResponse>
  readonly take: TakeFrame
  /** Aborts when nobody wants the subscription any more. */
  readonly signal: AbortSignal
}

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged'

/** Whether a frame is the first word of a subscription. */
export function acknowledges(frame: Frame): boolean {
  return frame.method === ACKNOWLEDGED
}

/**
 * Opens the subscription again under the same id, which is free once its stream is gone, until the
 * server ends it or refuses it. The host sees no second acknowledgement; what may have changed in
 * the meantime is announced once. Rejects with the refusal.
 */
export async function listenAgain(relisten: Relisten): Promise<void> {
  const { listen, exchange, log, post, take, signal } = relisten
  const silent = (): void => {}
  let attempt = 0
  log.state({ part: 'stream', what: 'lost', stream: 'subscriptions' })
  while (exchange.waiting.size > 0) {
    await pause(backoffMs(attempt++), signal)
    if (signal.aborted) return
    const since = Date.now()
    const response = await post().catch((error: unknown) => error as Error)
    if (response instanceof Error) {
      if (isFinal(response)) throw response
      continue
    }
    if (response.status >= 300 || mediaType(response) !== 'text/event-stream') {
      const failure = await httpFailure(response)
      if (isFinal(failure)) throw failure
      continue
    }
    exchange.response = response
    log.state({ part: 'stream', what: 'reopened', stream: 'subscriptions' })
    const again: TakeFrame = (frame) => {
      if (!acknowledges(frame)) return take(frame)
      const filter = objectAt(paramsOf(frame), 'notifications') ?? Buffer.from('{}')
      let wait: Promise<void> | undefined
      for (const change of changesIn(filter, listen.id)) wait = take(change) ?? wait
      return wait
    }
    await readEventStream(response, again, {}, log, silent)
    // A server that opens and closes without end is asked more and more seldom.
    if (Date.now() - since > REOPEN_MAX_MS) attempt = 0
  }
}

/** Tells the host that a subscription is over (MCP 2026-07-28, cancellation). */
export function subscriptionEnded(listen: Frame): Frame {
  return notification('notifications/cancelled', `{"requestId":${listen.id}}`)
}

/** Whether asking again will change nothing. */
function isFinal(error: Error): boolean {
  const status =
    error instanceof ServerError
      ? error.httpStatus
      : error instanceof RelayError
        ? error.details.httpStatus
        : undefined
  return status !== undefined && status < 500 && status !== 408 && status !== 429
}
