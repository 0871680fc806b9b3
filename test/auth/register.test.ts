import { describe, expect, test } from 'vitest'
import { register } from '../../src/auth/register.ts'
import type { StoredClient } from '../../src/store/record.ts'
import type { ServerMetadata } from '../../src/store/server-metadata.ts'
import { authContext, serverMetadata } from './context.ts'

const REDIRECT = 'http://127.0.0.1:20000/callback'

/** Registers at a server that answers so; what was sent, and what came of it. */
async function registered(
  answer: Response,
  more: Partial<ServerMetadata> = {},
): Promise<{ sent: Record<string, unknown>; client: Promise<StoredClient> }> {
  let sent: Record<string, unknown> = {}
  const { http } = authContext((_url, init) => {
    sent = JSON.parse(String(init?.body)) as Record<string, unknown>
    return Promise.resolve(answer)
  })
  const metadata = serverMetadata({ registration_endpoint: 'https://as.example/register', ...more })
  const wanted = { redirectUri: REDIRECT, device: false, scope: undefined, own: {} }
  const client = register(http, metadata, wanted)
  await client.catch(() => {})
  return { sent, client }
}

const answer = (status: number, body: unknown): Response => Response.json(body, { status })

describe('RFC 7591: what a registration brings', () => {
  test.each<[string, object, string[] | undefined, Partial<StoredClient>]>([
    ['without a secret', {}, undefined, { authMethod: 'none', secretExpiresAt: undefined }],
    [
      'with a secret where nothing is listed',
      { client_secret: 's', client_secret_expires_at: 0 },
      undefined,
      { clientSecret: 's', authMethod: 'client_secret_basic', secretExpiresAt: undefined },
    ],
    [
      'with a secret as the server takes it',
      { client_secret: 's', client_secret_expires_at: '7' },
      ['none', 'client_secret_post'],
      { authMethod: 'client_secret_post', secretExpiresAt: 7_000 },
    ],
    [
      'with a secret although none is listed',
      { client_secret: 's' },
      ['private_key_jwt'],
      { authMethod: 'client_secret_basic' },
    ],
    [
      'that says how it proves itself',
      { client_secret: 's', token_endpoint_auth_method: 'client_secret_post' },
      undefined,
      { authMethod: 'client_secret_post' },
    ],
  ])('a client %s', async (_, body, methods, expected) => {
    const { client } = await registered(answer(201, { client_id: 'c', ...body }), {
      token_endpoint_auth_methods_supported: methods,
    })
    expect(await client).toMatchObject({ clientId: 'c', redirectUris: [REDIRECT], ...expected })
  })

  test.each([
    [['client_secret_post', 'none'], 'none'],
    [['client_secret_post'], 'client_secret_post'],
    [['private_key_jwt'], 'none'],
  ])('a server that takes %j is asked for a client with %s', async (methods, expected) => {
    const { sent } = await registered(answer(201, { client_id: 'c' }), {
      token_endpoint_auth_methods_supported: methods,
    })
    expect(sent).toMatchObject({
      redirect_uris: [REDIRECT],
      token_endpoint_auth_method: expected,
    })
  })
})

test.each<[string, Response, string, RegExp]>([
  ['is away', answer(503, {}), 'unreachable', /answered 503 to our registration\.$/],
  ['is busy', answer(429, { message: 'later' }), 'unreachable', /answered 429 .*: later\.$/],
  [
    'does not want it',
    answer(403, { error: 'access_denied', error_description: 'ask us' }),
    'refused',
    /refuses to register this client \(403\): access_denied, ask us\.$/,
  ],
  ['says only why', answer(400, { message: 'not you' }), 'refused', /\(400\): not you\.$/],
  ['says nothing', new Response('', { status: 400 }), 'refused', /\(400\)\.$/],
  [
    'does not take the redirect URI',
    answer(400, { error: 'invalid_redirect_uri' }),
    'redirect',
    /invalid_redirect_uri/,
  ],
  [
    'writes the redirect URI in another way',
    answer(201, { client_id: 'c', redirect_uris: ['http://localhost/'] }),
    'redirect',
    /registered http:\/\/localhost\/ instead of/,
  ],
  ['gives no client', answer(201, { client_id: '' }), 'refused', /without a client/],
])('RFC 7591: a server that %s', async (_, response, kind, message) => {
  const { client } = await registered(response)
  await expect(client).rejects.toMatchObject({ kind, message: expect.stringMatching(message) })
})
