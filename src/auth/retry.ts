import { AUTH_RETRIES_MS } from '../limits.ts'
import { pause } from '../pause.ts'
import { AuthFailure } from './failure.ts'

/** Does something again while the authorization server cannot be reached, for a few seconds. */
export async function persistently<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (const ms of AUTH_RETRIES_MS) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof AuthFailure) || error.kind !== 'unreachable') throw error
      const wanted = error.retryAfterMs ?? 0
      // Longer than any request wants to wait: the host is told when to try again.
      if (signal.aborted || wanted > AUTH_RETRIES_MS.at(-1)!) throw error
      await pause(Math.max(wanted, ms * (0.75 + Math.random() / 2)), signal)
    }
  }
  return work()
}
