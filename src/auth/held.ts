import { MAX_EXPIRY_MARGIN_MS } from '../limits.ts'
import type { StartTokens } from '../store/start.ts'
import { accessTokenHash, createProver, type ProofOf } from './dpop.ts'
import type { AuthOptions } from './options.ts'

/** The tokens that requests are sent with. */
export interface Held {
  readonly accessToken: string
  readonly authorization: string
  /** The header of a request that needs no proof: one object for all of them. */
  readonly headers: Readonly<Record<string, string>>
  /** When they are to be renewed before the next request. */
  readonly renewAt: number
  readonly expiresAt: number | undefined
  /** Makes the proof of a request, for a token that is bound to a key (RFC 9449 §7). */
  readonly prove: ((of: ProofOf) => string) | undefined
}

/** Tokens on their way into requests. */
export function hold(tokens: Omit<StartTokens, 'clientId' | 'grant'>): Held {
  const { accessToken, expiresAt, obtainedAt, refreshable, proofKey } = tokens
  const lifetime = expiresAt === undefined ? Infinity : expiresAt - obtainedAt
  // A minute before the end, or a tenth of a short life: the request takes time, and clocks differ.
  const margin = Math.min(MAX_EXPIRY_MARGIN_MS, lifetime / 10)
  const renewAt = refreshable && expiresAt !== undefined ? expiresAt - margin : Infinity
  const scheme = proofKey === undefined ? 'Bearer' : 'DPoP'
  const authorization = `${scheme} ${accessToken}`
  const prove = proverOf(accessToken, proofKey)
  return { accessToken, authorization, headers: { authorization }, renewAt, expiresAt, prove }
}

function proverOf(accessToken: string, key: StartTokens['proofKey']): Held['prove'] {
  if (key === undefined) return undefined
  const { proof } = createProver(key)
  const hash = accessTokenHash(accessToken)
  return (of) => proof(of, hash)
}

/** Whether stored tokens are of the kind and of the client that the user has configured. */
export function isOurs(
  {
    clientId,
    grant,
    proofKey,
  }: Pick<StartTokens, 'clientId' | 'grant'> & {
    readonly proofKey?: StartTokens['proofKey']
  },
  { client, grant: wanted, dpop }: AuthOptions,
): boolean {
  // Those of a person are alike; any other grant speaks for somebody else.
  const person = (name: string): boolean => name === 'authorization_code' || name === 'device_code'
  if (wanted !== grant && !(person(wanted) && person(grant))) return false
  if (proofKey === undefined ? dpop === 'required' : dpop === 'off') return false
  return client === undefined || client.clientId === clientId
}
