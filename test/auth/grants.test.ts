import { describe, expect, test } from 'vitest'
import type { Discovery } from '../../src/auth/discover.ts'
import { requireCodeFlow } from '../../src/auth/grants/authorization-code.ts'
import { asClient } from '../../src/auth/grants/client-credentials.ts'
import { beginDeviceFlow } from '../../src/auth/grants/device-code.ts'
import { byAssertion } from '../../src/auth/grants/jwt-bearer.ts'
import { exchangeIdToken } from '../../src/auth/grants/token-exchange.ts'
import { asWorkload } from '../../src/auth/grants/workload.ts'
import type { AuthContext } from '../../src/auth/context.ts'
import type { Asked } from '../../src/auth/request.ts'
import { authContext, authOptions, serverMetadata } from './context.ts'

const metadata = serverMetadata({ device_authorization_endpoint: 'https://as.example/device' })
const discovery: Discovery = {
  issuer: metadata.issuer,
  metadata,
  published: true,
  resource: undefined,
}
const own = { clientId: 'c', clientSecret: undefined, key: undefined, authMethod: undefined }
const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag'

/** A context whose authorization server answers so, and the forms that it was sent. */
function asking(
  answer: () => Response,
  more: Partial<AuthContext> = {},
): { context: AuthContext; forms: URLSearchParams[] } {
  const forms: URLSearchParams[] = []
  const context = authContext(
    (_url, init) => {
      forms.push(new URLSearchParams(String(init?.body)))
      return Promise.resolve(answer())
    },
    { options: authOptions({ client: own }), ...more },
  )
  return { context, forms }
}

const token = (): Response =>
  Response.json({ access_token: 'a', token_type: 'Bearer', issued_token_type: ID_JAG })
const code = (): Response =>
  Response.json({
    device_code: 'd',
    user_code: 'u',
    verification_uri: 'https://as.example/activate',
    expires_in: 60,
  })

const GRANTS: [string, () => Response, (context: AuthContext, asked: Asked) => Promise<unknown>][] =
  [
    ['client credentials', token, (context, asked) => asClient(context, discovery, asked)],
    [
      'a device code',
      code,
      (context, asked) =>
        beginDeviceFlow(
          context,
          metadata,
          { clientId: 'c', authMethod: 'none', redirectUris: [] },
          asked,
        ),
    ],
    [
      'an assertion',
      token,
      (context, asked) => byAssertion(context, discovery, asked, 'x', 'workload'),
    ],
    [
      'an ID token',
      token,
      (context, asked) => exchangeIdToken(context, discovery, 'i', 'https://b.example', asked),
    ],
  ]

describe.each(GRANTS)('what is asked for with %s', (_, answer, ask) => {
  test.each<[string, Asked]>([
    ['scope and resource', { scope: 'a b', resource: 'https://h.example/mcp' }],
    ['neither', { scope: undefined, resource: undefined }],
  ])('%s', async (_name, { scope = null, resource = null }) => {
    const { context, forms } = asking(answer)
    await ask(context, { scope: scope ?? undefined, resource: resource ?? undefined })
    expect(forms).toHaveLength(1)
    expect([forms[0]!.get('scope'), forms[0]!.get('resource')]).toEqual([scope, resource])
  })
})

test.each([
  ['nothing', null],
  ['no text', { access_token: 1, issued_token_type: ID_JAG }],
  ['an empty one', { access_token: '', issued_token_type: ID_JAG }],
  ['a token of another kind', { access_token: 'a', issued_token_type: 'x' }],
])('an identity provider that answers %s gives no assertion', async (_, body) => {
  const { context } = asking(() => Response.json(body))
  const asked = { scope: undefined, resource: undefined }
  await expect(
    exchangeIdToken(context, discovery, 'i', 'https://b.example', asked),
  ).rejects.toThrow('https://as.example gave no identity assertion for https://b.example.')
})

test('an authorization server without a page is no place to sign in at', () => {
  const { context } = asking(token)
  const without = serverMetadata({ authorization_endpoint: undefined })
  expect(() => requireCodeFlow(context, { ...discovery, metadata: without })).toThrow(
    'https://as.example has no page to sign in on.',
  )
})

describe('A-116: a workload', () => {
  const asked = { scope: undefined, resource: undefined }
  const source = { kind: 'variable', name: 'T' } as const
  const work = ({ context }: { context: AuthContext }): Promise<unknown> =>
    asWorkload(context, source, discovery, asked)

  test('has to be known there', async () => {
    const world = asking(token, { env: { T: 'platform' }, options: authOptions() })
    await expect(work(world)).rejects.toThrow('https://as.example needs to know the client.')
    expect(world.forms).toEqual([])
  })

  test('that is refused does not show the same token again', async () => {
    const refuse = (): Response => Response.json({ error: 'invalid_grant' }, { status: 400 })
    const world = asking(refuse, { env: { T: 'platform' } })
    for (let i = 0; i < 2; i++) {
      await expect(work(world)).rejects.toThrow(/^The workload is refused: /)
    }
    expect(world.forms).toHaveLength(1)
  })

  test('whose server is away was not refused', async () => {
    // Longer than a request waits: it is said at once.
    const headers = { 'retry-after': '60' }
    const away = (): Response => new Response('', { status: 503, headers })
    const world = asking(away, { env: { T: 'platform' } })
    for (let i = 0; i < 2; i++) {
      await expect(work(world)).rejects.toMatchObject({ kind: 'unreachable', retryAfterMs: 60_000 })
    }
    expect(world.forms).toHaveLength(2)
  })
})
