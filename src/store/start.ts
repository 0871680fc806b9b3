import { readPrivate } from './files.ts'
import { LAYOUT } from './place.ts'

/** What can stand behind `Bearer` (RFC 6749, appendix A.12); a line break would be another header. */
export const ACCESS_TOKEN = /^[ -~]+$/

/** What of the store is needed to send the first request. */
export interface StartTokens {
  readonly accessToken: string
  readonly expiresAt: number | undefined
  readonly obtainedAt: number
  readonly refreshable: boolean
  readonly clientId: string
  readonly grant: string
  /** Present when the access token is bound to it. */
  readonly proofKey?: StoredProofKey | undefined
}

/** The key that tokens are bound to, as JWK. */
interface StoredProofKey {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
  readonly d: string
}

/** Grants that are asked again instead of refreshed: what they need is at hand. */
const REPEATABLE: ReadonlySet<string> = new Set(['client_credentials', 'enterprise', 'workload'])

/** Whether tokens can be renewed without a person, as far as it can be told. */
export function isRefreshable(grant: string, refreshToken: unknown): boolean {
  return typeof refreshToken === 'string' || REPEATABLE.has(grant)
}

/**
 * The tokens in use, read without the store's own code, which is loaded when there is something to
 * do: from the file, or from the keychain when that is what is used. What looks odd is as good as
 * nothing here; the store says later what is wrong with it.
 */
export function readStartTokens(
  file: string,
  vault?: { readonly opened: string | undefined },
): StartTokens | undefined {
  try {
    const text = vault === undefined ? readPrivate(file) : vault.opened
    const { layout, current, issuers } = JSON.parse(text ?? 'null') as {
      layout: number
      current: string
      issuers: Record<string, { tokens?: Record<string, unknown> }>
    }
    if (layout !== LAYOUT) return undefined
    const tokens = issuers[current]?.tokens ?? {}
    const { accessToken, expiresAt, obtainedAt, refreshToken, clientId, grant, proofKey } = tokens
    if (typeof accessToken !== 'string' || !ACCESS_TOKEN.test(accessToken)) return undefined
    if (typeof obtainedAt !== 'number') return undefined
    if (typeof clientId !== 'string' || typeof grant !== 'string') return undefined
    return {
      accessToken,
      expiresAt: typeof expiresAt === 'number' ? expiresAt : undefined,
      obtainedAt,
      refreshable: isRefreshable(grant, refreshToken),
      clientId,
      grant,
      proofKey: proofKey as StoredProofKey | undefined,
    }
  } catch {
    return undefined
  }
}
