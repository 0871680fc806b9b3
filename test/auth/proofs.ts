import { createHash } from 'node:crypto'
import type { Seen } from '../support/http-server.ts'
import { readJwt } from './jwt.ts'
import type { Verdict } from './protected.ts'

/** A resource server's side of RFC 9449: every proof is new, for this request, this token, this key. */
export interface ProofChecker {
  /** The error of each refusal so far. */
  readonly refusals: readonly string[]
  judge(request: Seen, url: string, token: object | undefined): Verdict
}

const NONCE = 'resource-nonce-1'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url')

/** A checker that wants its nonce in every proof. */
export function createProofChecker(): ProofChecker {
  const seen = new Set<unknown>()
  const refusals: string[] = []
  return {
    refusals,
    judge({ method, path, headers }, url, token) {
      const metadata = new URL('/.well-known/oauth-protected-resource/mcp', url).href
      const refuse = (error: string): Verdict => {
        refusals.push(error)
        return challenge(error)
      }
      const challenge = (error: string): Verdict => ({
        status: 401,
        challenge: `DPoP algs="ES256", resource_metadata="${metadata}"${error === '' ? '' : `, error="${error}"`}`,
        headers: error === 'use_dpop_nonce' ? { 'dpop-nonce': NONCE } : {},
      })
      const [scheme, value = ''] = headers.authorization?.split(' ') ?? []
      if (scheme === undefined) return refuse('')
      if (scheme !== 'DPoP' || token === undefined) return refuse('invalid_token')
      const { header, claims } = readJwt(String(headers['dpop']))
      const { crv, kty, x, y } = header['jwk'] as Record<string, string>
      const fits =
        header['typ'] === 'dpop+jwt' &&
        'jkt' in token &&
        token.jkt === sha256(JSON.stringify({ crv, kty, x, y })) &&
        claims['htm'] === method &&
        claims['htu'] === new URL(path.split('?', 1)[0]!, url).href &&
        claims['ath'] === sha256(value) &&
        !seen.has(claims['jti'])
      if (!fits) return refuse('invalid_dpop_proof')
      seen.add(claims['jti'])
      return claims['nonce'] === NONCE ? 'accept' : refuse('use_dpop_nonce')
    },
  }
}
