import { describe, expect, test } from 'vitest'
import { visit } from '../auth/browser-stub.ts'
import { printedLink, startHost } from '../auth/host.ts'
import { startProtected } from '../auth/protected.ts'
import { startWorld } from '../auth/world.ts'
import { type BridgeOptions, initialize, type Message } from '../support/bridge.ts'
import { type Canary, startCanary } from '../support/hostile-canary.ts'
import { watchRoutes } from '../support/hostile-process.ts'
import type { TestServer } from '../support/http-server.ts'

/** The documents of a server that name other places. */
const PLACES = [
  'resource_metadata',
  'authorization_servers',
  'authorization_endpoint',
  'registration_endpoint',
  'token_endpoint',
] as const

/** What those places are; the rest of the server is in order. */
type Named = Partial<Record<(typeof PLACES)[number], string>>

/** Names of the internet of these tests. */
const NAMES = {
  'mcp.example': '198.51.100.1',
  'as.example': '198.51.100.2',
  'intranet.example': '10.0.0.5',
}

interface Place {
  readonly mcp: TestServer
  readonly url: string
}

/** A server that is its own authorization server under `host`, and names other places where the test wants. */
async function startNaming(host: string, named: Named): Promise<Place> {
  const mcp = await startProtected({
    judge: () => ({
      status: 401,
      challenge: `Bearer resource_metadata="${named.resource_metadata ?? `${origin}/.well-known/oauth-protected-resource`}"`,
    }),
    metadata: () => ({
      resource: `${origin}/mcp`,
      authorization_servers: [named.authorization_servers ?? origin],
    }),
    also({ path }, response) {
      const documents: Record<string, unknown> = {
        '/.well-known/oauth-authorization-server': {
          issuer: origin,
          authorization_endpoint: named.authorization_endpoint ?? `${origin}/authorize`,
          registration_endpoint: named.registration_endpoint ?? `${origin}/register`,
          token_endpoint: named.token_endpoint ?? `${origin}/token`,
          code_challenge_methods_supported: ['S256'],
        },
        '/register': { client_id: 'client-1' },
      }
      const document = documents[path]
      if (document === undefined) return false
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(document))
      return true
    },
  })
  const origin = mcp.origin.replace('127.0.0.1', host)
  return { mcp, url: `${origin}/mcp` }
}

/** How a start against it ends; with a browser, whatever page that shows. */
async function start(
  url: string,
  canary: Canary,
  args: readonly string[] = [],
): Promise<{ answer: Message; connections: string[]; tabs: number; stderr: string }> {
  const routes = watchRoutes(NAMES)
  const options: BridgeOptions = { ...routes.options, args: ['--auth-timeout', '2s', ...args] }
  const host = startHost(url, options)
  host.write(initialize(0))
  const answer = await host.answer(0)
  const connections = routes.entries().filter((entry) => entry.endsWith(` ${canary.port}`))
  return { answer, connections, tabs: host.browser.calls().length, stderr: host.stderr() }
}

describe('A-70, A-100: an endpoint over http is refused before the first byte', () => {
  test.each(PLACES)('%s', async (place) => {
    const canary = await startCanary()
    const target = `http://as.example:${canary.port}/x`
    const { url, mcp } = await startNaming('127.0.0.1', { [place]: target })
    const { answer, connections, tabs } = await start(url, canary)
    expect(answer.error?.message).toContain('is not https; nothing was sent there.')
    expect({ connections, tabs, hits: canary.hits() }).toEqual({
      connections: [],
      tabs: 0,
      hits: [],
    })
    // Nor is a client registered for a sign-in that cannot end well.
    expect(mcp.seen.filter(({ path }) => path === '/register')).toEqual([])
  })

  test.each(['resource_metadata', 'authorization_servers', 'registration_endpoint'] as const)(
    '%s: with --allow-http it is asked, which shows that these tests could fail',
    async (place) => {
      const canary = await startCanary()
      const target = `http://as.example:${canary.port}/x`
      const { url } = await startNaming('127.0.0.1', { [place]: target })
      const { connections } = await start(url, canary, ['--allow-http'])
      expect(connections).not.toEqual([])
      expect(canary.hits()).not.toEqual([])
    },
  )
})

describe('A-101: a public server cannot send us to an address of a private network', () => {
  test.each([
    ...PLACES.map((place) => [place, '127.0.0.1'] as const),
    ...[
      'localhost',
      '[::1]',
      '169.254.169.254',
      '[::ffff:169.254.169.254]',
      '10.0.0.5',
      '2130706433',
      'intranet.example',
    ].map((address) => ['authorization_servers', address] as const),
  ])('%s at %s', async (place, address) => {
    const canary = await startCanary()
    const target = `http://${address}:${canary.port}/x`
    const { url } = await startNaming('mcp.example', { [place]: target })
    const { answer, connections, tabs } = await start(url, canary, ['--allow-http'])
    expect(answer.error?.message).toContain('an address of a private network; nothing was sent')
    expect({ connections, tabs, hits: canary.hits() }).toEqual({
      connections: [],
      tabs: 0,
      hits: [],
    })
  })

  test('a name is looked up where the code would be sent, not only where it was read', async () => {
    const canary = await startCanary()
    const target = `http://intranet.example:${canary.port}/token`
    const { url } = await startNaming('mcp.example', { token_endpoint: target })
    const routes = watchRoutes(NAMES)
    const host = startHost(url, { ...routes.options, args: ['--allow-http'] })
    host.write(initialize(0))
    const asked = new URL(await printedLink(host)).searchParams
    const answer = new URLSearchParams({ code: 'code-1', state: asked.get('state')! })
    const page = await visit(`${asked.get('redirect_uri')!}?${answer}`)
    expect(page.text).toContain('The sign-in failed')
    expect((await host.answer(0)).error?.message).toContain('an address of a private network')
    expect(canary.hits()).toEqual([])
  })

  test('--allow-private-network asks it, which shows that these tests could fail', async () => {
    const canary = await startCanary()
    const target = `http://169.254.169.254:${canary.port}/x`
    const { url } = await startNaming('mcp.example', { authorization_servers: target })
    const { connections } = await start(url, canary, ['--allow-http', '--allow-private-network'])
    expect(connections).not.toEqual([])
    expect(canary.hits()).not.toEqual([])
  })

  test('a public server may name another public one', async () => {
    const canary = await startCanary()
    const target = `http://as.example:${canary.port}/x`
    const { url } = await startNaming('mcp.example', { authorization_servers: target })
    const { connections } = await start(url, canary, ['--allow-http'])
    expect(connections.length).toBeGreaterThan(0)
    expect(new Set(connections)).toEqual(new Set([`198.51.100.2 ${canary.port}`]))
  })
})

describe('A-102: nothing is sent after a redirect to another origin', () => {
  test.each([301, 302, 303, 307, 308])('of the token request, with %i', async (status) => {
    const canary = await startCanary()
    const world = await startWorld({
      script: {
        token: (_call, response) => {
          response.writeHead(status, { location: `${canary.origin}/token` }).end()
          return true
        },
      },
    })
    const host = startHost(world.mcp.url)
    host.write(initialize(0))
    const page = await visit(await printedLink(host))
    expect((await host.answer(0)).error?.message).toContain('not followed')
    expect(page.text).toContain('The sign-in failed')
    expect(canary.hits()).toEqual([])
    // The code is spent: it is not sent a second time, not even to the same place.
    expect(world.authority.tokenCalls).toHaveLength(1)
  })
})

describe('A-14, A-21: a server cannot pass for another one', () => {
  test('metadata of another resource: its authorization server is not even asked', async () => {
    const world = await startWorld({ metadata: { resource: 'https://bank.example/mcp' } })
    const host = startHost(world.mcp.url)
    host.write(initialize(0))
    expect((await host.answer(0)).error?.message).toContain('which is not')
    expect(world.authority.server.seen).toEqual([])
    expect(host.browser.calls()).toEqual([])
  })

  test('metadata of another issuer: nobody is registered, asked or shown a page', async () => {
    const world = await startWorld({ script: { metadata: { issuer: 'https://bank.example' } } })
    const host = startHost(world.mcp.url)
    host.write(initialize(0))
    expect((await host.answer(0)).error?.message).toContain('is the metadata of')
    expect(world.authority.server.seen.map(({ method }) => method)).toEqual(['GET'])
    expect(host.browser.calls()).toEqual([])
  })
})
