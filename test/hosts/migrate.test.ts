import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { makeChange, planChange, planUndoing, undoChange } from '../../src/hosts/change.ts'
import { survey } from '../../src/hosts/entries.ts'
import { fromMcpRemote } from '../../src/hosts/from-mcp-remote.ts'
import type { Machine } from '../../src/hosts/machine.ts'
import { type Migration, planMigration } from '../../src/hosts/migrate.ts'
import { recognise } from '../../src/hosts/recognise.ts'
import { HOSTS } from '../../src/hosts/table.ts'
import { SERVER_OPTIONS } from '../../src/options.ts'
import { put, testMachine } from './machine.ts'

const URL_ARGUMENT = 'https://x.example/mcp'
const OURS = `mcp-bridge@${packageJson.version}`
const LINUX = { platform: 'linux' } as const

/** The migration of the only entry, which Cursor (or another host) has. */
async function migrationOf(
  entry: object,
  machine: Machine = testMachine(),
  id = 'cursor',
): Promise<Migration> {
  const host = HOSTS.find((candidate) => candidate.id === id)!
  const [file] = host.files.user!(machine.system)
  const text = JSON.stringify({ [host.tables[0]![0]!]: { x: entry } }, null, 2)
  put(file!, text)
  const { entries } = await survey(machine.system, [host])
  return planMigration(entries[0]!, machine)
}

/** The members of the entry after it; fails for one that is left alone. */
async function migrated(entry: object, machine?: Machine, id?: string): Promise<object> {
  const migration = await migrationOf(entry, machine, id)
  expect(migration).not.toHaveProperty('reasons')
  return (migration as Extract<Migration, { notes: readonly string[] }>).edit.members!
}

describe('ways to start mcp-remote', () => {
  test.each([
    [
      ['npx', 'mcp-remote', URL_ARGUMENT],
      ['npx', '-y', OURS],
    ],
    [
      ['npx', '-y', 'mcp-remote@latest', URL_ARGUMENT],
      ['npx', '-y', OURS],
    ],
    [
      ['npx', '--yes', 'mcp-remote@0.1.38', URL_ARGUMENT],
      ['npx', '--yes', OURS],
    ],
    [
      ['/opt/bin/npx', '-y', 'mcp-remote', URL_ARGUMENT],
      ['/opt/bin/npx', '-y', OURS],
    ],
    [
      ['npx', '-y', '-p', 'mcp-remote@1.0.0', 'mcp-remote', URL_ARGUMENT],
      ['npx', '-y', OURS],
    ],
    [
      ['npx', '--package=mcp-remote', '-y', 'mcp-remote', URL_ARGUMENT],
      ['npx', '-y', OURS],
    ],
    [
      ['cmd', '/c', 'npx', '-y', 'mcp-remote', URL_ARGUMENT],
      ['cmd', '/c', 'npx', '-y', OURS],
    ],
    [
      ['cmd.exe', '/C', 'npx.cmd', 'mcp-remote', URL_ARGUMENT],
      ['cmd.exe', '/C', 'npx.cmd', '-y', OURS],
    ],
    [
      ['bunx', 'mcp-remote', URL_ARGUMENT],
      ['bunx', OURS],
    ],
    [
      ['bun', 'x', '--bun', 'mcp-remote', URL_ARGUMENT],
      ['bun', 'x', '--bun', OURS],
    ],
    [
      ['pnpm', 'dlx', 'mcp-remote', URL_ARGUMENT],
      ['pnpm', 'dlx', OURS],
    ],
    [
      ['pnpx', 'mcp-remote', URL_ARGUMENT],
      ['pnpx', OURS],
    ],
    [
      ['yarn', 'dlx', '-q', 'mcp-remote', URL_ARGUMENT],
      ['yarn', 'dlx', '-q', OURS],
    ],
    [
      ['npm', 'exec', '-y', '--', 'mcp-remote', URL_ARGUMENT],
      ['npm', 'exec', '-y', '--', OURS],
    ],
    [
      ['mcp-remote', URL_ARGUMENT],
      ['npx', '-y', OURS],
    ],
    [
      ['/n/bin/node', '/lib/node_modules/mcp-remote/dist/proxy.js', URL_ARGUMENT],
      ['/opt/node/bin/node', '/opt/bridge.cjs'],
    ],
    [
      [
        'C:\\node.exe',
        '--use-system-ca',
        'C:\\x\\node_modules\\mcp-remote\\dist\\proxy.js',
        URL_ARGUMENT,
      ],
      ['/opt/node/bin/node', '/opt/bridge.cjs'],
    ],
  ])('%j', async ([command, ...args], [ours, ...words]) => {
    expect(await migrated({ command, args })).toEqual({
      command: ours,
      args: [...words, URL_ARGUMENT],
      env: undefined,
    })
  })

  test.each([
    ['in the text of a shell', { command: 'sh', args: ['-c', `npx mcp-remote ${URL_ARGUMENT}`] }],
    ['in WSL', { command: 'wsl', args: ['npx', 'mcp-remote', URL_ARGUMENT] }],
    ['its other command', { command: 'npx', args: ['-p', 'mcp-remote', 'mcp-remote-client', 'x'] }],
  ])('not understood, and left alone: %s', async (_, entry) => {
    expect(await migrationOf(entry)).toHaveProperty('reasons')
  })

  test.each([
    [['npx', '-y', 'other', 'mcp-bridge']],
    [['npx', '-y', 'mcp-remote-x', URL_ARGUMENT]],
    [['bridge', 'link']],
    [['node', 'server.js']],
    [['npx']],
  ])('something else: %j', ([command, ...args]) => {
    expect(recognise({ command: command!, args, env: {} })).toBeUndefined()
  })
})

describe('flags of mcp-remote', () => {
  test.each([
    [['--transport', 'sse-only'], { transport: 'sse-only' }],
    [['--allow-http'], { 'allow-http': true }],
    [['--header', 'A: b', '--header', 'C: d'], { header: ['A: b', 'C: d'] }],
    [['--resource', 'https://r.example/'], { resource: 'https://r.example/' }],
    [['--resource', ''], { 'no-resource': true }],
    [['--disable-resource-parameter'], { 'no-resource': true }],
    [['--authorize-param', 'a=b'], { 'authorize-param': ['a=b'] }],
    [['--auth-timeout', '60'], { 'auth-timeout': '60' }],
    [['--host', '127.0.0.1'], { 'callback-host': '127.0.0.1' }],
    [['--headers-timeout', '60', '--body-timeout', '90'], { timeout: '90' }],
    [['--body-timeout', '0'], {}],
    [
      ['3334'],
      { 'callback-port': '3334', 'callback-host': 'localhost', 'callback-path': '/oauth/callback' },
    ],
    [['3334', '--device-code'], { 'device-code': true }],
    [['--keep-alive'], { 'ping-interval': '30s' }],
    [['--debug'], { debug: true }],
    [['--silent'], { silent: true }],
    [['--ipv4'], { ipv4: true }],
    [['--disable-cookies'], { 'no-cookies': true }],
    [['--connect-timeout', '5'], { 'connect-timeout': '5' }],
    [['--ping-interval', '9'], { 'ping-interval': '9' }],
    [['--protocol', 'auto'], { protocol: 'auto' }],
    [['--ignore-tool', 'x*'], { 'ignore-tool': ['x*'] }],
    [['--use-id-token'], { 'use-id-token': true }],
    [['--token-endpoint', 'https://x.example/t'], { 'token-endpoint': 'https://x.example/t' }],
    [['--auth-success-url', 'https://x.example/'], { 'auth-success-url': 'https://x.example/' }],
  ])('%j', (args, values) => {
    expect(fromMcpRemote([URL_ARGUMENT, ...args], LINUX)).toMatchObject({ notes: [] })
    expect(fromMcpRemote([URL_ARGUMENT, ...args], LINUX).values).toEqual(values)
    // What is written is what this program reads.
    const known = SERVER_OPTIONS.map(({ name }) => name)
    expect(known).toEqual(expect.arrayContaining(Object.keys(values)))
  })

  test('on Windows its callback is at 127.0.0.1', () => {
    const { values } = fromMcpRemote([URL_ARGUMENT, '3334'], { platform: 'win32' })
    expect(values['callback-host']).toBe('127.0.0.1')
  })

  test('a client that is registered comes back to the port that mcp-remote came to', () => {
    const info = ['--static-oauth-client-info', '{"client_id":"x"}']
    const hash = createHash('md5').update(URL_ARGUMENT).digest('hex').slice(0, 4)
    const { values } = fromMcpRemote([URL_ARGUMENT, ...info], LINUX)
    expect(values['callback-port']).toBe(String(3335 + (Number.parseInt(hash, 16) % 45816)))
  })

  test.each(['--enable-proxy', '--frobnicate'])('%s is left out, which is said', (flag) => {
    const { values, notes } = fromMcpRemote([URL_ARGUMENT, flag], LINUX)
    expect(values).toEqual({})
    expect(notes).toEqual([expect.stringContaining(`${flag} is left out: `)])
  })
})

describe('what is secret, or has a space, leaves the arguments', () => {
  const entry = (args: readonly string[], env?: object): object => ({
    command: 'npx',
    args: ['-y', 'mcp-remote', URL_ARGUMENT, ...args],
    ...(env === undefined ? {} : { env }),
  })
  const result = (args: readonly string[], env?: object): object => ({
    command: 'npx',
    args: ['-y', OURS, URL_ARGUMENT, ...args],
    env,
  })
  const BEARER = ['--header', 'Authorization: Bearer abc']
  const NAMED = ['--header', 'Authorization:${AUTHORIZATION}']

  test.each([
    ['a header', 'cursor', BEARER, undefined, NAMED, { AUTHORIZATION: 'Bearer abc' }],
    [
      'a header with a variable of the entry',
      'cursor',
      ['--header', 'Authorization: Bearer ${T}'],
      { T: 'abc' },
      NAMED,
      { T: 'abc', AUTHORIZATION: 'Bearer abc' },
    ],
    [
      'a header that is a variable already',
      'cursor',
      ['--header', 'Authorization:${A}'],
      { A: 'Bearer abc' },
      ['--header', 'Authorization:${A}'],
      { A: 'Bearer abc' },
    ],
    [
      'a variable that only the host knows',
      'cursor',
      ['--header', 'Authorization: Bearer ${env:T}'],
      undefined,
      NAMED,
      { AUTHORIZATION: 'Bearer ${env:T}' },
    ],
    [
      'a host that replaces variables itself',
      'gemini',
      BEARER,
      undefined,
      [],
      { BRIDGE_HEADER_AUTHORIZATION: 'Bearer abc' },
    ],
    [
      'a name that is taken',
      'cursor',
      ['--header', 'Path: x'],
      undefined,
      ['--header', 'Path:${HEADER_PATH}'],
      { HEADER_PATH: 'x' },
    ],
    [
      'the secret of a client, and spaces in JSON',
      'cursor',
      ['3334', '--static-oauth-client-info', '{ "client_id": "a b", "client_secret": "s3" }'],
      undefined,
      [
        '--client-secret-env',
        'BRIDGE_CLIENT_SECRET',
        '--static-oauth-client-info',
        String.raw`{"client_id":"a\u0020b"}`,
        '--callback-port',
        '3334',
        '--callback-host',
        'localhost',
        '--callback-path',
        '/oauth/callback',
      ],
      { BRIDGE_CLIENT_SECRET: 's3' },
    ],
  ])('%s', async (_, id, args, env, ours, ourEnv) => {
    const got = (await migrated(entry(args, env), undefined, id)) as { args: string[] }
    const wanted = result(ours, ourEnv) as { args: string[] }
    expect({ ...got, args: [...got.args].sort() }).toEqual({
      ...wanted,
      args: [...wanted.args].sort(),
    })
    expect(got.args.join('')).not.toMatch(/\s/)
  })

  test('Zed’s older entries and opencode’s arrays', async () => {
    const args = ['mcp-remote', URL_ARGUMENT]
    expect(await migrated({ command: { path: 'npx', args } }, undefined, 'zed')).toEqual(result([]))
    expect(await migrated({ command: ['npx', ...args] }, undefined, 'opencode')).toEqual({
      command: ['npx', '-y', OURS, URL_ARGUMENT],
      environment: undefined,
    })
  })

  test.each([
    ['no address', ['-y', 'mcp-remote']],
    ['an address that is refused here', ['-y', 'mcp-remote', 'http://x.example/mcp']],
    ['a header that is none', ['-y', 'mcp-remote', URL_ARGUMENT, '--header', 'x']],
  ])('left alone: %s', async (_, args) => {
    expect(await migrationOf({ command: 'npx', args })).toHaveProperty('reasons')
  })
})

test.each([
  ['tokens', { 'tokens.json': { access_token: 'a' } }, 'sign-in'],
  ['a registration', { 'client_info.json': { client_id: 'c' } }, 'registration'],
  ['nothing', {}, undefined],
])('%s of mcp-remote: what will be adopted is told', async (_, files, adopted) => {
  const machine = testMachine()
  const store = join(machine.system.home, 'auth')
  const hash = createHash('md5').update(URL_ARGUMENT).digest('hex')
  for (const [name, content] of Object.entries(files)) {
    put(join(store, 'mcp-remote-v1', `${hash}_${name}`), JSON.stringify(content))
  }
  const env = { MCP_REMOTE_CONFIG_DIR: store }
  const entry = { command: 'npx', args: ['mcp-remote', URL_ARGUMENT], env }
  expect(await migrationOf(entry, machine)).toMatchObject({ adopted })
})

test('Claude Code: entries of single projects are found, too', async () => {
  const machine = testMachine()
  const entry = { command: 'npx', args: ['mcp-remote', URL_ARGUMENT] }
  const text = JSON.stringify({ projects: { '/a': { mcpServers: { x: entry } }, '/b': {} } })
  put(join(machine.system.home, '.claude.json'), text)
  const { entries } = await survey(machine.system)
  expect(entries.map(({ path }) => path)).toEqual([['projects', '/a', 'mcpServers', 'x']])
})

describe('undoing', () => {
  const before = `{
  // servers
  "mcpServers": {
    "x": { "command": "npx", "args": ["mcp-remote", "${URL_ARGUMENT}"] }, // one line
    "y": {}
  }
}
`

  /** A machine on which it was migrated; what was written, and a way to undo it. */
  async function afterwards() {
    const machine = testMachine()
    const file = join(machine.system.home, '.cursor', 'mcp.json')
    put(file, before)
    const { entries } = await survey(machine.system)
    const [entry] = entries
    const migration = planMigration(entry!, machine)
    const plan = planChange(entry!.host, entry!.file, [migration.edit!])
    await makeChange(plan, machine.journal, { kind: 'migrate', run: '1' })
    const undo = async (): Promise<string> => {
      const [change] = machine.journal.list()
      const undoing = await planUndoing(entry!.host, change!, machine.journal)
      await undoChange(undoing, change!, machine.journal)
      return undoing.how
    }
    return { file, undo, text: readFileSync(file, 'utf8') }
  }

  test('the file becomes what it was, byte for byte', async () => {
    const { file, undo, text } = await afterwards()
    expect(text).toContain(OURS)
    expect(await undo()).toBe('whole')
    expect(readFileSync(file, 'utf8')).toBe(before)
  })

  test('what was changed elsewhere since stays', async () => {
    const { file, undo, text } = await afterwards()
    put(file, text.replace('"y": {}', '"y": {}, "z": {}'))
    expect(await undo()).toBe('entries')
    expect(readFileSync(file, 'utf8')).toBe(before.replace('"y": {}', '"y": {}, "z": {}'))
  })

  test('an entry that was formatted anew is still the same', async () => {
    const { file, undo, text } = await afterwards()
    const parsed: unknown = JSON.parse(text.replaceAll(/\/\/ .*/g, ''))
    put(file, JSON.stringify(parsed))
    expect(await undo()).toBe('entries')
    expect(readFileSync(file, 'utf8')).toContain('mcp-remote')
  })

  test('an entry that was changed since is not touched', async () => {
    const { file, undo, text } = await afterwards()
    const changed = text.replace(URL_ARGUMENT, 'https://y.example/mcp')
    put(file, changed)
    await expect(undo()).rejects.toThrow('mcpServers.x was changed since')
    expect(readFileSync(file, 'utf8')).toBe(changed)
  })

  test('what somebody has undone by hand is done', async () => {
    const { file, undo } = await afterwards()
    put(file, before)
    expect(await undo()).toBe('nothing')
    expect(readFileSync(file, 'utf8')).toBe(before)
  })
})
