import { MAX_EXPIRY_MARGIN_MS } from '../limits.ts'
import type { StartTokens } from '../store/start.ts'
import type { AuthOptions } from './options.ts'

/** The tokens that requests are sent with. */
export interface Held {
  readonly accessToken: string
  readonly authorization: string
  /** When they are to be renewed before the next request. */
  readonly renewAt: number
  readonly expiresAt: number | undefined
}

/** Tokens on their way into requests. */
export function hold(tokens: Omit<StartTokens, 'clientId' | 'grant'>): Held {
  const { accessToken, expiresAt, obtainedAt, refreshable } = tokens
  const lifetime = expiresAt === undefined ? Infinity : expiresAt - obtainedAt
  // A minute before the end, or a tenth of a short life: the request takes time, and clocks differ.
  const margin = Math.min(MAX_EXPIRY_MARGIN_MS, lifetime / 10)
  const renewAt = refreshable && expiresAt !== undefined ? expiresAt - margin : Infinity
  return { accessToken, authorization: `Bearer ${accessToken}`, renewAt, expiresAt }
}

/** Whether stored tokens are of the kind and of the client that the user has configured. */
export function isOurs(
  { clientId, grant }: Pick<StartTokens, 'clientId' | 'grant'>,
  { client, grant: wanted }: AuthOptions,
): boolean {
  if ((wanted === 'client_credentials') !== (grant === 'client_credentials')) return false
  return client === undefined || client.clientId === clientId
}
