import { SECOND_TRY_MIN_MS } from '../limits.ts'
import type { HttpRequest, HttpResponse, HttpSend } from './client.ts'
import { SAFE_IDLE_MS } from './connections.ts'

/** A request that was written to a connection that had been idle. */
interface FirstTry {
  resolve(response: HttpResponse): void
  reject(error: unknown): void
  /** Gives it up, its connection included. */
  abandon(): void
}

/** Somebody who decides what becomes of a request's end. */
export interface Watch {
  /** It is answered; whether that counts. */
  answered(): boolean
  /** It has failed; whether that counts. */
  failed(): boolean
}

/** What second tries need of the pool. */
export interface SecondTryWorld {
  readonly send: HttpSend
  /** A connection is silent: ends the idle ones, which are as old, so that the next is a new one. */
  distrust(): void
  /** A new connection has answered at once where an old one stayed silent. */
  dead(): void
}

/** Watches a request; `undefined` when nothing can come of that. */
export type WatchFirstTry = (
  request: HttpRequest,
  idleMs: number,
  first: FirstTry,
) => Watch | undefined

/** What is left of the slowest answer after one more: a slow start is forgotten after some dozens. */
const FORGET = 0.9

/**
 * Sends what may be repeated a second time, over a new connection, when nothing comes on one that had
 * been idle: a router or a load balancer may have forgotten it without a word, and then the system
 * repeats packets for a quarter of an hour. Whatever is answered first counts.
 *
 * A slow answer looks the same, so the patience grows with the slowest answer so far: a server that
 * takes its time is asked twice a few times and not for ever.
 */
export function createSecondTries({ send, distrust, dead }: SecondTryWorld): WatchFirstTry {
  let slowestMs = 0
  return (request, idleMs, first) => {
    if (idleMs <= SAFE_IDLE_MS || request.opens === true) return undefined
    if (request.repeatable?.() !== true) return undefined
    const since = performance.now()
    const patienceMs = Math.max(SECOND_TRY_MIN_MS, 2 * slowestMs)
    const timer = setTimeout(sendAgain, patienceMs)
    let answered = false
    /** Ends the second try, while there is one. */
    let second: AbortController | undefined
    let firstFailed = false

    function end(): void {
      answered = true
      clearTimeout(timer)
      slowestMs = Math.max(performance.now() - since, slowestMs * FORGET)
    }

    function sendAgain(): void {
      distrust()
      const control = new AbortController()
      const signals = [control.signal, ...(request.signal === undefined ? [] : [request.signal])]
      const sentAt = performance.now()
      second = control
      // Without `repeatable` there is no third.
      send({ ...request, repeatable: undefined, signal: AbortSignal.any(signals) }).then(
        (response) => {
          if (answered) {
            response.discard()
            return
          }
          end()
          first.resolve(response)
          first.abandon()
          if (performance.now() - sentAt < patienceMs) dead()
        },
        (error: unknown) => {
          second = undefined
          if (firstFailed) first.reject(error)
        },
      )
    }

    return {
      answered() {
        if (answered) return false
        end()
        second?.abort(new Error('the first try was answered'))
        return true
      },
      failed() {
        clearTimeout(timer)
        if (answered) return false
        // The other one may still be answered.
        firstFailed = second !== undefined
        return !firstFailed
      },
    }
  }
}
