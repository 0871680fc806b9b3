import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { visit } from '../auth/browser-stub.ts'
import { credentialsFolder, homeFolder, stored } from '../auth/home.ts'
import { finish, request, signedIn, startHost } from '../auth/host.ts'
import { startWorld } from '../auth/world.ts'
import { initialize } from '../support/bridge.ts'
import { runCommand } from '../support/command.ts'
import { startLogin } from '../support/login.ts'

/** Bodies of the methods of the package's `Entry`; `read` and `write` reach a file of entries. */
const METHODS = {
  getPassword: 'return read()[this.key] ?? null',
  setPassword: 'write({ ...read(), [this.key]: text })',
  deletePassword: 'const { [this.key]: gone, ...rest } = read(); write(rest); return true',
}

/** An installed package of the name of the real one, with other methods or another class. */
function keyring(
  methods: Partial<typeof METHODS> = {},
  source?: string,
): {
  env: NodeJS.ProcessEnv
  entries(): Record<string, string>
} {
  const folder = mkdtempSync(join(tmpdir(), 'bridge-keyring-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'entries.json')
  writeFileSync(file, '{}')
  const home = join(folder, '@napi-rs', 'keyring')
  mkdirSync(home, { recursive: true })
  const { getPassword, setPassword, deletePassword } = { ...METHODS, ...methods }
  writeFileSync(
    join(home, 'index.js'),
    source ??
      `const { readFileSync, writeFileSync } = require('node:fs')
    const read = () => JSON.parse(readFileSync(${JSON.stringify(file)}, 'utf8'))
    const write = (all) => writeFileSync(${JSON.stringify(file)}, JSON.stringify(all))
    exports.Entry = class {
      constructor(service, account) { this.key = service + ' ' + account }
      getPassword() { ${getPassword} }
      setPassword(text) { ${setPassword} }
      deletePassword() { ${deletePassword} }
    }`,
  )
  return {
    env: { NODE_PATH: folder, BRIDGE_STORE: 'keychain' },
    entries: () => JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>,
  }
}

/** The names of the files that hold records. */
function records(home: string): string[] {
  return readdirSync(credentialsFolder(home)).filter((name) => name.endsWith('.json'))
}

test('the sign-in lives in the keychain alone; login, relay and refresh find it there', async () => {
  const world = await startWorld()
  const home = homeFolder()
  const { env, entries } = keyring()
  const login = startLogin(world.mcp.url, { home, env })
  await visit(await login.link())
  expect(await login.exit()).toBe(0)
  expect(login.stderr()).toMatch(/^Signed in to /m)
  expect(records(home)).toEqual([])
  const [[name, text], ...more] = Object.entries(entries()) as [[string, string]]
  expect(more).toEqual([])
  expect(name).toMatch(/^mcp-bridge [\da-f]{32}$/)
  expect(text).toContain('"accessToken":"access-1-')

  const host = startHost(world.mcp.url, { home, env })
  host.write(initialize(0))
  expect(await host.answer(0)).toHaveProperty('result')
  expect(world.authority.tokenCalls).toHaveLength(1)
  world.authority.expireAccess()
  host.write(request(1))
  expect(await host.answer(1)).toHaveProperty('result')
  expect(Object.values(entries())[0]).toContain('"accessToken":"access-2-')
  expect(host.stderr()).toBe('')
  await finish(host)
  expect(records(home)).toEqual([])
})

test.each([
  ['is of another make', 'exports.Entry = class {}', {}, 'not of a known version'],
  ['forgets', undefined, { setPassword: '' }, 'does not keep what it is given'],
  [
    'refuses to write',
    undefined,
    { setPassword: 'throw new Error("Platform secure storage failure")' },
    'Platform secure storage failure',
  ],
  ['hangs', undefined, { getPassword: 'for (;;) {}' }, 'did not answer within 5 s'],
  ['crashes', undefined, { getPassword: 'process.abort()' }, 'its process ended unexpectedly'],
])(
  'a keychain that %s: one line says so, and the file is used',
  async (_, source, methods, why) => {
    const world = await startWorld()
    const home = homeFolder()
    const { env } = keyring(methods, source)
    const host = await signedIn(world, { home, env })
    const lines = host.stderr().split('\n')
    expect(lines.filter((line) => line.includes('keychain'))).toEqual([
      expect.stringContaining(why) as string,
    ])
    expect(lines[0]).toMatch(/^bridge: The keychain cannot be used: .*kept in a file\.$/)
    expect(stored(home)).toHaveProperty('current')
    await finish(host)
  },
)

test('a keychain whose package is not installed: one line says so, and the file is used', async () => {
  const world = await startWorld()
  const home = homeFolder()
  const host = await signedIn(world, { home, args: ['--store', 'keychain'] })
  expect(host.stderr()).toMatch(/^bridge: .*is not installed beside mcp-bridge.*kept in a file\.\n/)
  expect(stored(home)).toHaveProperty('current')
  await finish(host)
})

test('keychain-only: without a keychain there is no sign-in, exit 7', async () => {
  const world = await startWorld()
  const login = startLogin(world.mcp.url, { args: ['--store', 'keychain-only'] })
  expect(await login.exit()).toBe(7)
  expect(login.stderr()).toMatch(/^bridge: The keychain cannot be used: /)
  expect(world.mcp.seen).toEqual([])
})

test('a stored sign-in moves from the file to the keychain', async () => {
  const world = await startWorld()
  const home = homeFolder()
  await finish(await signedIn(world, { home }))
  const { env, entries } = keyring()
  const host = startHost(world.mcp.url, { home, env })
  host.write(initialize(0))
  expect(await host.answer(0)).toHaveProperty('result')
  expect(world.authority.authorizations).toHaveLength(1)
  expect(records(home)).toEqual([])
  expect(Object.keys(entries())).toHaveLength(1)
  expect(host.stderr()).toMatch(/moved from its file into the keychain/)
})

test('a relay that waits adopts what a login in another terminal puts into the keychain', async () => {
  const world = await startWorld()
  const home = homeFolder()
  const { env } = keyring()
  const host = startHost(world.mcp.url, { home, env })
  host.write(initialize(0))
  const link = await host.browser.opened()
  const login = startLogin(world.mcp.url, { home, env, args: ['--paste'] })
  expect(await login.link()).toBe(link)
  const back = await fetch(link, { redirect: 'manual' })
  login.type(back.headers.get('location')!)
  expect(await login.exit()).toBe(0)
  expect(await host.answer(0)).toHaveProperty('result')
})

test('status shows what is in the keychain, and logout takes it away', async () => {
  const world = await startWorld()
  const home = homeFolder()
  const { env, entries } = keyring()
  const login = startLogin(world.mcp.url, { home, env })
  await visit(await login.link())
  expect(await login.exit()).toBe(0)
  // It is found without being told where: status is asked when somebody does not know.
  const setup = { home, env: { NODE_PATH: env['NODE_PATH'] } }
  const status = await runCommand(['status', '--json'], setup)
  expect(JSON.parse(status.stdout)).toMatchObject({
    sign_ins: [{ server: world.mcp.url, signed_in: true, kept_in: 'keychain' }],
  })
  const logout = await runCommand(['logout', world.mcp.url], setup)
  expect(logout.stderr).toMatch(/^Signed out of /)
  expect(entries()).toEqual({})
  expect(readdirSync(credentialsFolder(home)).filter((name) => name.endsWith('.keychain'))).toEqual(
    [],
  )
  expect((await runCommand(['status', world.mcp.url], setup)).code).toBe(4)
})

test('a keychain that is gone is said by status, and by nothing else broken', async () => {
  const world = await startWorld()
  const home = homeFolder()
  const { env } = keyring()
  const login = startLogin(world.mcp.url, { home, env })
  await visit(await login.link())
  expect(await login.exit()).toBe(0)
  const { code, stderr } = await runCommand(['status'], { home })
  expect(code).toBe(0)
  expect(stderr).toMatch(/^[\da-f]{32}\.keychain could not be read: .*not installed/)
})
