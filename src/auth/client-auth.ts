import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { type ClientAuth, ClientSecretPost, None, PrivateKeyJwt } from 'oauth4webapi'
import type { StoredClient } from '../store/record.ts'
import type { ServerMetadata } from '../store/server-metadata.ts'
import { AuthFailure } from './failure.ts'
import type { ConfiguredClient } from './options.ts'

/** The first of the methods that the server supports; without a list it supports Basic (RFC 8414 §2). */
export function supportedMethod(
  metadata: ServerMetadata,
  methods: readonly string[],
): string | undefined {
  const { token_endpoint_auth_methods_supported: supported } = metadata
  return methods.find((method) => supported?.includes(method) ?? true)
}

/** Ways to authenticate, most likely first; the next one is for servers that answer `invalid_client`. */
export async function clientAuthentications(
  { clientId, clientSecret: assigned, authMethod }: StoredClient,
  configured: ConfiguredClient | undefined,
  metadata: ServerMetadata,
): Promise<readonly ClientAuth[]> {
  // The user's own secret is never stored, so it is looked up each time.
  const own = configured?.clientId === clientId ? configured : undefined
  const clientSecret = assigned ?? own?.clientSecret
  if (authMethod === 'private_key_jwt') return [await privateKeyJwt(own?.key, metadata)]
  if (authMethod === 'none' || clientSecret === undefined) return [None()]
  if (authMethod === 'client_secret_post') return [ClientSecretPost(clientSecret)]
  const plain = `${clientId}:${clientSecret}`
  const encoded = `${formEncoded(clientId)}:${formEncoded(clientSecret)}`
  // Servers that do not undo the form encoding of RFC 6749 §2.3.1 see another id and secret.
  return plain === encoded ? [basic(plain)] : [basic(encoded), basic(plain)]
}

function basic(credentials: string): ClientAuth {
  return (_server, _client, _body, headers) => {
    headers.set('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`)
  }
}

/**
 * As browsers encode forms: `-`, `_`, `.` and `*` stay. oauth4webapi's own Basic escapes them too,
 * which is legal, but many servers do not decode, and most ids have a dash in them.
 */
function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}

/** How a kind of key signs, and the name of that in tokens. */
interface Signing {
  readonly alg: readonly string[]
  readonly algorithm: (alg: string) => { name: string; namedCurve?: string; hash?: string }
}

const SIGNING: Readonly<Record<string, Signing>> = {
  rsa: {
    alg: ['RS256', 'PS256'],
    algorithm: (alg) => ({
      name: alg === 'PS256' ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5',
      hash: 'SHA-256',
    }),
  },
  prime256v1: { alg: ['ES256'], algorithm: () => ({ name: 'ECDSA', namedCurve: 'P-256' }) },
  secp384r1: { alg: ['ES384'], algorithm: () => ({ name: 'ECDSA', namedCurve: 'P-384' }) },
  secp521r1: { alg: ['ES512'], algorithm: () => ({ name: 'ECDSA', namedCurve: 'P-521' }) },
  ed25519: { alg: ['Ed25519', 'EdDSA'], algorithm: () => ({ name: 'Ed25519' }) },
}

async function privateKeyJwt(
  text: string | undefined,
  metadata: ServerMetadata,
): Promise<ClientAuth> {
  const { key, kid } = readKey(text ?? '')
  const kind = key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? ''
  const signing = SIGNING[kind]
  if (signing === undefined) {
    throw new AuthFailure('refused', `A key of the kind ${kind} cannot sign for this client.`)
  }
  const supported = metadata.token_endpoint_auth_signing_alg_values_supported
  const alg = signing.alg.find((name) => supported?.includes(name)) ?? signing.alg[0]!
  const der = key.export({ type: 'pkcs8', format: 'der' })
  const usable = await crypto.subtle.importKey('pkcs8', der, signing.algorithm(alg), false, [
    'sign',
  ])
  return PrivateKeyJwt(kid === undefined ? usable : { key: usable, kid })
}

function readKey(text: string): { key: KeyObject; kid: string | undefined } {
  try {
    if (!text.trimStart().startsWith('{')) return { key: createPrivateKey(text), kid: undefined }
    const jwk = JSON.parse(text) as Record<string, unknown>
    const kid = typeof jwk['kid'] === 'string' ? jwk['kid'] : undefined
    return { key: createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' }), kid }
  } catch {
    // Without the cause: it may quote the key.
    throw new AuthFailure('refused', '--client-key-file is no private key, neither PEM nor JWK.')
  }
}
