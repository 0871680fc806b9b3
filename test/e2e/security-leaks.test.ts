import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { visit } from '../auth/browser-stub.ts'
import { credentialsFolder, homeFolder, storedFile } from '../auth/home.ts'
import { finish, type Host, printedLink, request, signedIn, startHost } from '../auth/host.ts'
import { startWorld, type World } from '../auth/world.ts'
import { initialize } from '../support/bridge.ts'
import { watchSpawns } from '../support/hostile-process.ts'
import { json, type Seen } from '../support/http-server.ts'

const API_KEY = 'sentinel-api-key-1f6a'
const TENANT = 'sentinel-tenant-77c0'
const CLIENT_SECRET = 'sentinel-client-secret-a9d2'
const SESSION_ID = 'sentinel-session-5b3e'
const COOKIE = 'sentinel-cookie-c41d'

/** A start that passes every kind of secret in a way that keeps it out of the process list. */
function secretly(home: string): { args: string[]; env: NodeJS.ProcessEnv; home: string } {
  const headers = join(home, 'headers')
  writeFileSync(headers, `X-Api-Key: ${API_KEY}\n`)
  const args = ['--header-file', headers, '--client-id', 'own-client']
  const env = { BRIDGE_HEADER_X_Tenant: TENANT, CLIENT_SECRET }
  return { args: [...args, '--client-secret-env', 'CLIENT_SECRET'], env, home }
}

/** Everything that one request carried. */
const wire = ({ method, path, headers, body }: Seen): string =>
  `${method} ${path}\n${JSON.stringify(headers)}\n${body.toString('utf8')}`

/** All files below a folder. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** The command lines of a process and of what it has started. */
function commandLines(pid: number): string {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  return [String(pid), ...children]
    .map((id) => join('/proc', id, 'cmdline'))
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
}

/** An hour of a sign-in in a second: tokens, a refresh, a step-up, refusals, and a session with a cookie. */
async function liveThrough(world: World, host: Host): Promise<void> {
  host.write(initialize(0))
  await visit(await printedLink(host))
  expect(await host.answer(0)).toHaveProperty('result')
  world.authority.expireAccess()
  host.write(request(1))
  expect(await host.answer(1)).toHaveProperty('result')
  host.write(request(2, 'tools/call', { name: 'needs-more' }))
  await visit(await printedLink(host, 1))
  expect(await host.answer(2)).toHaveProperty('result')
  host.write(request(3, 'tools/call', { name: 'fails' }))
  expect(await host.answer(3)).toHaveProperty('error')
  // A server that repeats in its refusal what it was sent.
  world.authority.script.token = ({ form, authorization }, response) => {
    const error_description = `not ${authorization}, not ${form}`
    json(response, { error: 'invalid_target', error_description }, { status: 400 })
    return true
  }
  world.authority.expireAccess()
  host.write(request(4))
  expect((await host.answer(4)).error?.message).toContain('not Basic')
}

function startSecretive(): Promise<World> {
  return startWorld({
    needs: ({ message }) => (message?.params?.['name'] === 'needs-more' ? 'more' : undefined),
    judge: ({ message }) =>
      message?.params?.['name'] === 'fails' ? { status: 403, challenge: 'Bearer' } : undefined,
    session: { 'mcp-session-id': SESSION_ID, 'set-cookie': `sid=${COOKIE}; HttpOnly` },
  })
}

describe('A-75: secrets stay where they belong', () => {
  test('no stdout, stderr, command line or file but the store has one', async () => {
    const world = await startSecretive()
    const home = homeFolder()
    const spawns = watchSpawns()
    const { args, env } = secretly(home)
    const host = startHost(world.mcp.url, {
      home,
      args,
      env: { ...env, ...spawns.options.env },
      nodeArgs: spawns.options.nodeArgs!,
    })
    await liveThrough(world, host)
    const seen = [...world.mcp.seen, ...world.authority.server.seen].map(wire).join('\n')
    const processes = commandLines(host.child.pid!)
    await finish(host)

    const forms = world.authority.tokenCalls.map(({ form }) => form)
    const issued = [...seen.matchAll(/(?:access|refresh)-\d+-[0-9a-f]{24}/g)].map(([text]) => text)
    const answers = ['code', 'code_verifier', 'refresh_token']
    const sent = forms.flatMap((form) => answers.map((name) => form.get(name) ?? ''))
    const secrets = new Set([...issued, ...sent].filter((text) => text !== ''))
    // Each of these was there to be leaked: they have crossed the wire.
    for (const own of [API_KEY, TENANT, SESSION_ID]) expect(seen).toContain(own)
    const basic = /^Basic (.+)$/.exec(world.authority.tokenCalls[0]?.authorization ?? '')?.[1]
    expect(secrets.size).toBeGreaterThanOrEqual(7)

    const places = {
      stdout: host.lines.map(String).join('\n'),
      stderr: host.stderr(),
      'command lines': processes,
      'programs started': JSON.stringify(spawns.entries()),
    }
    const all = [...secrets, basic!, API_KEY, TENANT, CLIENT_SECRET, SESSION_ID, COOKIE]
    const leaks = (text: string): string[] => all.filter((secret) => text.includes(secret))
    for (const [place, text] of Object.entries(places)) {
      expect({ place, leaks: leaks(text) }).toEqual({ place, leaks: [] })
    }
    const store = storedFile(home)
    for (const file of filesBelow(home)) {
      if (file === store || file === join(home, 'headers')) continue
      expect({ file, leaks: leaks(readFileSync(file, 'utf8')) }).toEqual({ file, leaks: [] })
    }
    // The store has the tokens in use and nothing that is spent or configured elsewhere.
    const kept = leaks(readFileSync(store, 'utf8'))
    expect(kept.every((text) => /^(access|refresh)-/.test(text))).toBe(true)
  })

  test('the token is for the server; the headers of the user and the session are too', async () => {
    const world = await startSecretive()
    const home = homeFolder()
    const host = startHost(world.mcp.url, secretly(home))
    await liveThrough(world, host)
    await finish(host)
    const own = [API_KEY, TENANT, SESSION_ID, COOKIE, 'access-']
    for (const entry of world.authority.server.seen) {
      const found = own.filter((secret) => wire(entry).includes(secret))
      expect({ path: entry.path, found }).toEqual({ path: entry.path, found: [] })
      expect(entry.headers).not.toHaveProperty('x-api-key')
    }
    const calls = world.mcp.seen.filter(({ path }) => path === '/mcp')
    for (const { headers } of calls) {
      expect(headers).toMatchObject({ 'x-api-key': API_KEY, 'x-tenant': TENANT })
    }
    // never in an address.
    for (const { path } of [...world.mcp.seen, ...world.authority.server.seen]) {
      expect(path).not.toMatch(/access-|refresh-|sentinel/)
    }
    // Metadata is public: it is asked for without any of them.
    const metadata = world.mcp.seen.filter(({ path }) => path.startsWith('/.well-known/'))
    expect(metadata.length).toBeGreaterThan(0)
    for (const entry of metadata) {
      expect(own.filter((secret) => wire(entry).includes(secret))).toEqual([])
    }
  })

  test('the name of the file tells neither the address nor a header', async () => {
    const world = await startWorld()
    const home = homeFolder()
    const url = `${world.mcp.url}?key=sentinel-query`
    const names = []
    for (const value of ['one', 'two']) {
      const host = startHost(url, { home, args: ['--header', `X-Key: ${value}`, '--no-browser'] })
      host.write(initialize(0))
      await printedLink(host)
      await finish(host)
      names.push(...readdirSync(credentialsFolder(home)).filter((name) => name.endsWith('.json')))
    }
    // One file for both, so that no header value is part of it.
    expect(new Set(names).size).toBe(1)
    expect(names[0]).toMatch(/^[0-9a-f]{32}\.json$/)
  })
})

describe('A-77: an Authorization header of the user switches OAuth off', () => {
  test('it is sent alone, also when a token is stored', async () => {
    const world = await startWorld()
    const home = homeFolder()
    await finish(await signedIn(world, { home }))
    const before = world.mcp.seen.length
    const args = ['--header', 'Authorization: Bearer own-token']
    const host = startHost(world.mcp.url, { home, args })
    host.write(initialize(0))
    await host.answer(0)
    const sent = world.mcp.seen.slice(before).map(({ headers }) => headers.authorization)
    expect(sent).toEqual(['Bearer own-token'])
    for (const text of [host.stderr(), host.lines.join('\n')])
      expect(text).not.toContain('own-token')
  })
})
