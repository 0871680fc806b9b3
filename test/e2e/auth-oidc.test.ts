import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { stubBrowser, visit } from '../auth/browser-stub.ts'
import { editStored, homeFolder } from '../auth/home.ts'
import { finish, printedLink, request, startHost } from '../auth/host.ts'
import { type OidcWorld, startOidcWorld } from '../auth/oidc.ts'
import { initialize } from '../support/bridge.ts'
import { until } from '../support/until.ts'

async function signIn(world: OidcWorld, home: string): Promise<void> {
  const host = startHost(world.mcp.url, { home })
  host.write(initialize(0))
  expect((await visit(await printedLink(host))).status).toBe(200)
  expect(await host.answer(0)).toHaveProperty('result')
  await finish(host)
}

test('A-04: a person signs in, and the request that waited gets its answer', async () => {
  const world = await startOidcWorld()
  const browser = stubBrowser()
  const host = startHost(world.mcp.url, { browser })
  host.write(initialize(0))
  const link = await browser.opened()
  expect(await printedLink(host)).toBe(link)
  expect((await visit(link)).status).toBe(200)
  expect(await host.answer(0)).toMatchObject({ result: { protocolVersion: '2025-11-25' } })
  expect(browser.calls()).toEqual([[link]])
  await finish(host)
})

test('A-84: rotation with reuse detection survives three processes that start with one expired token', async () => {
  const world = await startOidcWorld()
  const home = homeFolder()
  await signIn(world, home)
  const reuse: unknown[] = []
  world.provider.on('grant.revoked', () => reuse.push('revoked'))
  for (let round = 0; round < 2; round++) {
    editStored(home, (text) => text.replace(/"expiresAt":\d+/, `"expiresAt":${Date.now() - 1000}`))
    const before = world.asked.length
    const hosts = [0, 1, 2].map(() => startHost(world.mcp.url, { home }))
    for (const host of hosts) host.write(initialize(0))
    for (const host of hosts) expect(await host.answer(0)).toHaveProperty('result')
    expect(world.asked.slice(before)).toEqual(['POST /token'])
    for (const host of hosts) await finish(host)
  }
  expect(reuse).toEqual([])
})

test('A-117: a person enters a code on another device; the code is printed, the link can be opened', async () => {
  const world = await startOidcWorld({ device: true })
  const host = startHost(world.mcp.url, { args: ['--device-code'] })
  host.write(initialize(0))
  const link = await printedLink(host)
  const code = await until('the code', () => /enter the code (\S+)/.exec(host.stderr())?.[1])
  expect(link).toContain(encodeURIComponent(code).replaceAll('%2D', '-'))
  await world.confirmDevice(link)
  expect(await host.answer(0)).toHaveProperty('result')
  host.write(request(1))
  expect(await host.answer(1)).toHaveProperty('result')
  expect(world.asked).not.toContain('GET /auth')
})

test('A-117: without a display the code is what a person gets, where the server offers it', async () => {
  const world = await startOidcWorld({ device: true })
  // macOS and Windows always have a screen, but over SSH nobody sits before it.
  const env = { DISPLAY: '', WAYLAND_DISPLAY: '', SSH_TTY: '/dev/pts/0' }
  const host = startHost(world.mcp.url, { env })
  host.write(initialize(0))
  await until('the code', () => /enter the code (\S+)/.exec(host.stderr())?.[1])
  expect(host.browser.calls()).toEqual([])
})

test('A-117: kill -9 while the code is waited for: the next process goes on with the same code', async () => {
  const world = await startOidcWorld({ device: true })
  const home = homeFolder()
  const first = startHost(world.mcp.url, { home, args: ['--device-code'] })
  first.write(initialize(0))
  const link = await printedLink(first)
  first.child.kill('SIGKILL')
  await first.exit()
  const second = startHost(world.mcp.url, { home, args: ['--device-code'] })
  second.write(initialize(0))
  expect(await printedLink(second)).toBe(link)
  await world.confirmDevice(link)
  expect(await second.answer(0)).toHaveProperty('result')
})

test('A-110: client credentials need no person: one token request per lifetime', async () => {
  const clients = [
    {
      client_id: 'service',
      client_secret: 's3cret/with+signs',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ]
  const world = await startOidcWorld({ clients })
  const home = homeFolder()
  const args = [
    '--client-credentials',
    '--client-id',
    'service',
    '--client-secret-env',
    'MY_SECRET',
  ]
  const env = { MY_SECRET: 's3cret/with+signs' }
  const pinned = [...args, '--issuer', world.issuer, '--scope', 'mcp:read']
  const host = startHost(world.mcp.url, { home, args: pinned, env })
  host.write(initialize(0))
  expect(await host.answer(0)).toHaveProperty('result')
  host.write(request(1))
  await host.answer(1)
  await finish(host)
  expect(world.asked.filter((line) => line === 'POST /token')).toHaveLength(1)
  expect(host.stderr()).toBe('')
  expect(host.browser.calls()).toEqual([])
  // The next start has a token; when it has expired, one request brings another.
  editStored(home, (text) => text.replace(/"expiresAt":\d+/, `"expiresAt":${Date.now() - 1000}`))
  const before = world.asked.length
  const again = startHost(world.mcp.url, { home, args: pinned, env })
  again.write(initialize(0))
  expect(await again.answer(0)).toHaveProperty('result')
  expect(world.asked.slice(before)).toEqual(['POST /token'])
})

test('A-111: a client signs with its private key instead of sending a secret', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'ES256' }
  const clients = [
    {
      client_id: 'signer',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jwk] },
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ]
  for (const format of ['pem', 'jwk'] as const) {
    const world = await startOidcWorld({ clients })
    const file = join(homeFolder(), 'key')
    writeFileSync(
      file,
      format === 'pem'
        ? privateKey.export({ type: 'pkcs8', format })
        : JSON.stringify({ ...privateKey.export({ format }), kid: 'k1' }),
      { mode: 0o600 },
    )
    const args = ['--client-credentials', '--client-id', 'signer', '--client-key-file', file]
    const host = startHost(world.mcp.url, { args: [...args, '--issuer', world.issuer] })
    host.write(initialize(0))
    expect(await host.answer(0)).toHaveProperty('result')
  }
})

test('A-112: without --issuer the user is told who decides', async () => {
  const world = await startOidcWorld()
  const args = ['--client-credentials', '--client-id', 'x', '--client-secret-env', 'MY_SECRET']
  const host = startHost(world.mcp.url, { args, env: { MY_SECRET: 'y' } })
  host.write(initialize(0))
  expect((await host.answer(0)).error?.message).toMatch(/client x is refused|gave no token/)
  expect(host.stderr()).toContain('--issuer')
})
