import type { Dispatcher } from 'undici'
import { RESPONSE_HIGH_WATER_BYTES } from '../limits.ts'
import type { HttpRequest, HttpResponse } from './client.ts'

/** One request on one connection. */
export interface Exchange {
  /** What undici tells of it. */
  readonly handler: Dispatcher.DispatchHandler
  /** Gives it up, its connection included. */
  abandon(): void
}

/** What becomes of an exchange. */
export interface ExchangeEvents {
  /** It is about to be written. False: it must not be; then it fails. */
  starts(): boolean
  /** The headers of the response have come. */
  answered(response: HttpResponse): void
  /** The response has ended: its connection is free. */
  ended(): void
  /** It was cut, refused or given up, before the response or in its body. */
  failed(error: Error): void
}

/** A request whose response body goes to its reader as fast as that reads, and is kept until there is one. */
export function createExchange(request: HttpRequest, events: ExchangeEvents): Exchange {
  const { signal } = request
  let controller: Dispatcher.DispatchController | undefined
  let onChunk: ((chunk: Buffer) => Promise<void> | undefined) | undefined
  let kept: Buffer[] = []
  let keptBytes = 0
  let end: { error?: unknown } | undefined
  let settle: { resolve: () => void; reject: (reason: unknown) => void } | undefined
  const abort = (): void => controller?.abort(abortReason(signal))

  function finish(result: { error?: unknown }): void {
    end ??= result
    signal?.removeEventListener('abort', abort)
    if (settle !== undefined && kept.length === 0) {
      if ('error' in end) settle.reject(end.error)
      else settle.resolve()
    }
  }

  /** Feeds one piece; while its promise is open the connection stays paused and later pieces are kept. */
  function feed(chunk: Buffer): void {
    let wait: Promise<void> | undefined
    try {
      wait = onChunk!(chunk)
    } catch (error) {
      fail(error)
      return
    }
    if (wait === undefined) return
    const consumer = onChunk
    onChunk = undefined
    controller?.pause()
    wait.then(() => {
      onChunk = consumer
      feedKept()
    }, fail)
  }

  function feedKept(): void {
    while (onChunk !== undefined && kept.length > 0) {
      const chunk = kept.shift()!
      keptBytes -= chunk.length
      feed(chunk)
    }
    if (onChunk === undefined) return
    if (end !== undefined) finish(end)
    else controller?.resume()
  }

  function fail(error: unknown): void {
    kept = []
    finish({ error })
    controller?.abort(error instanceof Error ? error : new Error(String(error)))
  }

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(started) {
      controller = started
      if (signal?.aborted === true) {
        abort()
        return
      }
      if (!events.starts()) {
        started.abort(new Error('not its turn'))
        return
      }
      signal?.addEventListener('abort', abort, { once: true })
    },
    onResponseStart(_controller, status, headers) {
      if (status < 200) return
      events.answered({
        status,
        headers,
        url: request.url,
        consume: (consumer) =>
          new Promise((resolveBody, rejectBody) => {
            settle = { resolve: resolveBody, reject: rejectBody }
            onChunk = consumer
            feedKept()
          }),
        discard: () => {
          if (end === undefined) controller?.abort(new Error('response not wanted'))
        },
      })
    },
    onResponseData(_controller, chunk) {
      if (onChunk !== undefined && kept.length === 0) {
        feed(chunk)
        return
      }
      kept.push(chunk)
      keptBytes += chunk.length
      if (keptBytes > RESPONSE_HIGH_WATER_BYTES) controller?.pause()
    },
    onResponseEnd() {
      events.ended()
      finish({})
    },
    onResponseError(_controller, error) {
      events.failed(error)
      finish({ error })
    },
  }

  return {
    handler,
    abandon() {
      if (end === undefined) controller?.abort(new Error('answered elsewhere'))
    },
  }
}

/** Why a request was given up. */
export function abortReason(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason
  return reason instanceof Error ? reason : new Error('aborted')
}
