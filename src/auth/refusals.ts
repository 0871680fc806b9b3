import { createHash } from 'node:crypto'
import type { AuthFailure } from './failure.ts'

/** Remembers the assertion that was refused last: a refusal is final, asking again is noise (SEP-1933). */
export interface Refusals {
  /** How this assertion was refused, if it was. */
  of(assertion: string): AuthFailure | undefined
  remember(assertion: string, failure: AuthFailure): void
}

/** The refusals of one process. */
export function createRefusals(): Refusals {
  let last: { readonly digest: string; readonly failure: AuthFailure } | undefined
  const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url')
  return {
    of: (assertion) => (last?.digest === digestOf(assertion) ? last.failure : undefined),
    remember(assertion, failure) {
      last = { digest: digestOf(assertion), failure }
    },
  }
}
