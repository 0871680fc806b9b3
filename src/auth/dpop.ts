import type { StartTokens } from '../store/start.ts'
import { claimsOf } from './jwt.ts'

/** Loaded when a token is bound to a key: no other start pays for it. */
const crypto = () => process.getBuiltinModule('node:crypto')

/** The private key of bound tokens: P-256, as JWK, the way it is stored. A secret. */
export type ProofKey = NonNullable<StartTokens['proofKey']>

/** What one proof is for. */
export interface ProofOf {
  readonly method: string
  readonly url: URL
  /** The nonce that the server wants to see, if it does. */
  readonly nonce: string | undefined
}

/** Signs the proofs of one key (RFC 9449 §4.2). */
export interface Prover {
  /** A new proof; at a token endpoint there is no access token to name. */
  proof(of: ProofOf, accessTokenHash?: string): string
  /** What tokens of this key name as `cnf.jkt` (RFC 7638, RFC 9449 §6.1). */
  readonly thumbprint: string
}

/** The algorithm of the proofs: what every server with bound tokens has to know. */
export const PROOF_ALG = 'ES256'

/** A new key. */
export function generateProofKey(): ProofKey {
  const { privateKey } = crypto().generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x, y, d } = privateKey.export({ format: 'jwk' })
  return { kty: 'EC', crv: 'P-256', x: x!, y: y!, d: d! }
}

/**
 * Prepares a key for proofs. Own code, and synchronous: a proof is made for every message, and the
 * library's way through WebCrypto's threads costs more than the signature (docs/enterprise.md).
 */
export function createProver({ kty, crv, x, y, d }: ProofKey): Prover {
  const key = crypto().createPrivateKey({ key: { kty, crv, x, y, d }, format: 'jwk' })
  const header = encode({ alg: PROOF_ALG, typ: 'dpop+jwt', jwk: { kty, crv, x, y } })
  return {
    // The members in the order that RFC 7638 §3.2 wants.
    thumbprint: sha256(JSON.stringify({ crv, kty, x, y })),
    proof({ method, url, nonce }, ath) {
      const claims = encode({
        jti: crypto().randomUUID(),
        htm: method,
        htu: url.origin + url.pathname,
        iat: Math.floor(Date.now() / 1000),
        ath,
        nonce,
      })
      const text = `${header}.${claims}`
      const signature = crypto().sign('sha256', Buffer.from(text), {
        key,
        dsaEncoding: 'ieee-p1363',
      })
      return `${text}.${signature.toString('base64url')}`
    },
  }
}

/** The hash of an access token, as proofs carry it (`ath`). */
export function accessTokenHash(token: string): string {
  return sha256(token)
}

/** The key that a token says it is bound to; `undefined` when it does not say so legibly. */
export function boundThumbprint(token: string): string | undefined {
  const { jkt } = (claimsOf(token)['cnf'] ?? {}) as { jkt?: unknown }
  return typeof jkt === 'string' ? jkt : undefined
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function sha256(text: string): string {
  return crypto().createHash('sha256').update(text).digest('base64url')
}
