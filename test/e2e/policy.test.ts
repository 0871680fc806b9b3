import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { homeFolder } from '../auth/home.ts'
import { startHost } from '../auth/host.ts'
import { startWorld } from '../auth/world.ts'
import { initialize } from '../support/bridge.ts'
import { makeAuthority } from '../support/certificate.ts'
import { initializeResult, json, startServer } from '../support/http-server.ts'

/** A home with a policy of the user. */
function homeWith(policy: string): { home: string; file: string } {
  const home = homeFolder()
  const file = join(home, 'config', 'policy.json')
  mkdirSync(join(home, 'config'))
  writeFileSync(file, policy)
  return { home, file }
}

test('a start that the policy does not allow ends with exit code 2, names file and line, sends nothing', async () => {
  const world = await startWorld()
  for (const [policy, line] of [
    ['{\n  "allowedServers": ["https://mcp.example.com"]\n}', 2],
    ['{\n\n  "forbiddenFlags": ["profile"]\n}', 3],
    ['{ "allowedServers": "all" }', 1],
  ] as const) {
    const { home, file } = homeWith(policy)
    const host = startHost(world.mcp.url, { home, args: ['--profile', 'p'] })
    host.write(initialize(0))
    expect(await host.exit()).toEqual({ code: 2, signal: null })
    expect(host.stderr()).toContain(file)
    expect(host.stderr()).toContain(`line ${line}`)
    expect(host.lines).toEqual([])
  }
  expect(world.mcp.seen).toEqual([])
})

test('an authorization server that the policy does not allow is asked nothing', async () => {
  const world = await startWorld()
  const { home, file } = homeWith('{"allowedIssuers": ["https://login.example.com"]}')
  const host = startHost(world.mcp.url, { home })
  host.write(initialize(0))
  const { error } = await host.answer(0)
  expect(error?.message).toContain(
    `${world.authority.issuer} is no issuer it allows (${file}, line 1)`,
  )
  expect(world.authority.server.seen).toEqual([])
  expect(host.browser.calls()).toEqual([])
})

test('only the pinned authority is trusted', async () => {
  const [ours, other] = [makeAuthority('Ours'), makeAuthority('Other')]
  const serve = (tls: { key: string; cert: string }): ReturnType<typeof startServer> =>
    startServer(({ message }, response) => json(response, initializeResult(message?.id)), { tls })
  const good = await serve(ours.issue('127.0.0.1'))
  const bad = await serve(other.issue('127.0.0.1'))
  const files = homeFolder()
  const ca = (name: string, pem: string): string => {
    writeFileSync(join(files, name), pem)
    return join(files, name)
  }
  const { home } = homeWith(JSON.stringify({ pinnedCa: ca('ours.pem', ours.cert) }))
  // Whatever Node has been told to trust besides.
  const env = { NODE_EXTRA_CA_CERTS: ca('other.pem', other.cert) }
  const host = startHost(good.url, { home, env })
  host.write(initialize(0))
  expect(await host.answer(0)).toHaveProperty('result')
  const refused = startHost(bad.url, { home, env })
  refused.write(initialize(0))
  expect((await refused.answer(0)).error?.message).toMatch(/certificate/)
  const unpinned = startHost(bad.url, { env })
  unpinned.write(initialize(0))
  expect(await unpinned.answer(0)).toHaveProperty('result')
})
