import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { type ClientAuth, modifyAssertion, PrivateKeyJwt } from 'oauth4webapi'
import type { ServerMetadata } from '../store/server-metadata.ts'
import { AuthFailure } from './failure.ts'

/** How a kind of key signs: the names of its algorithms in tokens (RFC 7518 §3.1), the usual one first. */
interface Signing {
  readonly algs: readonly string[]
  readonly algorithm: (alg: string) => { name: string; namedCurve?: string; hash?: string }
}

const SIGNING: Readonly<Record<string, Signing>> = {
  rsa: {
    algs: ['RS256', 'PS256'],
    algorithm: (alg) => ({
      name: alg === 'PS256' ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5',
      hash: 'SHA-256',
    }),
  },
  prime256v1: { algs: ['ES256'], algorithm: () => ({ name: 'ECDSA', namedCurve: 'P-256' }) },
  secp384r1: { algs: ['ES384'], algorithm: () => ({ name: 'ECDSA', namedCurve: 'P-384' }) },
  secp521r1: { algs: ['ES512'], algorithm: () => ({ name: 'ECDSA', namedCurve: 'P-521' }) },
  ed25519: { algs: ['EdDSA', 'Ed25519'], algorithm: () => ({ name: 'Ed25519' }) },
}

/**
 * Authenticates a client with its private key: a new assertion for each request, valid for a minute,
 * for the issuer alone (RFC 7523 §2.2; `aud` as draft-ietf-oauth-rfc7523bis wants it).
 *
 * @param text a private key, PEM or JWK; the `alg` and `kid` of a JWK are used
 */
export async function privateKeyJwt(text: string, metadata: ServerMetadata): Promise<ClientAuth> {
  const { key, kid, alg: wanted } = readKey(text)
  const kind = key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType!
  const signing = SIGNING[kind]
  if (signing === undefined) {
    throw new AuthFailure('refused', `A key of the kind ${kind} cannot sign for this client.`)
  }
  const alg = algOf(signing.algs, wanted, metadata)
  const der = key.export({ type: 'pkcs8', format: 'der' })
  const usable = await crypto.subtle.importKey('pkcs8', der, signing.algorithm(alg), false, [
    'sign',
  ])
  return PrivateKeyJwt(kid === undefined ? usable : { key: usable, kid }, {
    // Two names for one algorithm (RFC 9864): servers know the one or the other.
    [modifyAssertion]: (header) => {
      header['alg'] = alg
    },
  })
}

/** The key says how it signs; what is left open is decided by what the server can check. */
function algOf(
  algs: readonly string[],
  wanted: string | undefined,
  { issuer, token_endpoint_auth_signing_alg_values_supported: supported }: ServerMetadata,
): string {
  if (wanted !== undefined && !algs.includes(wanted)) {
    throw new AuthFailure('refused', `The key of the client says ${wanted}, which it cannot do.`)
  }
  const possible = wanted === undefined ? algs : [wanted]
  const found = possible.find((name) => supported?.includes(name) ?? true)
  if (found !== undefined) return found
  throw new AuthFailure(
    'refused',
    `${issuer} cannot check signatures of this kind of key (${possible.join(', ')}).`,
    { hint: `It knows ${supported?.join(', ')}.` },
  )
}

interface Key {
  readonly key: KeyObject
  readonly kid: string | undefined
  readonly alg: string | undefined
}

function readKey(text: string): Key {
  try {
    if (!text.trimStart().startsWith('{')) {
      return { key: createPrivateKey(text), kid: undefined, alg: undefined }
    }
    const jwk = JSON.parse(text) as Record<string, unknown>
    const member = (name: string): string | undefined =>
      typeof jwk[name] === 'string' ? jwk[name] : undefined
    const key = createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' })
    return { key, kid: member('kid'), alg: member('alg') }
  } catch {
    // Without the cause: it may quote the key.
    throw new AuthFailure('refused', 'The key of the client is neither PEM nor JWK.', {
      hint: 'It must be a private key; one with a passphrase is not read.',
    })
  }
}
