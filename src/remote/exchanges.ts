import type { RemoteEvents } from '../channel.ts'
import { RelayError } from '../errors.ts'
import type { RawId } from '../frame.ts'
import { LOST_SESSION_GRACE_MS } from '../limits.ts'
import type { Exchange } from './context.ts'

/** The requests of the host whose responses have not ended. */
export interface Exchanges {
  /** Enters an exchange; the result strikes it out. */
  add(exchange: Exchange): () => void
  /**
   * A cancelled request loses its claim to an answer. In the stateless era closing its stream is the
   * cancellation (MCP 2026-07-28, cancellation), and nothing is sent: true.
   */
  cancel(id: RawId): boolean
  /** A session is gone: its requests get their answer soon, or an error. */
  lost(generation: number): void
  /** The machine has slept: streams that can be resumed are read on over new connections. */
  woke(): void
}

/**
 * An empty table. An array, no Map and no Set: one that is filled and emptied all the time leaves chains
 * of old tables to the next full collection, and with them whatever of its entries was in them (measured:
 * a third of the bytes of all messages outlived the young generation, a fifth of the CPU was collection).
 */
export function createExchanges(origin: string, events: RemoteEvents): Exchanges {
  const open: Exchange[] = []

  function giveUp(exchange: Exchange): void {
    exchange.cancelled = true
    for (const id of exchange.waiting) events.lost(lostSession(origin), id)
    exchange.waiting.clear()
    exchange.response?.discard()
  }

  return {
    add(exchange) {
      open.push(exchange)
      return () => {
        const at = open.indexOf(exchange)
        const last = open.pop()!
        if (last !== exchange) open[at] = last
      }
    },
    cancel(id) {
      const exchange = open.findLast(({ waiting }) => waiting.has(id))
      if (exchange === undefined) return false
      exchange.waiting.delete(id)
      if (exchange.waiting.size > 0) return false
      exchange.cancelled = true
      if (exchange.modern === undefined) return false
      exchange.abort?.abort(new Error('cancelled by the host'))
      return true
    },
    lost(generation) {
      const orphans = open.filter(
        (exchange) => exchange.modern === undefined && exchange.generation === generation,
      )
      if (orphans.length === 0) return
      setTimeout(() => {
        for (const exchange of orphans) {
          if (open.includes(exchange) && exchange.generation === generation && !exchange.renewing) {
            giveUp(exchange)
          }
        }
      }, LOST_SESSION_GRACE_MS).unref()
    },
    woke() {
      for (const { modern, cursor, subscribed, response } of open) {
        const resumes = modern === undefined && cursor.id !== undefined
        if (resumes || subscribed === true) response?.discard()
      }
    },
  }
}

/** The failure of a request whose session is gone. */
export function lostSession(origin: string): RelayError {
  return new RelayError(`${origin} has lost the session of this request.`, {
    phase: 'session',
    hint: 'The request may have been carried out; its answer is lost.',
  })
}
