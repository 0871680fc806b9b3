import { genericTokenEndpointRequest } from 'oauth4webapi'
import { describe, expect, test } from 'vitest'
import { createProver, generateProofKey } from '../../src/auth/dpop.ts'
import type { AuthOptions } from '../../src/auth/options.ts'
import { requestTokens, type TokenRequest } from '../../src/auth/token-endpoint.ts'
import type { StoredTokens } from '../../src/store/record.ts'
import { authContext, authOptions, serverMetadata } from './context.ts'

const NOW = 1_000_000

function ask(
  answer: Response | Error,
  { scope = 'asked for', ...more }: Partial<TokenRequest> = {},
  options: Partial<AuthOptions> = {},
): Promise<StoredTokens> {
  const context = authContext(
    () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)),
    { now: () => NOW, options: authOptions(options) },
  )
  const request: TokenRequest = {
    metadata: serverMetadata(),
    client: { clientId: 'c', authMethod: 'none', redirectUris: [] },
    resource: 'https://h.example/mcp',
    scope,
    grant: 'authorization_code',
    ...more,
  }
  return requestTokens(context, request, (server, client, way, sending) =>
    genericTokenEndpointRequest(server, client, way, 'x', {}, sending),
  )
}

const good = (more: object = {}): Response =>
  Response.json({ access_token: 'a', token_type: 'Bearer', ...more })

describe('A-76: what token responses look like in the field', () => {
  test.each([
    ['a number', { expires_in: 3600 }, NOW + 3_600_000],
    ['a string', { expires_in: '3600' }, NOW + 3_600_000],
    ['missing', {}, undefined],
    ['null', { expires_in: null }, undefined],
    ['no number', { expires_in: 'soon' }, undefined],
    ['negative', { expires_in: -1 }, undefined],
  ])('expires_in is %s', async (_, body, expected) => {
    const tokens = await ask(good(body))
    expect(tokens).toMatchObject({ accessToken: 'a', obtainedAt: NOW })
    expect(tokens.expiresAt).toBe(expected)
  })

  test.each([
    ['bearer in any case', { token_type: 'BEARER' }],
    ['no token_type', { token_type: undefined }],
    ['a null refresh token', { refresh_token: null }],
    ['an ID token of another issuer', { id_token: 'x.y.z' }],
  ])('%s', async (_, body) => {
    expect(await ask(good(body))).toMatchObject({ accessToken: 'a', refreshToken: undefined })
  })

  test.each([
    ['missing', {}, 'asked for'],
    ['null', { scope: null }, 'asked for'],
    ['less than asked for', { scope: 'asked' }, 'asked'],
    ['a list', { scope: ['a', 'b'] }, 'a b'],
  ])('scope is %s', async (_, body, expected) => {
    expect(await ask(good(body))).toMatchObject({ scope: expected, requested: 'asked for' })
  })

  test('a token of another kind is not sent as a bearer token', async () => {
    await expect(ask(good({ token_type: 'DPoP' }))).rejects.toThrow(/of the kind dpop/)
  })

  test('RFC 9449 §5: a token is bound to our key, or does not say to which', async () => {
    const key = generateProofKey()
    const bind = { key, required: true }
    const tokenOf = (jkt: string): string =>
      `e30.${Buffer.from(JSON.stringify({ cnf: { jkt } })).toString('base64url')}.s`
    const bound = (access_token: string): Promise<StoredTokens> =>
      ask(good({ access_token, token_type: 'DPoP' }), { bind })
    expect((await bound('opaque')).proofKey).toEqual(key)
    expect((await bound(tokenOf(createProver(key).thumbprint))).proofKey).toEqual(key)
    await expect(bound(tokenOf('of somebody else'))).rejects.toThrow(/bound to another key/)
  })

  test('--use-id-token: an answer without one is no answer', async () => {
    const wanted = { useIdToken: true }
    expect((await ask(good({ id_token: 'i.d.t' }), {}, wanted)).accessToken).toBe('i.d.t')
    await expect(ask(good(), {}, wanted)).rejects.toMatchObject({
      message: 'https://as.example gave no id token (--use-id-token).',
      hint: expect.stringContaining('openid'),
    })
  })

  test('an answer without a token', async () => {
    await expect(ask(good({ access_token: 7 }))).rejects.toMatchObject({ kind: 'refused' })
    await expect(ask(Response.json({}))).rejects.toMatchObject({ kind: 'refused' })
  })
})

const error = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers })

describe('A-85: what a refusal means', () => {
  test.each([
    ['invalid_grant', error(400, { error: 'invalid_grant' }), 'grant'],
    ['an error object with status 200 (A-76)', error(200, { error: 'invalid_grant' }), 'grant'],
    ['invalid_client', error(401, { error: 'invalid_client' }), 'client'],
    [
      'invalid_client beside a challenge',
      error(401, { error: 'invalid_client' }, { 'www-authenticate': 'Basic realm="x"' }),
      'client',
    ],
    ['unauthorized_client', error(400, { error: 'unauthorized_client' }), 'client'],
    ['401 without a word', error(401, ''), 'client'],
    ['401 with JSON that says nothing', error(401, 'null'), 'client'],
    ['422 with a message', error(422, { message: 'no such client' }), 'client'],
    ['invalid_target', error(400, { error: 'invalid_target' }), 'resource'],
    [
      'Entra’s way to say it',
      error(400, { error: 'invalid_request', error_description: 'AADSTS9010010: The resource …' }),
      'resource',
    ],
    ['invalid_scope', error(400, { error: 'invalid_scope' }), 'refused'],
    ['500', error(500, { error: 'invalid_grant' }), 'unreachable'],
    ['503 with a page', error(503, '<html>'), 'unreachable'],
    ['429', error(429, ''), 'unreachable'],
    ['temporarily_unavailable', error(400, { error: 'temporarily_unavailable' }), 'unreachable'],
    ['a page', error(200, '<html>', { 'content-type': 'text/html; charset=utf-8' }), 'unreachable'],
    ['a page of a firewall', error(403, '<html>', { 'content-type': 'text/html' }), 'unreachable'],
  ])('%s', async (_, answer, kind) => {
    await expect(ask(answer)).rejects.toMatchObject({ name: 'AuthFailure', kind })
  })

  test('how long to wait is passed on', async () => {
    const answer = error(429, '', { 'retry-after': '17' })
    await expect(ask(answer)).rejects.toMatchObject({ retryAfterMs: 17_000 })
  })

  test('A-105: the description is quoted without control characters, and not at length', async () => {
    const description = `\u001b]0;x\u0007${'long '.repeat(200)}`
    const answer = error(400, { error: 'invalid_request', error_description: description })
    const failure = await ask(answer).catch((thrown: unknown) => thrown as Error)
    const { message } = failure as Error
    expect(message).toContain('invalid_request')
    expect(message).not.toContain('\u001b')
    expect(message.length).toBeLessThan(300)
  })
})
