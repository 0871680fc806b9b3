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
  const waiting = new Set<Waiting>()
  let timer: NodeJS.Timeout | undefined

  function check(): void {
    const time = now()
    for (const entry of waiting) {
      const { frame } = entry
      const silence = time - entry.lastSign
      if (timeoutMs !== undefined && silence >= timeoutMs) {
        const seconds = timeoutMs / 1000
        const message = `The server sent nothing for ${seconds} s, the limit set by --timeout.`
        entry.giveUp(new RelayError(message, { phase: 'response' }))
      } else if (!entry.answered && !entry.reported && time - entry.since >= PROGRESS_AFTER_MS) {
        entry.reported = true
        const name = `${frame.method ?? 'a batch'}${frame.id === undefined ? '' : ` (id ${frame.id})`}`
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
        answered: false,
        reported: false,
      }
      waiting.add(entry)
      timer ??= setInterval(check, PATIENCE_CHECK_MS).unref()
      return {
        alive() {
          entry.answered = true
          entry.lastSign = now()
        },
        end() {
          waiting.delete(entry)
        },
      }
    },
    count: () => waiting.size,
    close() {
      clearInterval(timer)
      waiting.clear()
    },
  }
}
