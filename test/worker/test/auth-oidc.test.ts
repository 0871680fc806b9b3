import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { IdentityProvider, SignInResult } from '../src/auth/upstream/identity.ts'
import { oidc } from '../src/auth/upstream/oidc.ts'

// The honest provider is tested over HTTP in oauth-flow. This one says exactly what a test wants.
const CALLBACK = 'https://worker.example/callback'
const CLIENT_ID = 'client'

type Json = Readonly<Record<string, unknown>>
interface Answers {
  metadata: Json
  claims: Json
  userInfo: Json
  status: number
}

let issuer: string
let answers: Answers
let secrets: { verifier: string; nonce: string }
let provider: IdentityProvider
let authorization = ''

const encode = (value: Json): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const server = createServer((request, response) => {
  const send = (body: Json) => {
    response.writeHead(answers.status, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify(body))
  }
  if (request.url === '/.well-known/openid-configuration') return send(answers.metadata)
  if (request.url === '/token') {
    authorization = request.headers.authorization ?? ''
    return send({
      access_token: 'upstream',
      id_token: `${encode({})}.${encode(answers.claims)}.sig`,
    })
  }
  return send(answers.userInfo)
})

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP address')
  issuer = `http://127.0.0.1:${address.port}`
})
afterAll(() => {
  server.close()
  server.closeAllConnections()
})

beforeEach(async () => {
  provider = oidc({
    issuer,
    clientId: CLIENT_ID,
    clientSecret: 'se:cret',
    name: 'Test',
    scopes: 'openid profile',
    rolesClaim: 'groups',
  })
  answers = {
    status: 200,
    metadata: {
      issuer,
      authorization_endpoint: `${issuer}/auth?tenant=1`,
      token_endpoint: `${issuer}/token`,
      userinfo_endpoint: `${issuer}/me`,
      authorization_response_iss_parameter_supported: true,
    },
    claims: {},
    userInfo: { sub: 'ada', preferred_username: 'ada.l', groups: ['admin', 'staff'] },
  }
  const start = await provider.start(CALLBACK)
  if (start === undefined) throw new Error('the provider was not reached')
  secrets = start.secrets
  const exp = Math.floor(Date.now() / 1000) + 60
  answers.claims = { iss: issuer, sub: 'ada', aud: CLIENT_ID, exp, nonce: secrets.nonce }
})

const finish = (query: Readonly<Record<string, string>> = {}): Promise<SignInResult> =>
  provider.finish(
    new URL(`${CALLBACK}?${new URLSearchParams({ code: 'c', iss: issuer, ...query })}`),
    CALLBACK,
    secrets,
  )

describe('a good answer', () => {
  test('names the person, with a role from the configured claim', async () => {
    expect(await finish()).toEqual({
      ok: true,
      identity: {
        userId: expect.stringMatching(/^oidc-[\w-]{22}$/),
        login: 'ada.l',
        roles: ['admin'],
      },
    })
  })

  test('was asked for with the client secret form-encoded, as RFC 6749 wants it', async () => {
    await finish()
    expect(atob(authorization.replace('Basic ', ''))).toBe('client:se%3Acret')
  })

  test('without roles gives none', async () => {
    answers.userInfo = { sub: 'ada' }
    expect(await finish()).toMatchObject({ identity: { login: 'ada', roles: [] } })
  })

  test('for several audiences is fine if it says that it is for us', async () => {
    answers.claims = { ...answers.claims, aud: [CLIENT_ID, 'other'], azp: CLIENT_ID }
    expect(await finish()).toMatchObject({ ok: true })
  })
})

test('the authorization URL keeps what the endpoint already carries', async () => {
  const start = await provider.start(CALLBACK)
  const url = new URL(start?.location('the-state') ?? '')
  expect(Object.fromEntries(url.searchParams)).toMatchObject({
    tenant: '1',
    response_type: 'code',
    client_id: CLIENT_ID,
    redirect_uri: CALLBACK,
    scope: 'openid profile',
    state: 'the-state',
    nonce: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge_method: 'S256',
  })
})

describe('an id token is refused', () => {
  test.each<[string, () => Json]>([
    ['of another issuer', () => ({ iss: 'https://evil.example' })],
    ['for another client', () => ({ aud: 'other' })],
    ['for several clients without saying for which', () => ({ aud: [CLIENT_ID, 'other'] })],
    [
      'for several clients and meant for the other',
      () => ({ aud: [CLIENT_ID, 'other'], azp: 'other' }),
    ],
    ['of another sign-in', () => ({ nonce: 'other' })],
    ['without a nonce', () => ({ nonce: undefined })],
    ['that has expired', () => ({ exp: Math.floor(Date.now() / 1000) - 3600 })],
  ])('%s', async (_what, change) => {
    answers.claims = { ...answers.claims, ...change() }
    expect(await finish()).toMatchObject({ ok: false, why: 'refused' })
  })
})

describe('the sign-in fails', () => {
  test.each<[string, SignInResult['ok'] | string, () => void, Readonly<Record<string, string>>]>([
    ['when the answer is of another issuer', 'refused', () => {}, { iss: 'https://evil.example' }],
    [
      'when another issuer reports an error',
      'refused',
      () => {},
      { iss: 'x', error: 'access_denied' },
    ],
    ['when the person declined', 'denied', () => {}, { error: 'access_denied' }],
    ['when the provider cannot do it', 'refused', () => {}, { error: 'server_error' }],
    [
      'when userinfo is about somebody else',
      'refused',
      () => (answers.userInfo = { sub: 'eve' }),
      {},
    ],
    ['when the provider is broken', 'unavailable', () => (answers.status = 502), {}],
    ['when the provider refuses', 'refused', () => (answers.status = 400), {}],
  ])('%s', async (_what, why, change, query) => {
    change()
    expect(await finish(query)).toMatchObject({ ok: false, why })
  })

  test('when the issuer is promised but not there', async () => {
    const answer = new URL(`${CALLBACK}?code=c`)
    expect(await provider.finish(answer, CALLBACK, secrets)).toMatchObject({
      ok: false,
      why: 'refused',
    })
  })
})

describe('a provider is not used', () => {
  test.each<[string, () => Json]>([
    ['whose metadata is about another issuer', () => ({ issuer: 'https://evil.example' })],
    ['whose token endpoint is plain http', () => ({ token_endpoint: 'http://idp.example/token' })],
    ['without userinfo', () => ({ userinfo_endpoint: undefined })],
  ])('%s', async (_what, change) => {
    answers.metadata = { ...answers.metadata, ...change() }
    expect(await provider.start(CALLBACK)).toBeUndefined()
  })
})
