import { REOPEN_MAX_MS, REOPEN_MIN_MS } from '../limits.ts'

/** The pause before try number `attempt` (from 0): doubled each time, with half of it random. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(REOPEN_MIN_MS * 2 ** attempt, REOPEN_MAX_MS)
  return full / 2 + (full / 2) * random()
}

/** Waits; ends early, without an error, when the signal aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve()
      return
    }
    const done = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done, { once: true })
  })
}
