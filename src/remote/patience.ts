import { RelayError } from '../errors.ts'
import type { Frame } from '../frame.ts'
import { PATIENCE_CHECK_MS, PROGRESS_AFTER_MS } from '../limits.ts'
import type { Log } from '../log.ts'

/** One waiting request. */
export interface Watch {
  /** Bytes of an answer arrived. */
  alive(): void
  end(): void
}

/**
 * Watches the requests that wait for the server. Silence is reported once and is no failure, unless
 * the user has set a timeout: a tool may think for an hour.
 */
export interface Patience {
  /** Whether `giveUp` may ever be called. */
  readonly limited: boolean
  watch(frame: Frame, giveUp: (error: RelayError) => void): Watch
  /** The requests that are watched now. */
  count(): number
  close(): void
}

interface Waiting {
  readonly frame: Frame
  readonly giveUp: (error: RelayError) => void
  readonly since: number
  /** Bytes have come since the last look. */
  heard: boolean
  lastSign: number
  answered: boolean
  reported: boolean
}

/** One timer for all requests; `timeoutMs` is the silence after which a request fails. */
export function createPatience(
  log: Log,
  timeoutMs: number | undefined,
  now: () => number,
): Patience {
  // No Set, for the reason that `createExchanges` gives.
  const waiting: Waiting[] = []
  let timer: NodeJS.Timeout | undefined

  function check(): void {
    const time = now()
    // From the end: the place of one that is given up is taken by one that has been looked at.
    for (let at = waiting.length - 1; at >= 0; at--) {
      const entry = waiting[at]!
      const { frame } = entry
      if (entry.heard) entry.lastSign = time
      entry.answered ||= entry.heard
      entry.heard = false
      const silence = time - entry.lastSign
      if (timeoutMs !== undefined && silence >= timeoutMs) {
        const seconds = timeoutMs / 1000
        const message = `The server sent nothing for ${seconds} s, the limit set by --timeout.`
        entry.giveUp(new RelayError(message, { phase: 'response' }))
      } else if (!entry.answered && !entry.reported && time - entry.since >= PROGRESS_AFTER_MS) {
        entry.reported = true
        const name = frame.id === undefined ? 'a batch' : `${frame.method} (id ${frame.id})`
        log.warn(`still waiting for an answer to ${name} after ${PROGRESS_AFTER_MS / 1000} s`)
      }
    }
  }

  return {
    limited: timeoutMs !== undefined,
    watch(frame, giveUp) {
      const time = now()
      const entry = {
        frame,
        giveUp,
        since: time,
        lastSign: time,
        heard: false,
        answered: false,
        reported: false,
      }
      waiting.push(entry)
      timer ??= setInterval(check, PATIENCE_CHECK_MS).unref()
      return {
        alive() {
          entry.heard = true // the clock is read once for all of them
        },
        end() {
          const at = waiting.indexOf(entry)
          if (at === -1) return
          const last = waiting.pop()!
          if (last !== entry) waiting[at] = last
        },
      }
    },
    count: () => waiting.length,
    close() {
      clearInterval(timer)
      waiting.length = 0
    },
  }
}
