import { expect, test } from 'vitest'
import { visit } from '../auth/browser-stub.ts'
import { editStored, homeFolder } from '../auth/home.ts'
import { finish, printedLink, request, signedIn, startHost } from '../auth/host.ts'
import { startWorld } from '../auth/world.ts'
import { initialize } from '../support/bridge.ts'
import { json } from '../support/http-server.ts'

const refreshes = (world: Awaited<ReturnType<typeof startWorld>>): number =>
  world.authority.tokenCalls.filter(({ form }) => form.get('grant_type') === 'refresh_token').length

test('A start with a valid stored token makes no OAuth request and no extra round trip', async () => {
  const world = await startWorld()
  const home = homeFolder()
  await finish(await signedIn(world, { home }))
  const before = { as: world.authority.server.seen.length, mcp: world.mcp.seen.length }
  const host = startHost(world.mcp.url, { home })
  host.write(initialize(0))
  expect(await host.answer(0)).toHaveProperty('result')
  expect(world.authority.server.seen.length - before.as).toBe(0)
  expect(world.mcp.seen.length - before.mcp).toBe(1)
  expect(host.stderr()).toBe('')
})

test('A-86: a start with an expired token makes one token request, no discovery, no browser', async () => {
  const world = await startWorld()
  const home = homeFolder()
  await finish(await signedIn(world, { home }))
  world.authority.expireAccess()
  editStored(home, (text) => text.replace(/"expiresAt":\d+/, `"expiresAt":${Date.now() - 1000}`))
  const before = { as: world.authority.server.seen.length, mcp: world.mcp.seen.length }
  const host = startHost(world.mcp.url, { home })
  host.write(initialize(0))
  expect(await host.answer(0)).toHaveProperty('result')
  const asked = world.authority.server.seen
    .slice(before.as)
    .map(({ method, path }) => `${method} ${path}`)
  expect(asked).toEqual(['POST /token'])
  expect(world.mcp.seen.length - before.mcp).toBe(1)
  expect(host.browser.calls()).toEqual([])
})

test('A-80: without a refresh token the access token works until the server refuses it', async () => {
  const world = await startWorld({ script: { refreshTokens: false, lifetime: 3600 } })
  const host = await signedIn(world)
  host.write(request(1))
  expect(await host.answer(1)).toHaveProperty('result')
  expect(world.authority.tokenCalls).toHaveLength(1)
})

test('A-82, A-83: a refresh names the resource and no scope; the new refresh token is used next', async () => {
  const world = await startWorld()
  const host = await signedIn(world)
  for (const id of [1, 2]) {
    world.authority.expireAccess()
    host.write(request(id))
    expect(await host.answer(id)).toHaveProperty('result')
  }
  const forms = world.authority.tokenCalls.map(({ form }) => form)
  expect(forms.map((form) => form.get('grant_type'))).toEqual([
    'authorization_code',
    'refresh_token',
    'refresh_token',
  ])
  for (const form of forms.slice(1)) {
    expect(form.get('resource')).toBe(world.mcp.url)
    expect(form.get('client_id')).toBe('client-1')
    expect(form.has('scope')).toBe(false)
  }
  expect(forms[1]!.get('refresh_token')).not.toBe(forms[2]!.get('refresh_token'))
  expect(world.authority.reuses).toEqual([])
})

test('A-83: an answer without a refresh token keeps the old one', async () => {
  const world = await startWorld()
  const home = homeFolder()
  const host = await signedIn(world, { home })
  const presented: string[] = []
  world.authority.script.token = ({ form }, response) => {
    const refreshToken = form.get('refresh_token')
    if (refreshToken === null) return false
    presented.push(refreshToken)
    if (presented.length > 1) return false
    // A token that the server does not take: the bridge asks the person then, and is restarted.
    json(response, { access_token: 'dead', token_type: 'bearer', expires_in: 3600 })
    return true
  }
  world.authority.expireAccess()
  host.write(request(1))
  await printedLink(host, 1)
  await finish(host)
  const again = startHost(world.mcp.url, { home })
  again.write(initialize(0))
  expect(await again.answer(0)).toHaveProperty('result')
  expect(presented[0]).toMatch(/^refresh-1/)
  expect(presented[1]).toBe(presented[0])
})

test('A-84: twenty requests refused at once lead to one refresh', async () => {
  const world = await startWorld()
  const host = await signedIn(world)
  world.authority.expireAccess()
  const ids = Array.from({ length: 20 }, (_, i) => `r${i}`)
  for (const id of ids) host.write(request(id))
  for (const id of ids) expect(await host.answer(id)).toHaveProperty('result')
  expect(refreshes(world)).toBe(1)
  expect(world.authority.reuses).toEqual([])
})

test('A-84: three processes with one dead token lead to one refresh', async () => {
  const world = await startWorld()
  const home = homeFolder()
  const first = await signedIn(world, { home })
  const hosts = [first, startHost(world.mcp.url, { home }), startHost(world.mcp.url, { home })]
  for (const host of hosts) {
    host.write(initialize('warm'))
    expect(await host.answer('warm')).toHaveProperty('result')
  }
  world.authority.expireAccess()
  for (const host of hosts) for (const id of [1, 2, 3]) host.write(request(id))
  for (const host of hosts)
    for (const id of [1, 2, 3]) expect(await host.answer(id)).toHaveProperty('result')
  expect(refreshes(world)).toBe(1)
  expect(world.authority.reuses).toEqual([])
})

test.each([
  ['503', 503, 'application/json', '{"error":"temporarily_unavailable"}'],
  ['502 with a page', 502, 'text/html', '<html>Bad gateway</html>'],
  ['200 with a page', 200, 'text/html', '<html>Maintenance</html>'],
  ['429', 429, 'application/json', '{}'],
])(
  'A-85: %s at the token endpoint is asked again, and opens no browser',
  async (_, status, type, body) => {
    const world = await startWorld()
    const host = await signedIn(world)
    let tries = 0
    world.authority.script.token = (_call, response) => {
      tries++
      if (tries > 2) return false
      response.writeHead(status, { 'content-type': type }).end(body)
      return true
    }
    world.authority.expireAccess()
    host.write(request(1))
    expect(await host.answer(1)).toHaveProperty('result')
    expect(tries).toBe(3)
    expect(host.browser.calls()).toHaveLength(1) // the sign-in at the beginning
  },
)

test('A-85: a token endpoint that stays away fails the request, not the sign-in', async () => {
  const world = await startWorld()
  const host = await signedIn(world)
  world.authority.script.token = (_call, response) => {
    response.writeHead(503).end()
    return true
  }
  world.authority.expireAccess()
  host.write(request(1))
  const { error } = await host.answer(1)
  expect(error).toMatchObject({ data: { phase: 'authorization' } })
  expect(host.browser.calls()).toHaveLength(1)
  delete world.authority.script.token
  host.write(request(2))
  expect(await host.answer(2)).toHaveProperty('result')
})

test('A-85: invalid_grant drops the tokens, keeps the client and asks the person', async () => {
  const world = await startWorld()
  const host = await signedIn(world)
  world.authority.revokeAll()
  host.write(request(1))
  await visit(await printedLink(host, 1))
  expect(await host.answer(1)).toHaveProperty('result')
  expect(world.authority.registrations).toHaveLength(1)
})

test('A-85: invalid_client drops the client too and registers anew', async () => {
  const world = await startWorld()
  const host = await signedIn(world)
  world.authority.expireAccess()
  world.authority.forgetClients()
  host.write(request(1))
  await visit(await printedLink(host, 1))
  expect(await host.answer(1)).toHaveProperty('result')
  expect(world.authority.registrations).toHaveLength(2)
})

test('A-85: an expired token and an authorization server that is away: an error, no browser, no request', async () => {
  const world = await startWorld()
  const home = homeFolder()
  await finish(await signedIn(world, { home }))
  editStored(home, (text) => text.replace(/"expiresAt":\d+/, `"expiresAt":${Date.now() - 1000}`))
  world.authority.script.token = (_call, response) => {
    response.writeHead(503, { 'retry-after': '120' }).end()
    return true
  }
  const before = world.calls().length
  const host = startHost(world.mcp.url, { home })
  host.write(initialize(0))
  const { error } = await host.answer(0)
  expect(error?.data).toMatchObject({ phase: 'authorization', retryAfterMs: 120_000 })
  expect(world.calls().length).toBe(before)
  expect(host.browser.calls()).toEqual([])
})

test('A-86: a token that still lives is used when its renewal fails', async () => {
  const world = await startWorld()
  const home = homeFolder()
  await finish(await signedIn(world, { home }))
  // Half a minute is left of an hour.
  const [obtained, expires] = [Date.now() - 3_570_000, Date.now() + 30_000]
  editStored(home, (text) =>
    text
      .replace(/"obtainedAt":\d+/, `"obtainedAt":${obtained}`)
      .replace(/"expiresAt":\d+/, `"expiresAt":${expires}`),
  )
  world.authority.script.token = (_call, response) => {
    response.writeHead(503, { 'retry-after': '120' }).end()
    return true
  }
  const host = startHost(world.mcp.url, { home })
  host.write(initialize(0))
  expect(await host.answer(0)).toHaveProperty('result')
  expect(refreshes(world)).toBe(1)
  // It is not asked about at every request from now on.
  host.write(request(1))
  expect(await host.answer(1)).toHaveProperty('result')
  expect(refreshes(world)).toBe(1)
})
