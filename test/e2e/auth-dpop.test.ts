import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { visit } from '../auth/browser-stub.ts'
import { editStored, homeFolder, stored, storedFile } from '../auth/home.ts'
import { finish, printedLink, request, signedIn, startHost } from '../auth/host.ts'
import { type OidcWorld, startOidcWorld } from '../auth/oidc.ts'
import { startWorld } from '../auth/world.ts'
import { initialize } from '../support/bridge.ts'
import { json } from '../support/http-server.ts'
import { until } from '../support/until.ts'

/** The tokens that are stored for the one issuer. */
function storedTokens(home: string): Record<string, unknown> {
  const { current, issuers } = stored(home) as {
    current: string
    issuers: Record<string, { tokens: Record<string, unknown> }>
  }
  return issuers[current]!.tokens
}

const mcpCalls = ({ mcp }: OidcWorld): typeof mcp.seen =>
  mcp.seen.filter(({ path, headers }) => path === '/mcp' && headers.authorization !== undefined)

test('A-115: a token bound to a key, proved anew on POST, GET and DELETE, with the nonces of both servers', async () => {
  const world = await startOidcWorld({ dpop: true, session: { 'mcp-session-id': 's1' } })
  const home = homeFolder()
  const host = startHost(world.mcp.url, { home })
  host.write(initialize(0))
  expect((await visit(await printedLink(host))).status).toBe(200)
  expect(await host.answer(0)).toHaveProperty('result')
  host.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
  host.write(request(1))
  expect(await host.answer(1)).toHaveProperty('result')
  await until('the stream', () => mcpCalls(world).some(({ method }) => method === 'GET'))
  await finish(host)
  const calls = mcpCalls(world)
  expect(new Set(calls.map(({ method }) => method))).toEqual(new Set(['POST', 'GET', 'DELETE']))
  for (const { headers } of calls) expect(headers.authorization).toMatch(/^DPoP /)
  // The first proof cannot know the nonce; no other request is sent twice.
  expect(world.refusals()).toEqual(['', 'use_dpop_nonce'])
  expect(storedTokens(home)['proofKey']).toMatchObject({ kty: 'EC', crv: 'P-256' })

  // The next start goes on with the key, and renews with it.
  editStored(home, (text) => text.replace(/"expiresAt":\d+/, `"expiresAt":${Date.now() - 1000}`))
  const before = storedTokens(home)
  const again = startHost(world.mcp.url, { home })
  again.write(initialize(0))
  expect(await again.answer(0)).toHaveProperty('result')
  await finish(again)
  expect(storedTokens(home)['proofKey']).toEqual(before['proofKey'])
  expect(storedTokens(home)['accessToken']).not.toBe(before['accessToken'])
  expect(again.browser.calls()).toEqual([])
  // The key is where the tokens are, and nowhere else.
  const { d } = before['proofKey'] as { d: string }
  expect(readFileSync(storedFile(home), 'utf8')).toContain(d)
  for (const text of [host.stderr(), again.stderr(), ...host.lines, ...again.lines]) {
    expect(String(text)).not.toContain(d)
  }
})

test('A-115: an account whose tokens were bound takes no weaker ones; --dpop off is a decision', async () => {
  const world = await startWorld()
  const home = homeFolder()
  await finish(await signedIn(world, { home }))
  const key = { kty: 'EC', crv: 'P-256', ...KEY }
  const change = { expiresAt: Date.now() - 1000, proofKey: key }
  const bind = (): void =>
    editStored(home, (text) => {
      const record = JSON.parse(text) as ReturnType<typeof stored> & { current: string }
      const issuers = record['issuers'] as Record<string, { tokens: object; bound: boolean }>
      const issuer = issuers[record.current]!
      issuer.tokens = { ...issuer.tokens, ...change }
      issuer.bound = true
      return JSON.stringify(record)
    })
  bind()
  const host = startHost(world.mcp.url, { home })
  host.write(initialize(0))
  // The refresh brings a Bearer token: refused; so would be the one of another sign-in.
  await visit(await printedLink(host))
  const { error } = await host.answer(0)
  expect(error?.message).toMatch(/token_type Bearer/)
  expect(error?.data?.['hint']).toMatch(/--dpop off/)
  expect(world.calls().filter(({ token }) => token?.startsWith('access-'))).toHaveLength(1)
  await finish(host)
  const off = startHost(world.mcp.url, { home, args: ['--dpop', 'off'] })
  off.write(initialize(0))
  await visit(await printedLink(off))
  expect(await off.answer(0)).toHaveProperty('result')
})

test('A-115: --dpop required goes nowhere without', async () => {
  const world = await startWorld({
    script: { token: (_, response) => (json(response, {}, { status: 500 }), true) },
  })
  const host = startHost(world.mcp.url, { args: ['--dpop', 'required'] })
  host.write(initialize(0))
  expect((await host.answer(0)).error?.message).toMatch(/does not bind tokens to a key/)
  expect(world.authority.tokenCalls).toEqual([])
})

/** A P-256 key as good as any other. */
const KEY = {
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
}
