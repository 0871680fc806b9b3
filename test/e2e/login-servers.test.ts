import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { homeFolder } from '../auth/home.ts'
import { printedLink, signedIn } from '../auth/host.ts'
import { visit } from '../auth/browser-stub.ts'
import { startWorld } from '../auth/world.ts'
import { initialize, startBridge } from '../support/bridge.ts'
import { initializeResult, json, startServer, type TestServer } from '../support/http-server.ts'
import { startLogin } from '../support/login.ts'

test('a server without a sign-in: says so, exit 0, stores nothing', async () => {
  const server = await startServer(({ method, message }, response) => {
    if (method === 'POST') {
      json(response, initializeResult(message?.id), { headers: { 'mcp-session-id': 's-1' } })
    } else response.writeHead(204).end()
  })
  const login = startLogin(server.url)
  expect(await login.exit()).toBe(0)
  expect(login.stderr()).toMatch(/^\S+ asks for no sign-in: there is nothing to do\.\n$/)
  expect(existsSync(join(login.home, 'data'))).toBe(false)
  expect(server.seen.map(({ method }) => method)).toEqual(['POST', 'DELETE'])
  expect(server.seen[1]!.headers['mcp-session-id']).toBe('s-1')
})

test('nobody listens: exit 3', async () => {
  const login = startLogin('http://127.0.0.1:9/mcp')
  expect(await login.exit()).toBe(3)
  expect(login.stderr()).toMatch(/^bridge: No connection to http:\/\/127\.0\.0\.1:9: /)
})

test('the authorization server is down: exit 3', async () => {
  const world = await startWorld()
  await world.authority.server.close()
  const login = startLogin(world.mcp.url)
  expect(await login.exit()).toBe(3)
})

test.each([404, 500])('HTTP %i: exit 6', async (status) => {
  const server = await startServer((_, response) => void response.writeHead(status).end())
  const login = startLogin(server.url)
  expect(await login.exit()).toBe(6)
  expect(login.stderr()).toContain(`(HTTP ${status})`)
})

test('a header that the user supplies takes the place of a sign-in: exit 2', async () => {
  const login = startLogin('http://127.0.0.1:9/mcp', {
    args: ['--header', 'Authorization: Bearer x'],
  })
  expect(await login.exit()).toBe(2)
  expect(login.stderr()).toContain('You supply an Authorization header')
})

test('an HTTP+SSE server whose sign-in is asked for only by GET', async () => {
  const world = await startWorld()
  const server: TestServer = await startServer((request, response) => {
    if (request.path.startsWith('/.well-known/oauth-protected-resource')) {
      json(response, {
        resource: `${server.origin}/sse`,
        authorization_servers: [world.authority.issuer],
      })
    } else if (request.method !== 'GET' || !request.path.startsWith('/sse')) {
      response.writeHead(404).end()
    } else if (world.authority.scopeOf(request.headers.authorization?.slice(7)) === undefined) {
      response.writeHead(401, { 'www-authenticate': 'Bearer' }).end()
    } else {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    }
  })
  const login = startLogin(`${server.origin}/sse`)
  await visit(await login.link())
  expect(await login.exit()).toBe(0)
  expect(login.stderr()).toMatch(/^Signed in to /m)
})

test('tokens that the server refuses at once: exit 5', async () => {
  const world = await startWorld({
    judge: () => ({ status: 401, challenge: 'Bearer error="invalid_token"' }),
  })
  const login = startLogin(world.mcp.url)
  await visit(await login.link())
  expect(await login.exit()).toBe(5)
  expect(login.stderr()).toMatch(/refuses a token that was made for it a moment ago/)
})

test('a sign-in that cannot be kept: exit 7', async () => {
  const world = await startWorld()
  const home = homeFolder()
  writeFileSync(join(home, 'data'), 'in the way')
  const login = startLogin(world.mcp.url, { home })
  await visit(await login.link())
  expect(await login.exit()).toBe(7)
  expect(login.stderr()).toMatch(/cannot be kept for the next start/)
})

test('--callback-host localhost: the browser comes back to that name', async () => {
  const world = await startWorld()
  const login = startLogin(world.mcp.url, { args: ['--callback-host', 'localhost'] })
  const link = await login.link()
  const redirect = new URL(new URL(link).searchParams.get('redirect_uri')!)
  expect(redirect.hostname).toBe('localhost')
  expect((await visit(link)).status).toBe(200)
  expect(await login.exit()).toBe(0)
})

test('an expired token is renewed without a person', async () => {
  const world = await startWorld()
  const home = homeFolder()
  await signedIn(world, { home })
  world.authority.expireAccess()
  const login = startLogin(world.mcp.url, { home })
  expect(await login.exit()).toBe(0)
  expect(login.stderr()).toMatch(/^Signed in to \S+\.\n$/)
  expect(world.authority.authorizations).toHaveLength(1)
})

test('another profile signs in apart', async () => {
  const world = await startWorld()
  const home = homeFolder()
  await signedIn(world, { home })
  const login = startLogin(world.mcp.url, { home, args: ['--profile', 'work'] })
  await visit(await login.link())
  expect(await login.exit()).toBe(0)
  expect(world.authority.authorizations).toHaveLength(2)
})

test('a relay adopts what a login beside it has stored, when its own page stays unanswered', async () => {
  const world = await startWorld({
    script: {
      metadata: {},
      other(request, response) {
        if (request.path !== '/device') return false
        json(response, {
          device_code: 'd-1',
          user_code: 'WDJB-MJHT',
          verification_uri: `${world.authority.issuer}/code`,
          expires_in: 60,
          interval: 1,
        })
        return true
      },
      token({ form }) {
        if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:device_code') return false
        form.set('grant_type', 'client_credentials') // the scripted server issues a token
        return false
      },
    },
  })
  const home = homeFolder()
  const bridge = startBridge(world.mcp.url, { home, env: { DISPLAY: ':99', BROWSER: 'true' } })
  bridge.write(initialize(0))
  await printedLink(bridge)
  world.authority.script.metadata = {
    device_authorization_endpoint: `${world.authority.issuer}/device`,
  }
  const login = startLogin(world.mcp.url, { home, args: ['--device-code'] })
  await login.says(/enter the code WDJB-MJHT/)
  expect(await login.exit()).toBe(0)
  expect(await bridge.answer(0)).toHaveProperty('result')
  expect(world.calls().at(-1)?.token).toBeDefined()
})
