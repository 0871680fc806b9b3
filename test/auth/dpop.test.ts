import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { bindingFor } from '../../src/auth/binding.ts'
import {
  accessTokenHash,
  boundThumbprint,
  createProver,
  generateProofKey,
} from '../../src/auth/dpop.ts'
import { createNonces } from '../../src/auth/nonces.ts'
import type { ServerRecord } from '../../src/store/record.ts'
import { authContext, authOptions, serverMetadata } from './context.ts'
import { readJwt } from './jwt.ts'

describe('A-115: a proof (RFC 9449 §4.2)', () => {
  const key = generateProofKey()
  const prover = createProver(key)
  const url = new URL('https://h.example/mcp?secret=1#x')

  test('names method, address without query, time, token and nonce; its key is public', () => {
    const proof = prover.proof({ method: 'GET', url, nonce: 'n1' }, accessTokenHash('token'))
    const { header, claims } = readJwt(proof)
    const { d: _, ...open } = key
    expect(header).toEqual({ alg: 'ES256', typ: 'dpop+jwt', jwk: open })
    expect(claims).toEqual({
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      htm: 'GET',
      htu: 'https://h.example/mcp',
      iat: expect.any(Number),
      ath: createHash('sha256').update('token').digest('base64url'),
      nonce: 'n1',
    })
    expect(Math.abs(Number(claims['iat']) - Date.now() / 1000)).toBeLessThan(60)
  })

  test('at a token endpoint it names no token; no two are alike', () => {
    const of = { method: 'POST', url, nonce: undefined }
    const [one, two] = [readJwt(prover.proof(of)).claims, readJwt(prover.proof(of)).claims]
    expect(Object.keys(one)).toEqual(['jti', 'htm', 'htu', 'iat'])
    expect(one['jti']).not.toBe(two['jti'])
  })

  test('the thumbprint is that of RFC 7638, and what a JWT is bound to can be read', () => {
    const { crv, kty, x, y } = key
    const text = `{"crv":"${crv}","kty":"${kty}","x":"${x}","y":"${y}"}`
    expect(prover.thumbprint).toBe(createHash('sha256').update(text).digest('base64url'))
    const token = `e30.${Buffer.from('{"cnf":{"jkt":"j"}}').toString('base64url')}.s`
    expect(boundThumbprint(token)).toBe('j')
    for (const other of ['opaque', 'a.b.c', `e30.${Buffer.from('null').toString('base64url')}.s`]) {
      expect(boundThumbprint(other)).toBeUndefined()
    }
  })
})

test('nonces belong to an origin; what cannot stand in a proof is none', () => {
  const nonces = createNonces()
  const [one, other] = [new URL('https://a.example/x'), new URL('https://b.example/x')]
  expect(nonces.learn(one, 'n1')).toBe(true)
  for (const bad of [undefined, '', 'a b', 'a"b', 'ä']) expect(nonces.learn(one, bad)).toBe(false)
  expect(nonces.of(new URL('https://a.example/y'))).toBe('n1')
  expect(nonces.of(other)).toBeUndefined()
})

describe('A-115: when bound tokens are asked for', () => {
  const issuer = 'https://as.example'
  const knows = { dpop_signing_alg_values_supported: ['ES256'] }
  const server = 'https://h.example/mcp'
  const described = { resource: server, authorization_servers: [issuer] }

  test.each([
    ['nobody wants them', {}, {}, false, false, undefined],
    ['the server asks, its authorization server cannot', {}, {}, true, false, undefined],
    ['the authorization server can, nobody asks', knows, {}, false, false, undefined],
    ['the challenge asks', knows, {}, true, false, 'asked'],
    [
      'the metadata asks',
      knows,
      { dpop_signing_alg_values_supported: ['ES256'] },
      false,
      false,
      'asked',
    ],
    [
      'the metadata insists',
      knows,
      { dpop_bound_access_tokens_required: true },
      false,
      false,
      'required',
    ],
    [
      'only another algorithm',
      { dpop_signing_alg_values_supported: ['RS256'] },
      {},
      true,
      false,
      undefined,
    ],
    ['they were bound before', {}, {}, false, true, 'required'],
  ])('%s', (_, more, resource, challenged, bound, expected) => {
    const metadata = serverMetadata(more)
    const discovery = { issuer, metadata, published: true, resource: { ...described, ...resource } }
    const record = { issuers: { [issuer]: { metadata, bound } } } as unknown as ServerRecord
    const context = authContext(() => Promise.reject(new Error('no network')))
    expect(bindingFor(context, discovery, record, challenged)).toBe(expected)
    const off = { ...context, options: authOptions({ dpop: 'off' }) }
    expect(bindingFor(off, discovery, record, challenged)).toBeUndefined()
  })
})
