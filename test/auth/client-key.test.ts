import {
  constants,
  generateKeyPairSync,
  type KeyObject,
  type KeyPairKeyObjectResult,
  verify,
} from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { clientAuthentications, endpointsFor, methodFor } from '../../src/auth/client-auth.ts'
import { authOptions, serverMetadata } from './context.ts'

interface Assertion {
  readonly header: Record<string, unknown>
  readonly claims: Record<string, unknown>
  readonly signed: Buffer
  readonly signature: Buffer
}

const decode = (part = ''): Record<string, unknown> =>
  JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>

async function assertion(key: string, supported?: string[]): Promise<Assertion> {
  const client = { clientId: 'c', clientSecret: undefined, key, authMethod: undefined }
  const metadata = serverMetadata({
    token_endpoint_auth_signing_alg_values_supported: supported,
  })
  const stored = { clientId: 'c', authMethod: 'private_key_jwt', redirectUris: [] }
  const [way] = await clientAuthentications(stored, authOptions({ client }), metadata)
  const body = new URLSearchParams()
  await way!(metadata as never, { client_id: 'c' }, body, new Headers())
  expect(body.get('client_assertion_type')).toMatch(/jwt-bearer$/)
  const [header, claims, signature] = body.get('client_assertion')!.split('.')
  return {
    header: decode(header),
    claims: decode(claims),
    signed: Buffer.from(`${header}.${claims}`),
    signature: Buffer.from(signature!, 'base64url'),
  }
}

const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()
const jwk = (key: KeyObject, more: object): string =>
  JSON.stringify({ ...key.export({ format: 'jwk' }), ...more })

const [EC384, EC521] = ['P-384', 'P-521'].map((namedCurve) =>
  generateKeyPairSync('ec', { namedCurve }),
) as [KeyPairKeyObjectResult, KeyPairKeyObjectResult]
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ED = generateKeyPairSync('ed25519')
const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
const RAW = { dsaEncoding: 'ieee-p1363' } as const

describe('A-111: an assertion is signed as the key says, for the issuer, for a minute', () => {
  test.each([
    ['P-256 in PEM', pem(EC.privateKey), undefined, 'ES256', { key: EC.publicKey, ...RAW }],
    ['P-384 in PEM', pem(EC384.privateKey), undefined, 'ES384', { key: EC384.publicKey, ...RAW }],
    ['P-521 in PEM', pem(EC521.privateKey), undefined, 'ES512', { key: EC521.publicKey, ...RAW }],
    ['RSA in PEM', pem(RSA.privateKey), undefined, 'RS256', { key: RSA.publicKey }],
    [
      'RSA where PSS is wanted',
      pem(RSA.privateKey),
      ['PS256'],
      'PS256',
      { key: RSA.publicKey, ...PSS },
    ],
    [
      'RSA that says PSS',
      jwk(RSA.privateKey, { alg: 'PS256' }),
      undefined,
      'PS256',
      { key: RSA.publicKey, ...PSS },
    ],
    ['Ed25519 by its usual name', pem(ED.privateKey), undefined, 'EdDSA', { key: ED.publicKey }],
    ['Ed25519 by its own name', pem(ED.privateKey), ['Ed25519'], 'Ed25519', { key: ED.publicKey }],
  ])('%s', async (_, key, supported, alg, verifier) => {
    const { header, claims, signed, signature } = await assertion(key, supported)
    expect(header).toEqual({ alg })
    const now = Math.floor(Date.now() / 1000)
    expect(claims).toMatchObject({ iss: 'c', sub: 'c', aud: 'https://as.example' })
    expect(Number(claims['exp']) - now).toBeLessThanOrEqual(60)
    const digest = alg.startsWith('Ed') ? null : `sha${alg.slice(2)}`
    expect(verify(digest, signed, verifier, signature)).toBe(true)
  })

  test('a JWK names itself, and no two assertions are alike', async () => {
    const key = jwk(EC.privateKey, { kid: 'k1' })
    const [one, two] = [await assertion(key), await assertion(key)]
    expect(one.header).toEqual({ alg: 'ES256', kid: 'k1' })
    expect(one.claims['jti']).not.toBe(two.claims['jti'])
  })

  test.each([
    ['a key that the server cannot check', pem(EC.privateKey), ['RS256'], /cannot check/],
    ['a key that says what it cannot do', jwk(EC.privateKey, { alg: 'RS256' }), undefined, /RS256/],
    [
      'a kind that no client signs with',
      pem(generateKeyPairSync('x25519').privateKey),
      undefined,
      /x25519/,
    ],
    [
      'a public key',
      EC.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      undefined,
      /neither PEM nor JWK/,
    ],
    ['something else', 'sentinel', undefined, /neither PEM nor JWK/],
  ])('%s is refused, without a word of it', async (_, key, supported, message) => {
    const error = await assertion(key, supported).catch((caught: unknown) => caught as Error)
    expect(error).toMatchObject({ message: expect.stringMatching(message) })
    expect(String((error as Error).message)).not.toContain('sentinel')
  })
})

describe('RFC 8705: a client with a certificate', () => {
  const none = { clientId: 'c', clientSecret: undefined, key: undefined, authMethod: undefined }

  test.each([
    [['tls_client_auth'], 'tls_client_auth'],
    [['none', 'self_signed_tls_client_auth'], 'self_signed_tls_client_auth'],
    [['client_secret_basic'], 'none'],
    [undefined, 'none'],
  ])('a server that takes %j', (methods, expected) => {
    const metadata = serverMetadata({ token_endpoint_auth_methods_supported: methods })
    expect(methodFor(metadata, none, true)).toBe(expected)
    expect(methodFor(metadata, none, false)).toBe('none')
  })

  test('goes where a certificate is asked for, when it has one to show', () => {
    const metadata = serverMetadata({
      device_authorization_endpoint: 'https://as.example/device',
      mtls_endpoint_aliases: { token_endpoint: 'https://mtls.as.example/token' },
    })
    const client = (authMethod: string) => ({ clientId: 'c', authMethod, redirectUris: [] })
    const plain = { ...metadata, mtls_endpoint_aliases: undefined }
    const { mtls_endpoint_aliases: _, ...usual } = plain
    const mutual = { ...usual, token_endpoint: 'https://mtls.as.example/token' }
    const own = authOptions({ certificate: true })
    expect(endpointsFor(client('tls_client_auth'), own, metadata)).toEqual(mutual)
    expect(endpointsFor(client('none'), own, metadata)).toEqual(usual)
    // Tokens that are bound to the certificate have to be asked for with it, whoever the client is.
    const bound = { ...metadata, tls_client_certificate_bound_access_tokens: true }
    expect(endpointsFor(client('none'), own, bound).token_endpoint).toBe(mutual.token_endpoint)
    expect(endpointsFor(client('none'), authOptions(), bound).token_endpoint).toBe(
      usual.token_endpoint,
    )
  })
})
