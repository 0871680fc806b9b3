import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { visit } from '../auth/browser-stub.ts'
import { credentialsFolder, homeFolder, storedFile } from '../auth/home.ts'
import { finish, printedLink, request, signedIn, startHost } from '../auth/host.ts'
import { startProtected } from '../auth/protected.ts'
import { startWorld } from '../auth/world.ts'
import { initialize } from '../support/bridge.ts'
import { startServer } from '../support/http-server.ts'
import { startMcpServer } from '../support/mcp-server.ts'
import { until } from '../support/until.ts'

test('A-01: a server that never answers 401 sees no request but the host’s', async () => {
  const server = await startMcpServer()
  const host = startHost(server.url)
  host.write(initialize(0))
  expect(await host.answer(0)).toHaveProperty('result')
  host.write(request(1))
  await host.answer(1)
  expect(server.seen.map(({ path }) => path)).toEqual(['/mcp', '/mcp'])
  expect(host.stderr()).toBe('')
})

test('A-05: a server that refuses every token sees three tries per request, and is then left alone', async () => {
  const world = await startWorld({ judge: () => ({ status: 401, challenge: 'Bearer' }) })
  const host = startHost(world.mcp.url)
  host.write(initialize(0))
  await visit(await printedLink(host))
  expect((await host.answer(0)).error?.message).toMatch(/refuses a token that was made for it/)
  expect(world.calls()).toHaveLength(2) // without a token, then with the fresh one
  host.write(request(1))
  expect(await host.answer(1)).toHaveProperty('error')
  expect(world.calls()).toHaveLength(3)
  expect(world.authority.authorizations).toHaveLength(1)
})

test('A-05: a refreshed token that is refused as well leads to one sign-in, then to an error', async () => {
  let refuse = false
  const world = await startWorld({
    judge: () => (refuse ? { status: 401, challenge: 'Bearer' } : undefined),
  })
  const host = await signedIn(world)
  const before = world.calls().length
  refuse = true
  host.write(request(1))
  await visit(await printedLink(host, 1))
  expect(await host.answer(1)).toHaveProperty('error')
  expect(world.calls().length - before).toBe(3)
})

test('A-73: every request to the server carries the token, and no URL does', async () => {
  const world = await startWorld()
  const host = await signedIn(world)
  host.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
  host.write(request(1))
  await host.answer(1)
  await until('the GET stream', () => world.mcp.seen.some(({ method }) => method === 'GET'))
  await finish(host)
  const [refused, ...rest] = world.mcp.seen.filter(({ path }) => path.startsWith('/mcp'))
  expect(refused!.headers.authorization).toBeUndefined()
  expect(rest.length).toBeGreaterThanOrEqual(4)
  for (const { headers, path } of rest) {
    expect(headers.authorization).toMatch(/^Bearer access-/)
    expect(path).toBe('/mcp')
  }
})

test('A-74: a redirect to another origin gets neither token nor request', async () => {
  const other = await startServer((_, response) => void response.end('{}'))
  const world = await startWorld()
  const home = homeFolder()
  await finish(await signedIn(world, { home }))
  await world.mcp.close()
  const { port } = new URL(world.mcp.url)
  const moved = await startServer(
    (_, response) => void response.writeHead(307, { location: other.url }).end(),
    { port: Number(port) },
  )
  const host = startHost(moved.url, { home })
  host.write(initialize(0))
  expect((await host.answer(0)).error?.message).toContain('redirects to')
  expect(moved.seen[0]!.headers.authorization).toMatch(/^Bearer /)
  expect(other.seen).toEqual([])
})

test('A-74: the authorization server sees neither token nor the user’s headers', async () => {
  const world = await startWorld()
  await signedIn(world, { args: ['--header', 'X-Api-Key: sentinel'] })
  for (const { headers, path } of world.authority.server.seen) {
    expect(path + JSON.stringify(headers)).not.toMatch(/sentinel|Bearer/)
  }
  const metadata = world.mcp.seen.filter(({ path }) => path.startsWith('/.well-known'))
  expect(metadata.length).toBeGreaterThan(0)
  for (const { headers } of metadata) expect(JSON.stringify(headers)).not.toMatch(/sentinel|Bearer/)
})

test('A-77: with a header of the user’s own a 401 is an error, not a sign-in', async () => {
  const world = await startWorld()
  const host = startHost(world.mcp.url, { args: ['--header', 'Authorization: Bearer mine'] })
  host.write(initialize(0))
  const { error } = await host.answer(0)
  expect(error?.data).toMatchObject({ httpStatus: 401, phase: 'authorization' })
  expect(world.calls()).toEqual([{ method: 'initialize', token: 'mine' }])
  expect(world.authority.server.seen).toEqual([])
  expect(world.mcp.seen).toHaveLength(1)
})

test('A-75: files are 0600 in a 0700 folder, whatever the umask is', async () => {
  const before = process.umask(0)
  try {
    const world = await startWorld()
    const home = homeFolder()
    await finish(await signedIn(world, { home }))
    expect(statSync(credentialsFolder(home)).mode & 0o777).toBe(0o700)
    expect(statSync(storedFile(home)).mode & 0o777).toBe(0o600)
    expect(readdirSync(credentialsFolder(home)).filter((name) => !name.endsWith('.json'))).toEqual(
      [],
    )
  } finally {
    process.umask(before)
  }
})

test('A-75: no secret on stdout, stderr or the command line of the browser', async () => {
  const world = await startWorld({ judge: () => ({ status: 401, challenge: 'Bearer' }) })
  const home = homeFolder()
  const args = ['--client-id', 'me', '--client-secret-env', 'MY_SECRET']
  const host = startHost(world.mcp.url, { home, args, env: { MY_SECRET: 'sentinel-secret' } })
  host.write(initialize(0))
  await visit(await printedLink(host))
  await host.answer(0)
  const argv = readFileSync(join('/proc', String(host.child.pid), 'cmdline'), 'utf8')
  await finish(host)
  const text = readFileSync(storedFile(home), 'utf8')
  const secrets = ['sentinel-secret', ...text.matchAll(/(access|refresh)-[^"]+/g)].map(String)
  const { form } = world.authority.tokenCalls[0]!
  secrets.push(form.get('code')!, form.get('code_verifier')!)
  expect(secrets.length).toBeGreaterThanOrEqual(5)
  const places = [
    host.stderr(),
    Buffer.concat(host.lines).toString(),
    argv,
    String(host.browser.calls()),
  ]
  for (const place of places) for (const secret of secrets) expect(place).not.toContain(secret)
  expect(text).not.toContain('sentinel-secret')
})

test('A-100, A-101: a challenge that points to a private address over http is not followed', async () => {
  const server = await startProtected({
    judge: () => ({ status: 401, challenge: 'Bearer resource_metadata="http://10.255.255.1/x"' }),
  })
  const host = startHost(server.url)
  host.write(initialize(0))
  expect((await host.answer(0)).error?.message).toMatch(/10\.255\.255\.1 is not https/)
  expect(server.seen).toHaveLength(1)
})

test('A background stream that is refused waits for a sign-in that somebody asked for', async () => {
  const world = await startWorld({ streams: true })
  const host = await signedIn(world)
  const streams = (): number[] =>
    world.mcp.seen.flatMap(({ method, path, headers }) =>
      method === 'GET' && path === '/mcp' ? [headers.authorization?.length ?? 0] : [],
    )
  host.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
  await until('the stream', () => streams().length === 1)
  world.authority.revokeAll()
  world.cutStreams()
  // It is opened again, refused, and no refresh helps: then it is silent.
  await until('the refusal of the stream', () => streams().length === 2)
  await until('the refresh', () => world.authority.tokenCalls.length === 2)
  host.write({ jsonrpc: '2.0', id: 1, method: 'ping' })
  const link = await printedLink(host, 1)
  expect(world.authority.authorizations).toHaveLength(1)
  await visit(link)
  expect(await host.answer(1)).toHaveProperty('result')
  await until('the stream with the new token', () => streams().length === 3)
  expect(world.authority.authorizations).toHaveLength(2)
})

test('The host that closes stdin in the middle of a sign-in ends the process and the listener', async () => {
  const world = await startWorld()
  const host = startHost(world.mcp.url)
  host.write(initialize(0))
  const redirect = new URL(await printedLink(host)).searchParams.get('redirect_uri')!
  await finish(host)
  await expect(fetch(redirect)).rejects.toThrow('fetch failed')
})

test('A-95: client credentials are not stepped up: the refusal is the answer', async () => {
  const world = await startWorld({
    judge: ({ message }) =>
      message?.method === 'tools/call'
        ? { status: 403, challenge: 'Bearer error="insufficient_scope", scope="more"' }
        : undefined,
  })
  const args = ['--client-credentials', '--client-id', 'me', '--client-secret-env', 'MY_SECRET']
  const host = startHost(world.mcp.url, {
    args: [...args, '--issuer', world.authority.issuer],
    env: { MY_SECRET: 's' },
  })
  host.write(initialize(0))
  expect(await host.answer(0)).toHaveProperty('result')
  host.write(request(1, 'tools/call', { name: 'x' }))
  expect((await host.answer(1)).error?.data?.['httpStatus']).toBe(403)
  expect(world.authority.tokenCalls).toHaveLength(1)
  expect(host.browser.calls()).toEqual([])
})

test('A-106: the session id of a server is not written anywhere', async () => {
  const world = await startWorld({ session: { 'mcp-session-id': 'sentinel-session' } })
  const home = homeFolder()
  const host = await signedIn(world, { home })
  host.write(request(1))
  await host.answer(1)
  expect(world.mcp.seen.at(-1)!.headers['mcp-session-id']).toBe('sentinel-session')
  await finish(host)
  expect(host.stderr()).not.toContain('sentinel-session')
  for (const entry of readdirSync(home, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const text = readFileSync(join(entry.parentPath, entry.name), 'utf8')
    expect(text).not.toContain('sentinel-session')
  }
})
