import { OAuthError } from '@cloudflare/workers-oauth-provider'
import { KV_MIN_TTL_S } from '../limits.ts'

/** Enough for any trip between two clocks and a slow write. */
const SLACK_S = 60

/**
 * Lifetimes of any length on top of a library that can store nothing below {@link KV_MIN_TTL_S}:
 * tokens are stored for at least that long, promised for less, and refused by age.
 */
export interface Lifetimes {
  /** What the library is told. */
  readonly storedAccessS: number
  readonly storedRefreshS: number
  /** Whether an access token is too old, by its stored expiry; `limitS` cuts it shorter still. */
  isAccessOver(storedExpiry: number, nowS: number, limitS?: number): boolean
  /** When an access token really ends. */
  accessExpiry(storedExpiry: number): number
  /** Throws `invalid_grant`, which revokes the grant, once a sign-in is too old to be renewed. */
  checkSignIn(signedInAtS: number, nowS: number): void
  /** A token answer that promises the real lifetime. */
  restate(answer: Response): Promise<Response>
}

/** Makes the lifetimes that the deployer asked for. */
export function makeLifetimes(accessS: number, refreshS: number): Lifetimes {
  const storedAccessS = Math.max(accessS, KV_MIN_TTL_S)
  return {
    storedAccessS,
    // The library shortens an access token to the rest of its grant and then fails with
    // `invalid_request` if that is less than KV can store. Clients sign in again only on
    // `invalid_grant`, so the grant is stored longer and ends in `checkSignIn`.
    storedRefreshS: refreshS + storedAccessS + SLACK_S,
    isAccessOver: (storedExpiry, nowS, limitS = accessS) =>
      storedExpiry - storedAccessS + Math.min(accessS, limitS) <= nowS,
    accessExpiry: (storedExpiry) => storedExpiry - storedAccessS + accessS,
    checkSignIn(signedInAtS, nowS) {
      if (signedInAtS + refreshS > nowS) return
      throw new OAuthError('invalid_grant', { description: 'The sign-in has expired' })
    },
    async restate(answer) {
      if (storedAccessS === accessS || !answer.ok) return answer
      const body: unknown = await answer.clone().json()
      if (typeof body !== 'object' || body === null || !('expires_in' in body)) return answer
      return Response.json({ ...body, expires_in: accessS }, { headers: answer.headers })
    },
  }
}

/** Seconds since 1970, the unit of every time in OAuth. */
export const nowInSeconds = (): number => Math.floor(Date.now() / 1000)
