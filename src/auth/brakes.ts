import {
  MAX_COUNTED_OPERATIONS,
  MAX_RENEWALS_PER_MINUTE,
  MAX_STEP_UPS_PER_OPERATION,
  REFUSED_FRESH_MS,
} from '../limits.ts'
import { AuthFailure } from './failure.ts'

/** What stops loops that no single step of the authorization can see. */
export interface Brakes {
  /** Throws when there were too many token requests in the last minute. */
  checkRenewals(): void
  /** Counts a token request. */
  countRenewal(): void
  /** Remembers a token that was refused although it came from a sign-in just made. */
  refuseFresh(token: string | undefined): void
  /** Whether this is such a token, and it was a moment ago. */
  refusedFresh(token: string | undefined): boolean
  /** Counts a step-up for an operation; false when there were enough of them. */
  mayStepUp(operation: string): boolean
}

const MINUTE_MS = 60_000

/** Brakes of one server. */
export function createBrakes(now: () => number): Brakes {
  const stepUps = new Map<string, number>()
  let renewals: number[] = []
  let refused: { readonly token: string | undefined; readonly at: number } | undefined
  return {
    checkRenewals() {
      renewals = renewals.filter((at) => now() - at < MINUTE_MS)
      if (renewals.length < MAX_RENEWALS_PER_MINUTE) return
      const message = `${MAX_RENEWALS_PER_MINUTE} tokens were refused within a minute.`
      throw new AuthFailure('unreachable', message, { retryAfterMs: MINUTE_MS })
    },
    countRenewal() {
      renewals.push(now())
    },
    refuseFresh(token) {
      refused = { token, at: now() }
    },
    refusedFresh: (token) =>
      refused !== undefined && refused.token === token && now() - refused.at < REFUSED_FRESH_MS,
    mayStepUp(operation) {
      const count = stepUps.get(operation) ?? 0
      if (count >= MAX_STEP_UPS_PER_OPERATION) return false
      stepUps.set(operation, count + 1)
      if (stepUps.size > MAX_COUNTED_OPERATIONS) stepUps.delete(stepUps.keys().next().value!)
      return true
    },
  }
}
