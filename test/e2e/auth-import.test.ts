import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { visit } from '../auth/browser-stub.ts'
import { homeFolder } from '../auth/home.ts'
import { finish, printedLink, signedIn, startHost } from '../auth/host.ts'
import { startWorld, type World } from '../auth/world.ts'
import { initialize } from '../support/bridge.ts'

/** Writes a store as mcp-remote does; returns the folder that it would be told about. */
function mcpRemoteStore(
  url: string,
  files: Record<string, unknown>,
  version = 'mcp-remote-v1',
): string {
  const root = homeFolder()
  mkdirSync(join(root, version), { recursive: true })
  const name = createHash('md5').update(url).digest('hex')
  for (const [file, content] of Object.entries(files)) {
    writeFileSync(join(root, version, `${name}_${file}`), JSON.stringify(content))
  }
  return root
}

/** Signs in once, as mcp-remote would have done; returns what the token endpoint gave. */
async function tokensOf(
  world: World,
): Promise<{ access: string; refresh: string; redirect: string }> {
  const home = homeFolder()
  await finish(await signedIn(world, { home }))
  const folder = join(home, 'data', 'credentials')
  const text = readFileSync(join(folder, readdirSync(folder)[0]!), 'utf8')
  const of = (name: string): string => new RegExp(`"${name}":"([^"]+)"`).exec(text)![1]!
  const [redirect] = world.authority.registrations[0]!['redirect_uris'] as string[]
  return { access: of('accessToken'), refresh: of('refreshToken'), redirect: redirect! }
}

test.each(['mcp-remote-v1', 'mcp-remote-0.1.38'])(
  'Tokens in %s are adopted: no sign-in, said on stderr, nothing changed there',
  async (version) => {
    const world = await startWorld()
    const { access, refresh, redirect } = await tokensOf(world)
    const files = {
      'tokens.json': {
        access_token: access,
        token_type: 'Bearer',
        refresh_token: refresh,
        expires_at: Date.now() + 3_600_000,
      },
      'client_info.json': { client_id: 'client-1', redirect_uris: [redirect] },
    }
    const root = mcpRemoteStore(world.mcp.url, files, version)
    const before = readdirSync(join(root, version)).map((name) =>
      readFileSync(join(root, version, name), 'utf8'),
    )
    const host = startHost(world.mcp.url, { env: { MCP_REMOTE_CONFIG_DIR: root } })
    host.write(initialize(0))
    expect(await host.answer(0)).toHaveProperty('result')
    expect(host.browser.calls()).toEqual([])
    expect(host.stderr()).toContain('mcp-remote')
    expect(host.stderr()).not.toContain(access)
    const after = readdirSync(join(root, version)).map((name) =>
      readFileSync(join(root, version, name), 'utf8'),
    )
    expect(after).toEqual(before)
    expect(world.authority.registrations).toHaveLength(1)
  },
)

test('Tokens without a known end are renewed at once, with the client they belong to', async () => {
  const world = await startWorld()
  const { refresh, redirect } = await tokensOf(world)
  world.authority.expireAccess()
  const root = mcpRemoteStore(world.mcp.url, {
    'tokens.json': { access_token: 'old', refresh_token: refresh, expires_at: null },
    'client_info.json': { client_id: 'client-1', redirect_uris: [redirect] },
  })
  const host = startHost(world.mcp.url, { env: { MCP_REMOTE_CONFIG_DIR: root } })
  host.write(initialize(0))
  expect(await host.answer(0)).toHaveProperty('result')
  expect(host.browser.calls()).toEqual([])
  expect(world.calls().map(({ token }) => token)).not.toContain('old')
})

test('A registration alone saves the registration, not the sign-in', async () => {
  const world = await startWorld()
  const { redirect } = await tokensOf(world)
  const root = mcpRemoteStore(world.mcp.url, {
    'client_info.json': { client_id: 'client-1', redirect_uris: [redirect] },
  })
  const host = startHost(world.mcp.url, { env: { MCP_REMOTE_CONFIG_DIR: root } })
  host.write(initialize(0))
  await visit(await printedLink(host))
  expect(await host.answer(0)).toHaveProperty('result')
  expect(world.authority.registrations).toHaveLength(1)
})

test('A-49: tokens of another issuer than the server’s are left where they are', async () => {
  const world = await startWorld()
  const root = mcpRemoteStore(world.mcp.url, {
    'tokens.json': {
      access_token: 'foreign',
      refresh_token: 'foreign',
      issuer: 'https://x.example',
    },
    'client_info.json': { client_id: 'foreign', redirect_uris: [], issuer: 'https://x.example' },
  })
  const host = startHost(world.mcp.url, { env: { MCP_REMOTE_CONFIG_DIR: root } })
  host.write(initialize(0))
  await visit(await printedLink(host))
  expect(await host.answer(0)).toHaveProperty('result')
  expect(world.calls().map(({ token }) => token)).not.toContain('foreign')
  const sent = world.authority.server.seen.map(({ body }) => body.toString('utf8')).join()
  expect(sent).not.toContain('foreign')
})

test('A store that is damaged is as good as none', async () => {
  const world = await startWorld()
  const root = mcpRemoteStore(world.mcp.url, { 'tokens.json': 'x', 'client_info.json': [1] })
  const host = startHost(world.mcp.url, { env: { MCP_REMOTE_CONFIG_DIR: root } })
  host.write(initialize(0))
  await visit(await printedLink(host))
  expect(await host.answer(0)).toHaveProperty('result')
})
