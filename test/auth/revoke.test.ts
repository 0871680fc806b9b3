import { expect, test } from 'vitest'
import type { ConfiguredClient } from '../../src/auth/options.ts'
import { type Revocation, revoke } from '../../src/auth/revoke.ts'
import type { StoredIssuer, StoredTokens } from '../../src/store/record.ts'
import { authContext, authOptions, configuredClient, serverMetadata } from './context.ts'

const TOKENS: StoredTokens = {
  accessToken: 'access',
  refreshToken: 'refresh',
  obtainedAt: 0,
  clientId: 'c',
  grant: 'authorization_code',
}

interface Given {
  readonly tokens?: StoredTokens | undefined
  readonly own?: ConfiguredClient
  readonly what?: 'tokens' | 'session'
  /** What the server says about a token. */
  readonly says?: (token: string | null) => Response
}

/** Revokes; what came of it, what was asked for, and how the client proved who it is. */
async function revoked(given: Given = {}): Promise<{
  result: Revocation
  asked: (string | null)[]
  proof: string | null | undefined
}> {
  const { own, what, says = () => new Response(null, { status: 200 }) } = given
  const asked: (string | null)[] = []
  let proof: string | null | undefined
  const { http } = authContext((_url, init) => {
    const token = new URLSearchParams(String(init?.body)).get('token')
    asked.push(token)
    proof = new Headers(init?.headers).get('authorization')
    return Promise.resolve(says(token))
  })
  const issuer: StoredIssuer = {
    metadata: serverMetadata({ revocation_endpoint: 'https://as.example/revoke' }),
    tokens: 'tokens' in given ? given.tokens : TOKENS,
  }
  const result = await revoke({ http, options: authOptions({ client: own }) }, issuer, what)
  return { result, asked, proof }
}

const refusal = (error: string): Response => Response.json({ error }, { status: 400 })

test.each<[string, Given, Revocation, (string | null)[]]>([
  ['tokens, the lasting one first', {}, { outcome: 'revoked' }, ['refresh', 'access']],
  ['nothing when there is nothing', { tokens: undefined }, { outcome: 'no tokens' }, []],
  ['a session by its refresh token', { what: 'session' }, { outcome: 'revoked' }, ['refresh']],
  [
    'no session without one',
    { what: 'session', tokens: { ...TOKENS, refreshToken: undefined } },
    { outcome: 'not offered' },
    [],
  ],
  [
    'what a server knows that knows refresh tokens only',
    { says: (token) => (token === 'access' ? refusal('unsupported_token_type') : new Response()) },
    { outcome: 'revoked' },
    ['refresh', 'access'],
  ],
  [
    'not the only token of a server that does not know it',
    {
      tokens: { ...TOKENS, refreshToken: undefined },
      says: () => refusal('unsupported_token_type'),
    },
    { outcome: 'failed', why: 'unsupported_token_type' },
    ['access'],
  ],
  [
    'not what a server refuses to take back',
    { says: (token) => (token === 'access' ? refusal('invalid_request') : new Response()) },
    { outcome: 'failed', why: 'invalid_request' },
    ['refresh', 'access'],
  ],
])('RFC 7009: revoked is %s', async (_, given, result, asked) => {
  expect(await revoked(given)).toMatchObject({ result, asked })
})

test('a client of the user proves who it is, and another one does not in its place', async () => {
  const secret = configuredClient({ clientSecret: 's' })
  expect((await revoked({ own: secret })).proof).toBe(`Basic ${btoa('c:s')}`)
  expect((await revoked({ own: { ...secret, clientId: 'other' } })).proof).toBeNull()
  expect((await revoked({ own: configuredClient() })).proof).toBeNull()
  const key = configuredClient({ key: 'no key' })
  const { result, asked } = await revoked({ own: key })
  expect(result).toMatchObject({ outcome: 'failed', why: expect.stringContaining('PEM') })
  expect(asked).toEqual([])
})
