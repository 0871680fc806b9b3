import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startAuthority } from '../auth/authority.ts'
import { visit } from '../auth/browser-stub.ts'
import { homeFolder, stored } from '../auth/home.ts'
import { finish, printedLink, request, signedIn, startHost } from '../auth/host.ts'
import { startProtected } from '../auth/protected.ts'
import { startWorld } from '../auth/world.ts'
import { initialize } from '../support/bridge.ts'
import { json, type Seen } from '../support/http-server.ts'

/** A preload that writes down which files of the package were loaded, at the end of the process. */
const WITNESS = `
process.on('exit', () => {
  const names = Object.keys(require.cache).filter((name) => name.includes('mcp-bridge'))
  require('node:fs').writeFileSync(process.env.WITNESS_FILE, JSON.stringify(names))
})
`

async function loadedFiles(url: string, home: string): Promise<string[]> {
  const folder = homeFolder()
  writeFileSync(join(folder, 'witness.cjs'), WITNESS)
  const host = startHost(url, {
    home,
    nodeArgs: ['--require', join(folder, 'witness.cjs')],
    env: { WITNESS_FILE: join(folder, 'loaded') },
  })
  host.write(initialize(0))
  expect(await host.answer(0)).toHaveProperty('result')
  await finish(host)
  return JSON.parse(readFileSync(join(folder, 'loaded'), 'utf8')) as string[]
}

const oauth = (files: readonly string[]): string[] =>
  files.filter((file) => readFileSync(file, 'utf8').includes('code_verifier'))

test('OAuth code is not loaded where nothing is to be done', async () => {
  const world = await startWorld()
  const home = homeFolder()
  await finish(await signedIn(world, { home }))
  const valid = await loadedFiles(world.mcp.url, home)
  expect(valid.length).toBeGreaterThan(1)
  expect(oauth(valid)).toEqual([])
  const open = await startProtected({ judge: () => 'accept' })
  expect(oauth(await loadedFiles(open.url, homeFolder()))).toEqual([])
  // The witness sees it when there is something to do.
  world.authority.expireAccess()
  expect(oauth(await loadedFiles(world.mcp.url, home))).not.toEqual([])
})

test('A-30, A-33: a server of 2025-03-26 with metadata at its origin', async () => {
  const authority = await startAuthority()
  const mcp = await startOwnAuthority(authority, true)
  const host = startHost(mcp.url)
  host.write(initialize(0))
  await visit(await printedLink(host))
  expect(await host.answer(0)).toHaveProperty('result')
  expect(authority.authorizations[0]!.get('resource')).toBe(mcp.url)
})

test('A-31, A-33: one without any metadata: default endpoints, S256, and an iss that nothing is known of', async () => {
  const authority = await startAuthority({
    authorize: (answer) => answer.append('iss', 'https://whatever.example'),
  })
  const mcp = await startOwnAuthority(authority, false)
  const home = homeFolder()
  const host = startHost(mcp.url, { home })
  host.write(initialize(0))
  const link = await printedLink(host)
  expect(link).toContain(`${mcp.origin}/authorize?`)
  await visit(link)
  expect(await host.answer(0)).toHaveProperty('result')
  expect(authority.authorizations[0]!.get('code_challenge_method')).toBe('S256')
  expect(stored(home)['current']).toBe(mcp.origin)
})

/** An MCP server whose origin is its authorization server: what reaches it is passed on. */
async function startOwnAuthority(
  authority: Awaited<ReturnType<typeof startAuthority>>,
  withMetadata: boolean,
): Promise<{ url: string; origin: string }> {
  const mcp = await startProtected({
    judge: (token) =>
      authority.scopeOf(token) === undefined ? { status: 401, challenge: 'Bearer' } : 'accept',
    async also({ path, method, body, headers }, response) {
      if (path.startsWith('/.well-known/oauth-authorization-server')) {
        const at = (name: string): string => `${mcp.origin}/${name}`
        const metadata = {
          issuer: mcp.origin,
          authorization_endpoint: at('authorize'),
          token_endpoint: at('token'),
          registration_endpoint: at('register'),
          code_challenge_methods_supported: ['S256'],
        }
        json(response, metadata, { status: withMetadata ? 200 : 404 })
        return true
      }
      if (!/^\/(authorize|token|register)/.test(path)) return false
      const type = headers['content-type'] ?? 'text/plain'
      const passed = await fetch(authority.issuer + path, {
        method,
        redirect: 'manual',
        headers: { 'content-type': type },
        body: method === 'GET' ? null : body,
      })
      const location = passed.headers.get('location')
      const answer = {
        'content-type': 'application/json',
        ...(location === null ? {} : { location }),
      }
      response.writeHead(passed.status, answer).end(await passed.text())
      return true
    },
  })
  return mcp
}

const ENTRA = { error: 'invalid_request', error_description: 'AADSTS9010010: resource and scopes' }

test('Entra’s refusal of resource at the token endpoint: once without it, said so, remembered', async () => {
  const world = await startWorld({
    metadata: { scopes_supported: ['api://x/read'] },
    script: {
      token({ form }, response) {
        if (!form.has('resource')) return false
        json(response, ENTRA, { status: 400 })
        return true
      },
    },
  })
  const home = homeFolder()
  const host = await signedIn(world, { home })
  expect(host.stderr()).toContain('resource parameter')
  expect(host.browser.calls()).toHaveLength(1)
  world.authority.expireAccess()
  host.write(request(1))
  expect(await host.answer(1)).toHaveProperty('result')
  const withResource = world.authority.tokenCalls.map(({ form }) => form.has('resource'))
  expect(withResource).toEqual([true, false, false])
  // Without a resource Entra wants the scope again (AADSTS90009).
  expect(world.authority.tokenCalls.at(-1)!.form.get('scope')).toBe('api://x/read')
  await finish(host)
  world.authority.revokeAll()
  const again = startHost(world.mcp.url, { home })
  again.write(initialize(0))
  await visit(await printedLink(again))
  expect(await again.answer(0)).toHaveProperty('result')
  expect(world.authority.authorizations.map((asked) => asked.has('resource'))).toEqual([
    true,
    false,
  ])
})

test('Entra’s refusal of resource on the sign-in page: one more page without it', async () => {
  const world = await startWorld({
    script: {
      authorize: (answer, asked) =>
        asked.has('resource')
          ? new URLSearchParams({ ...ENTRA, state: answer.get('state') ?? '' })
          : undefined,
    },
  })
  const host = startHost(world.mcp.url)
  host.write(initialize(0))
  await visit(await printedLink(host))
  await visit(await printedLink(host, 1))
  expect(await host.answer(0)).toHaveProperty('result')
  expect(world.authority.authorizations.map((asked) => asked.has('resource'))).toEqual([
    true,
    false,
  ])
})

test('A-15: tokens for the second authorization server make it the one that is used', async () => {
  const first = await startWorld()
  const second = await startAuthority()
  const world = await startWorld({
    metadata: { authorization_servers: [second.issuer] },
    script: {},
  })
  world.trust(second)
  const home = homeFolder()
  await finish(await signedIn(world, { home }))
  second.revokeAll()
  world.publish({ authorization_servers: [first.authority.issuer, second.issuer] })
  const again = startHost(world.mcp.url, { home })
  again.write(initialize(0))
  await visit(await printedLink(again))
  expect(await again.answer(0)).toHaveProperty('result')
  expect(first.authority.server.seen).toEqual([])
})

test('A-102: metadata that comes drop by drop ends with an error, not with the patience of the host', async () => {
  const server = await startProtected({
    judge: () => ({ status: 401, challenge: 'Bearer' }),
    metadata: () => undefined,
    also: drip,
  })
  const host = startHost(server.url)
  host.write(initialize(0))
  const { error } = await host.answer(0, 30_000)
  expect(error?.message).toMatch(/did not answer in time/)
})

/** Answers metadata requests with one byte per moment, for ever. */
function drip({ path }: Seen, response: import('node:http').ServerResponse): boolean {
  if (!path.startsWith('/.well-known/oauth-authorization-server')) return false
  response.writeHead(200, { 'content-type': 'application/json' })
  const timer = setInterval(() => response.write(' '), 20)
  response.on('close', () => clearInterval(timer))
  return true
}
