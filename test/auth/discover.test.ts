import { HttpResponse } from 'msw'
import { describe, expect, test } from 'vitest'
import { discover, type Discovery } from '../../src/auth/discover.ts'
import { edgeHttp, useEdge } from './edge.ts'

const edge = useEdge()

const MCP = 'https://h.example/public/mcp?x=1'
const AS = 'https://as.example'
const WELL_KNOWN = 'https://h.example/.well-known/oauth-protected-resource'

const prm = (more: object = {}) => ({
  resource: 'https://h.example/public/mcp',
  authorization_servers: [AS],
  ...more,
})

const metadata = (issuer = AS, more: object = {}) => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  code_challenge_methods_supported: ['S256'],
  ...more,
})

const AS_DOCUMENT = { [`${AS}/.well-known/oauth-authorization-server`]: metadata() }

const html = (): Response => HttpResponse.html('<!doctype html><title>App</title>')

interface Options {
  readonly url?: string
  readonly hinted?: string
  readonly issuer?: string
  readonly known?: readonly string[]
}

function run({ url = MCP, hinted, issuer, known = [] }: Options = {}): Promise<Discovery> {
  return discover(edgeHttp(url), new URL(url), hinted, { issuer, known })
}

describe('A-10, A-11: protected resource metadata is looked for in order', () => {
  test('A-11: where the challenge says, first', async () => {
    edge.at({ 'https://h.example/meta': prm(), ...AS_DOCUMENT })
    expect((await run({ hinted: 'https://h.example/meta' })).issuer).toBe(AS)
    expect(edge.asked()).toEqual([
      'https://h.example/meta',
      `${AS}/.well-known/oauth-authorization-server`,
    ])
  })

  test('A-11: then below the path of the server, then at the root', async () => {
    edge.at({ [WELL_KNOWN]: prm({ resource: 'https://h.example' }), ...AS_DOCUMENT })
    // A redirect, a refusal and a page are all "not here".
    edge.at({ [`${WELL_KNOWN}/public/mcp?x=1`]: html() })
    const { resource } = await run()
    expect(resource?.resource).toBe('https://h.example')
    expect(edge.asked().slice(0, 2)).toEqual([`${WELL_KNOWN}/public/mcp?x=1`, WELL_KNOWN])
  })

  test('A-11: for a server at the root the two places are one', async () => {
    const root = { resource: 'https://h.example/', authorization_servers: [AS] }
    edge.at({ [WELL_KNOWN]: root, ...AS_DOCUMENT })
    await run({ url: 'https://h.example/' })
    expect(edge.asked()).toHaveLength(2)
  })

  test.each([
    ['404', () => new HttpResponse(null, { status: 404 })],
    ['401', () => new HttpResponse(null, { status: 401 })],
    ['a page', html],
    ['JSON of another kind', () => HttpResponse.json(['x'])],
    ['no JSON', () => HttpResponse.text('{')],
    ['A-13: no authorization_servers', () => HttpResponse.json({ resource: MCP })],
    ['A-13: none in it', () => HttpResponse.json(prm({ authorization_servers: [] }))],
  ])('A-12: %s at one place: the next one is asked', async (_, answer) => {
    edge.at({ [`${WELL_KNOWN}/public/mcp`]: answer(), [WELL_KNOWN]: prm(), ...AS_DOCUMENT })
    expect((await run()).issuer).toBe(AS)
  })

  test.each([
    ['503', () => new HttpResponse(null, { status: 503 })],
    ['429', () => new HttpResponse(null, { status: 429 })],
    ['a network error', () => HttpResponse.error()],
  ])('A-12: %s ends the search', async (_, answer) => {
    edge.at({ [`${WELL_KNOWN}/public/mcp`]: answer(), [WELL_KNOWN]: prm(), ...AS_DOCUMENT })
    await expect(run()).rejects.toMatchObject({ kind: 'unreachable' })
    expect(edge.seen).toHaveLength(1)
  })

  test('A-17, A-32: metadata requests carry the protocol version and no credential', async () => {
    edge.at({ [WELL_KNOWN]: prm(), ...AS_DOCUMENT })
    await run()
    expect(edge.seen.length).toBeGreaterThan(2)
    for (const { headers } of edge.seen) {
      expect(headers.get('mcp-protocol-version')).toMatch(/^\d{4}-\d\d-\d\d$/)
      expect(headers.get('authorization')).toBeNull()
    }
  })
})

describe('A-14: metadata must be that of the server', () => {
  test.each([
    ['https://evil.example/public/mcp'],
    ['http://h.example/public/mcp'],
    ['https://h.example:8443/public/mcp'],
    ['https://h.example/public/mc'],
    ['https://h.example/public/mcp/below'],
    ['https://h.example/public/mcp?x=2'],
    ['h.example'],
  ])('A-14, A-34: %s is refused, and nobody else is asked', async (resource) => {
    edge.at({ [`${WELL_KNOWN}/public/mcp`]: prm({ resource }), ...AS_DOCUMENT })
    await expect(run()).rejects.toMatchObject({ kind: 'refused' })
    expect(edge.seen).toHaveLength(1)
  })

  test.each([
    ['https://h.example'],
    ['https://h.example/'],
    ['https://h.example/public'],
    ['https://h.example/public/'],
    ['https://h.example/public/mcp/'],
    ['https://H.example:443/public/mcp?x=1'],
  ])('A-14, A-55: %s is accepted and kept as it is spelled', async (resource) => {
    edge.at({ [`${WELL_KNOWN}/public/mcp`]: prm({ resource }), ...AS_DOCUMENT })
    expect((await run()).resource?.resource).toBe(resource)
  })
})

describe('A-15: the choice among several authorization servers', () => {
  const other = 'https://two.example/t'
  const both = (): void =>
    edge.at({
      [WELL_KNOWN]: prm({ authorization_servers: [AS, other] }),
      ...AS_DOCUMENT,
      'https://two.example/.well-known/oauth-authorization-server/t': metadata(other),
    })

  test('the first one', async () => {
    both()
    expect((await run()).issuer).toBe(AS)
  })

  test('the one with stored tokens', async () => {
    both()
    expect((await run({ known: ['https://gone.example', other] })).issuer).toBe(other)
  })

  test('the configured one', async () => {
    both()
    expect((await run({ issuer: other, known: [AS] })).issuer).toBe(other)
  })

  test('A-50: a configured one that the server does not name is an error with both names', async () => {
    both()
    const failure = run({ issuer: 'https://third.example' })
    await expect(failure).rejects.toThrow(/third\.example.*as\.example.*two\.example/)
    expect(edge.asked().every((url) => url.startsWith('https://h.example/'))).toBe(true)
  })

  test('A-13: a configured one does without the metadata of the server', async () => {
    edge.at({ 'https://h.example/': 404, ...AS_DOCUMENT })
    expect(await run({ issuer: AS })).toMatchObject({ issuer: AS, resource: undefined })
  })
})

describe('A-20: authorization server metadata is looked for in order', () => {
  const tenant = `${AS}/t1`
  const order = [
    `${AS}/.well-known/oauth-authorization-server/t1`,
    `${AS}/.well-known/openid-configuration/t1`,
    `${AS}/t1/.well-known/openid-configuration`,
  ]

  test.each([0, 1, 2])('A-20: a tenant, found at place %i', async (place) => {
    edge.at({ [WELL_KNOWN]: prm({ authorization_servers: [tenant] }) })
    edge.at({ [order[place]!]: metadata(tenant) })
    expect((await run()).issuer).toBe(tenant)
    expect(edge.asked().slice(2)).toEqual(order.slice(0, place + 1))
  })

  test('A-20: a bare origin has two places', async () => {
    edge.at({ [WELL_KNOWN]: prm(), [`${AS}/.well-known/openid-configuration`]: metadata() })
    expect((await run()).issuer).toBe(AS)
    expect(edge.asked().slice(2)).toEqual([
      `${AS}/.well-known/oauth-authorization-server`,
      `${AS}/.well-known/openid-configuration`,
    ])
  })

  test.each([
    ['a page', html],
    ['a document without endpoints', () => HttpResponse.json({ issuer: AS })],
    ['one without a token endpoint', () => HttpResponse.json({ ...metadata(), token_endpoint: 1 })],
    [
      'one without an authorization endpoint',
      () => HttpResponse.json({ ...metadata(), authorization_endpoint: undefined }),
    ],
  ])('A-23: %s at the first place is not here', async (_, answer) => {
    edge.at({
      [WELL_KNOWN]: prm(),
      [`${AS}/.well-known/oauth-authorization-server`]: answer(),
      [`${AS}/.well-known/openid-configuration`]: metadata(),
    })
    expect((await run()).issuer).toBe(AS)
  })

  test('A-23: optional members of a wrong type are as good as missing', async () => {
    const odd = { scopes_supported: null, registration_endpoint: null, jwks_uri: 7 }
    edge.at({
      [WELL_KNOWN]: prm({ scopes_supported: null }),
      [`${AS}/.well-known/oauth-authorization-server`]: metadata(AS, odd),
    })
    expect((await run()).metadata.registration_endpoint).toBeUndefined()
  })

  test.each([
    [AS, 'https://evil.example'],
    [AS, `${AS}/t1`],
    [AS, 'https://AS.example'],
    [`${AS}/t1`, `${AS}/t1/`],
    [`${AS}/t1`, AS],
  ])('A-21: asked for %s, %s is refused without a look elsewhere', async (asked, found) => {
    edge.at({
      [WELL_KNOWN]: prm({ authorization_servers: [asked] }),
      [`${AS}/.well-known/oauth-authorization-server`]: metadata(found),
      [`${AS}/.well-known/oauth-authorization-server/t1`]: metadata(found),
    })
    await expect(run()).rejects.toMatchObject({ kind: 'refused' })
    expect(edge.asked().slice(2)).toHaveLength(1)
  })

  test.each([
    [`${AS}/`, AS],
    [AS, `${AS}/`],
  ])('A-22, A-24: asked for %s, %s is the same, and its spelling is kept', async (asked, found) => {
    edge.at({
      [WELL_KNOWN]: prm({ authorization_servers: [asked] }),
      [`${AS}/.well-known/oauth-authorization-server`]: { ...metadata(), issuer: found },
    })
    expect((await run()).issuer).toBe(found)
  })

  test('no metadata at the named server is an error, not a guess (A-34)', async () => {
    edge.at({ [WELL_KNOWN]: prm(), [`${AS}/x`]: 404 })
    await expect(run()).rejects.toThrow(/publishes no authorization server metadata/)
  })

  test.each(['registration_endpoint', 'authorization_endpoint', 'device_authorization_endpoint'])(
    'A-70, A-100: an http %s is refused before anything is sent there',
    async (name) => {
      const evil = { [name]: 'http://plain.example/x' }
      edge.at({
        [WELL_KNOWN]: prm(),
        [`${AS}/.well-known/oauth-authorization-server`]: metadata(AS, evil),
      })
      await expect(run()).rejects.toMatchObject({ kind: 'refused' })
    },
  )
})

describe('servers of MCP 2025-03-26', () => {
  test('A-30: metadata at the origin of the server', async () => {
    const origin = 'https://h.example'
    edge.at({ [`${origin}/.well-known/oauth-authorization-server`]: metadata(origin) })
    expect(await run()).toMatchObject({ issuer: origin, published: true, resource: undefined })
  })

  test('A-31: else the default endpoints, after every place has been tried', async () => {
    edge.at({ 'https://h.example/': 404 })
    expect(await run()).toMatchObject({
      issuer: 'https://h.example',
      published: false,
      metadata: {
        authorization_endpoint: 'https://h.example/authorize',
        token_endpoint: 'https://h.example/token',
        registration_endpoint: 'https://h.example/register',
      },
    })
    expect(edge.asked()).toEqual([
      `${WELL_KNOWN}/public/mcp?x=1`,
      WELL_KNOWN,
      'https://h.example/.well-known/oauth-authorization-server',
      'https://h.example/.well-known/openid-configuration',
    ])
  })

  test('A-34: a server whose metadata is of another issuer gets no default endpoints', async () => {
    edge.at({
      'https://h.example/.well-known/oauth-authorization-server': metadata('https://evil.example'),
    })
    await expect(run()).rejects.toMatchObject({ kind: 'refused' })
  })
})
