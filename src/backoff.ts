import { REOPEN_MAX_MS, REOPEN_MIN_MS } from './limits.ts'

/** The pause before try number `attempt` (from 0): doubled each time, with half of it random. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(REOPEN_MIN_MS * 2 ** attempt, REOPEN_MAX_MS)
  return full / 2 + (full / 2) * random()
}
