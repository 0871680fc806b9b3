import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startAuthority } from '../auth/authority.ts'
import { editStored } from '../auth/home.ts'
import { startWorld } from '../auth/world.ts'
import { makeAuthority } from '../support/certificate.ts'
import { initializeResult, json, startServer } from '../support/http-server.ts'
import { startProxy } from '../support/proxy.ts'
import { startSseServer } from '../support/sse-server.ts'
import { emptyFolder, examine } from './examine.ts'
import { keepSignIn } from './sign-ins.ts'

/** A server that does everything right, and what it does otherwise. */
function startMcp(headers: Record<string, string> = {}, tls?: { key: string; cert: string }) {
  return startServer(
    ({ message, method, path }, response) => {
      if (method === 'DELETE') response.writeHead(204).end()
      else if (path !== '/mcp' || method !== 'POST') response.writeHead(404).end()
      else json(response, initializeResult(message?.id), { headers })
    },
    tls === undefined ? {} : { tls },
  )
}

test('nothing is wrong with a server that does everything right, and its session is ended', async () => {
  const server = await startMcp({ 'mcp-session-id': 'one' })
  const found = await examine(server.url)
  expect(Object.values(found).filter(({ level }) => level === 'fail')).toEqual([])
  expect(found).toMatchObject({
    connection: { level: 'ok', seen: 'directly' },
    clock: { level: 'ok' },
    endpoint: { level: 'ok', seen: 'HTTP 200' },
    transport: { level: 'ok', seen: 'Streamable HTTP, 2025-11-25 (test-server)' },
    resource: { level: 'skipped', seen: 'the server asks for no sign-in' },
    token: { level: 'skipped' },
  })
  expect(server.seen.map(({ method, headers }) => [method, headers['mcp-session-id']])).toEqual([
    ['POST', undefined],
    ['DELETE', 'one'],
  ])
})

test.each([
  ['no URL', 'foo', 'Not a URL: foo'],
  ['a scheme of another world', 'ftp://x/mcp', 'Not an http(s) URL: ftp://x/mcp'],
])('%s is a finding, and the network is left alone', async (_what, url, seen) => {
  const found = await examine(url)
  expect(found['url']).toMatchObject({ level: 'fail', code: 'options_unusable', seen })
  expect(found['endpoint']).toMatchObject({
    level: 'skipped',
    seen: 'not looked at, because of "URL and options"',
  })
})

test('a name that has no address', async () => {
  // No label is as long (RFC 1035 §2.3.4): nobody has to be asked for it.
  const found = await examine(`https://${'x'.repeat(64)}.example/mcp`)
  expect(found['dns']).toMatchObject({ level: 'fail', code: 'name_unknown' })
  expect(found['connection']).toMatchObject({ level: 'skipped' })
})

test('nobody listens', async () => {
  const server = await startMcp()
  await server.close()
  const found = await examine(server.url)
  expect(found['connection']).toMatchObject({ level: 'fail', code: 'unreachable' })
  expect(found['token']).toMatchObject({ level: 'skipped' })
})

test('a private authority is named, and --ca helps', async () => {
  const authority = makeAuthority('Example Corp CA')
  const server = await startMcp({}, authority.issue('127.0.0.1'))
  const found = await examine(server.url)
  expect(found['certificate']).toMatchObject({
    level: 'fail',
    code: 'private_authority',
    seen: expect.stringContaining('issued by Example Corp CA') as string,
    fix: 'Add to the arguments: --ca <file with the certificate of that authority>',
  })
  expect(server.seen).toEqual([])
  const file = join(emptyFolder(), 'ca.pem')
  writeFileSync(file, authority.cert)
  const trusted = await examine(server.url, { args: ['--ca', file] })
  // The certificates of the tests live for an hour.
  expect(trusted['certificate']).toMatchObject({ level: 'warn', code: 'certificate_expires' })
  expect(trusted['endpoint']).toMatchObject({ level: 'ok' })
})

test('a certificate for another name', async () => {
  const authority = makeAuthority()
  const server = await startMcp({}, authority.issue('other.example'))
  const file = join(emptyFolder(), 'ca.pem')
  writeFileSync(file, authority.cert)
  const found = await examine(server.url, { args: ['--ca', file] })
  expect(found['certificate']).toMatchObject({ level: 'fail', code: 'certificate_unusable' })
})

test('TLS on a port that speaks none', async () => {
  const server = await startMcp()
  const found = await examine(server.url.replace('http:', 'https:'))
  expect(found['certificate']).toMatchObject({ level: 'fail', code: 'tls_failed' })
})

test.each([
  [403, undefined, 'the proxy refused to connect us'],
  [undefined, 'user:secret', 'the proxy wants a user name and a password'],
])('a proxy that answers %s', async (refuse, credentials, why) => {
  const proxy = await startProxy({
    ...(refuse === undefined ? {} : { refuse }),
    ...(credentials === undefined ? {} : { credentials }),
  })
  const found = await examine('https://mcp.example/mcp', { args: ['--proxy', proxy.url] })
  expect(found['dns']).toMatchObject({ level: 'ok', seen: 'the proxy looks it up' })
  expect(found['connection']).toMatchObject({
    level: 'fail',
    code: 'proxy_failed',
    seen: expect.stringContaining(why) as string,
  })
})

test('a proxy that nobody runs, and one that works', async () => {
  const dead = await startMcp()
  await dead.close()
  const broken = await examine('https://mcp.example/mcp', {
    env: { HTTPS_PROXY: dead.origin },
  })
  expect(broken['connection']).toMatchObject({ level: 'fail', code: 'proxy_failed' })
  const server = await startMcp()
  const { host } = new URL(server.url)
  const proxy = await startProxy({ routes: { 'mcp.example:80': host } })
  const found = await examine('http://mcp.example/mcp', {
    args: ['--allow-http', '--proxy', proxy.url],
  })
  expect(found).toMatchObject({
    connection: { level: 'ok', seen: `through the proxy ${proxy.host}` },
    endpoint: { level: 'ok' },
  })
})

test.each([
  [404, 'text/plain', 'wrong_path'],
  [405, 'text/plain', 'wrong_path'],
  [200, 'text/html', 'web_page'],
  [200, 'application/json', 'not_mcp'],
])('HTTP %s with %s is %s, and the right path is found', async (status, type, code) => {
  const server = await startServer(({ message, path, method }, response) => {
    if (path === '/mcp' && method === 'POST') json(response, initializeResult(message?.id))
    else response.writeHead(status, { 'content-type': type }).end('<p>Hello</p>')
  })
  const found = await examine(`${server.origin}/wrong`)
  expect(found['endpoint']).toMatchObject({
    level: 'fail',
    code,
    fix: `bridge doctor ${server.origin}/mcp`,
  })
  expect((await examine(server.url))['endpoint']).toMatchObject({ level: 'ok' })
})

test.each([
  [503, 'server_fails'],
  [429, 'server_fails'],
  [403, 'forbidden'],
])('HTTP %s is %s', async (status, code) => {
  const server = await startServer((_request, response) => void response.writeHead(status).end())
  expect((await examine(server.url))['endpoint']).toMatchObject({ level: 'fail', code })
})

test('a redirect to another origin is told and not followed', async () => {
  const other = await startMcp()
  const server = await startServer((_request, response) => {
    response.writeHead(308, { location: `${other.url}?key=secret` }).end()
  })
  const found = await examine(server.url)
  expect(found['endpoint']).toMatchObject({ level: 'fail', code: 'redirected' })
  expect(JSON.stringify(found)).not.toContain('secret')
  expect(other.seen).toEqual([])
})

test('a server of HTTP+SSE alone, and options that keep us from it', async () => {
  const { url } = await startSseServer()
  expect((await examine(url))['transport']).toMatchObject({
    level: 'ok',
    seen: expect.stringContaining('only HTTP+SSE') as string,
  })
  const found = await examine(url, { args: ['--transport', 'http'] })
  expect(found['transport']).toMatchObject({ level: 'fail', code: 'sse_only' })
  const fixed = await examine(url, { args: argumentsOf(found['transport']!.fix!) })
  expect(fixed['transport']).toMatchObject({ level: 'ok' })
  const streamable = await startMcp()
  const wrong = await examine(streamable.url, { args: ['--transport', 'sse'] })
  expect(wrong['transport']).toMatchObject({ level: 'fail', code: 'http_only' })
})

test('a server of the stateless era alone, and options that keep us from it', async () => {
  const { url } = await startServer(({ message }, response) => {
    if (message?.method === 'server/discover') {
      const result = { supportedVersions: ['2026-07-28'], capabilities: {} }
      json(response, { jsonrpc: '2.0', id: message.id, result })
      return
    }
    const error = { code: -32601, message: 'Method not found' }
    json(response, { jsonrpc: '2.0', id: message?.id, error }, { status: 404 })
  })
  expect((await examine(url))['transport']).toMatchObject({
    level: 'ok',
    seen: expect.stringContaining('only the stateless era (2026-07-28)') as string,
  })
  const found = await examine(url, { args: ['--protocol', 'legacy'] })
  expect(found['transport']).toMatchObject({ level: 'fail', code: 'modern_only' })
  const fixed = await examine(url, { args: argumentsOf(found['transport']!.fix!) })
  expect(fixed['transport']).toMatchObject({ level: 'ok' })
  const legacy = await startMcp()
  const wrong = await examine(legacy.url, { args: ['--protocol', 'modern'] })
  expect(wrong['transport']).toMatchObject({ level: 'fail', code: 'legacy_only' })
})

test.each([
  [-10, 'ahead of'],
  [10, 'behind'],
])('a clock that is %s minutes off', async (minutes, word) => {
  const date = new Date(Date.now() + minutes * 60_000).toUTCString()
  const server = await startMcp({ date })
  expect((await examine(server.url))['clock']).toMatchObject({
    level: 'warn',
    code: 'clock_skew',
    seen: expect.stringMatching(new RegExp(`${word} that of the server`)) as string,
  })
})

test('a server that never answers costs the time that there is', async () => {
  const server = await startServer(() => {})
  const found = await examine(server.url, { signal: AbortSignal.timeout(300) })
  expect(found['endpoint']).toMatchObject({ level: 'fail', code: 'no_answer_in_time' })
  expect(found['transport']).toMatchObject({ level: 'skipped' })
})

test('a server that asks for a sign-in that nobody has made', async () => {
  const world = await startWorld()
  const found = await examine(world.mcp.url)
  expect(found).toMatchObject({
    endpoint: { level: 'ok', seen: 'HTTP 401: it asks for a sign-in' },
    resource: { level: 'ok' },
    authority: { level: 'ok' },
    pkce: { level: 'ok', seen: 'S256' },
    registration: { level: 'ok' },
    client: { level: 'skipped' },
    'sign-in': {
      level: 'fail',
      code: 'sign_in_needed',
      fix: `bridge login ${world.mcp.url}`,
    },
    token: { level: 'skipped' },
  })
  // Each thing was asked once, and nobody was registered.
  expect(world.mcp.seen.map(({ method }) => method)).toEqual(['POST', 'GET'])
  expect(world.authority.server.seen.map(({ path }) => path)).toEqual([
    '/.well-known/oauth-authorization-server',
  ])
})

test('metadata of another resource', async () => {
  const world = await startWorld()
  world.publish({ resource: `${world.mcp.origin}/other` })
  const found = await examine(world.mcp.url)
  expect(found['resource']).toMatchObject({
    level: 'fail',
    code: 'resource_mismatch',
    fix: `bridge doctor ${world.mcp.origin}/other`,
  })
  expect(found['pkce']).toMatchObject({ level: 'skipped' })
})

test('metadata at an address that nobody answers at, or that nothing is sent to', async () => {
  const dead = await startMcp()
  await dead.close()
  let place = `${dead.origin}/metadata`
  const server = await startServer((_request, response) => {
    const challenge = `Bearer resource_metadata="${place}"`
    response.writeHead(401, { 'www-authenticate': challenge }).end()
  })
  expect((await examine(server.url))['resource']).toMatchObject({
    level: 'fail',
    code: 'resource_unreachable',
  })
  place = 'http://mcp.example/metadata'
  expect((await examine(server.url))['resource']).toMatchObject({
    level: 'fail',
    code: 'resource_refused',
  })
})

test('an authorization server at an address that nothing is sent to', async () => {
  const world = await startWorld()
  world.publish({ authorization_servers: ['http://as.example'] })
  expect((await examine(world.mcp.url))['authority']).toMatchObject({
    level: 'fail',
    code: 'authority_refused',
  })
})

test.each([
  ['pkce', { code_challenge_methods_supported: undefined }, 'pkce_missing'],
  ['pkce', { code_challenge_methods_supported: ['plain'] }, 'pkce_missing'],
  ['registration', { registration_endpoint: undefined }, 'registration_impossible'],
  ['authority', { issuer: 'https://other.example' }, 'issuer_mismatch'],
  ['authority', { token_endpoint: undefined }, 'authority_missing'],
])('%s: %j', async (check, metadata, code) => {
  const world = await startWorld({ script: { metadata } })
  expect((await examine(world.mcp.url))[check]).toMatchObject({ level: 'fail', code })
})

test('an authorization server that is down, and one that is not the wanted one', async () => {
  const world = await startWorld()
  const other = await startAuthority()
  const issuer = await examine(world.mcp.url, { args: ['--issuer', other.issuer] })
  expect(issuer['authority']).toMatchObject({ level: 'fail', code: 'issuer_not_trusted' })
  await world.authority.server.close()
  const found = await examine(world.mcp.url)
  expect(found['authority']).toMatchObject({ level: 'fail', code: 'authority_unreachable' })
})

test('a sign-in that works, and what becomes of it', async () => {
  const world = await startWorld()
  const home = await keepSignIn(world)
  const works = await examine(world.mcp.url, { home })
  expect(works).toMatchObject({
    client: { level: 'ok' },
    'sign-in': { level: 'ok' },
    token: { level: 'ok', seen: 'the server accepts it (HTTP 200)' },
    transport: { level: 'ok', seen: 'Streamable HTTP, 2025-11-25 (test-server)' },
  })
  world.authority.expireAccess()
  const revoked = await examine(world.mcp.url, { home })
  expect(revoked['token']).toMatchObject({ level: 'fail', code: 'token_refused' })
  world.authority.forgetClients()
  const dead = await examine(world.mcp.url, { home })
  expect(dead['client']).toMatchObject({
    level: 'fail',
    code: 'registration_dead',
    fix: `bridge login ${world.mcp.url} --force`,
  })
})

test('a client whose secret has expired, and a token that does not suffice', async () => {
  const world = await startWorld({ needs: () => 'mcp:admin' })
  const home = await keepSignIn(world)
  editStored(home, (text) => text.replace('"redirectUris"', '"secretExpiresAt":1,"redirectUris"'))
  const found = await examine(world.mcp.url, { home })
  expect(found['client']).toMatchObject({ level: 'fail', code: 'registration_expired' })
  expect(found['token']).toMatchObject({
    level: 'fail',
    code: 'token_insufficient',
    fix: `bridge login ${world.mcp.url} --force`,
  })
})

test('a sign-in that is over', async () => {
  const world = await startWorld({ script: { refreshTokens: false } })
  const home = await keepSignIn(world, (tokens) => ({ ...tokens, expiresAt: Date.now() - 1000 }))
  const found = await examine(world.mcp.url, { home })
  expect(found['sign-in']).toMatchObject({ level: 'fail', code: 'sign_in_expired' })
})

test('a header that the user supplies and the server does not take', async () => {
  const world = await startWorld()
  const found = await examine(world.mcp.url, { args: ['--header', 'Authorization: Bearer nope'] })
  expect(found['endpoint']).toMatchObject({ level: 'fail', code: 'header_refused' })
})

function argumentsOf(fix: string): string[] {
  return fix.replace('Add to the arguments: ', '').split(' ')
}
