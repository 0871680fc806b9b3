import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { survey } from '../../src/hosts/entries.ts'
import { nameFor, prepare, type Request } from '../../src/hosts/install.ts'
import { problemsOf } from '../../src/hosts/problems.ts'
import { masked } from '../../src/hosts/secrets.ts'
import { HOSTS } from '../../src/hosts/table.ts'
import { type MachineOptions, put, testMachine } from './machine.ts'

const URL_ARGUMENT = 'https://x.example/mcp'
const OURS = `mcp-bridge@${packageJson.version}`

const hostNamed = (id: string) => HOSTS.find((host) => host.id === id)!

/** What an entry of Cursor, or another host, would start. */
const prepared = (more: Partial<Request>, options: MachineOptions = {}, id = 'cursor') => {
  const request: Request = {
    url: URL_ARGUMENT,
    name: 'x',
    scope: 'user',
    values: {},
    env: {},
    verbatim: [],
    pinNode: false,
    ...more,
  }
  return prepare(hostNamed(id), request, testMachine(options))
}

describe('how it is started', () => {
  const WINDOWS = { platform: 'win32' } as const
  test.each([
    ['by npx, with an exact version', {}, {}, 'cursor', ['npx', '-y', OURS, URL_ARGUMENT]],
    [
      'on Windows by cmd, since npx is a batch file',
      {},
      WINDOWS,
      'cursor',
      ['cmd', '/c', 'npx', '-y', OURS, URL_ARGUMENT],
    ],
    [
      'on Windows by a host that does so itself',
      {},
      WINDOWS,
      'roo',
      ['npx', '-y', OURS, URL_ARGUMENT],
    ],
    [
      'on Windows without cmd, when it would take the address apart',
      { url: 'https://x.example/mcp?a=1&b=2' },
      WINDOWS,
      'cursor',
      ['/opt/node/bin/node', '/opt/bridge.cjs', 'https://x.example/mcp?a=1&b=2'],
    ],
    [
      'by the full paths',
      { pinNode: true },
      {},
      'cursor',
      ['/opt/node/bin/node', '/opt/bridge.cjs', URL_ARGUMENT],
    ],
    [
      'with arguments as they are',
      { verbatim: ['--scope', 'a b'] },
      {},
      'cursor',
      ['npx', '-y', OURS, URL_ARGUMENT, '--scope', 'a b'],
    ],
  ])('%s', (_, more, options, id, words) => {
    const { launch } = prepared(more, options, id)
    expect([launch.command, ...launch.args]).toEqual(words)
  })

  test('--pin-node out of the cache of npx names npx itself: the cache may be emptied', () => {
    const machine = testMachine()
    const program = {
      ...machine.program,
      script: '/home/ada/.npm/_npx/1/node_modules/mcp-bridge/bin/bridge.cjs',
      npx: '/opt/node/lib/node_modules/npm/bin/npx-cli.js',
    }
    const request: Request = {
      url: URL_ARGUMENT,
      name: 'x',
      scope: 'user',
      values: {},
      env: {},
      verbatim: [],
      pinNode: true,
    }
    const { launch } = prepare(hostNamed('cursor'), request, { ...machine, program })
    expect([launch.command, ...launch.args]).toEqual([
      '/opt/node/bin/node',
      program.npx,
      '-y',
      OURS,
      URL_ARGUMENT,
    ])
  })
})

describe('options of the server', () => {
  test.each([
    [
      { transport: 'http-only', 'no-browser': true },
      ['--transport', 'http-only', '--no-browser'],
      {},
    ],
    [{ header: ['X-Team: 1'] }, ['--header', 'X-Team:${X_TEAM}'], { X_TEAM: '1' }],
    [{ scope: 'a b' }, [], { BRIDGE_SCOPE: 'a b' }],
    [{ profile: '-x' }, ['--profile=-x'], {}],
  ])('%j', (values, args, env) => {
    const { launch } = prepared({ values })
    expect(launch.args.slice(3)).toEqual(args)
    expect(launch.env).toEqual(env)
  })

  test('files are named by their full paths: hosts start programs anywhere', () => {
    const { launch } = prepared({ values: { 'header-file': ['h.txt'] } })
    expect(launch.args.at(-1)).toMatch(/^\/.*\/project\/h\.txt$/)
  })

  test('what an option reads from the environment comes along, and is not shown', () => {
    const env = { SECRET: 's3cret', TOKEN: 't0ken' }
    const values = { 'client-secret-env': 'SECRET', header: ['Authorization: Bearer ${TOKEN}'] }
    const { launch, secrets, warnings } = prepared({ values }, { env })
    expect(launch.env).toEqual({ SECRET: 's3cret', AUTHORIZATION: 'Bearer t0ken' })
    expect(secrets).toEqual(['Bearer t0ken', 's3cret'])
    expect(warnings).toEqual(['The configuration of Cursor holds a secret in plain text now.'])
  })

  test('a secret in the address can only be warned of', () => {
    const { warnings } = prepared({ url: 'https://x.example/mcp?api_key=1' })
    expect(warnings[0]).toContain('api_key')
  })
})

describe('the environment that a host would drop', () => {
  const env = {
    HTTPS_PROXY: 'http://u:p4ss@proxy.example:8080',
    NODE_EXTRA_CA_CERTS: '/ca.pem',
    XDG_DATA_HOME: '/data',
    DISPLAY: ':0',
    EDITOR: 'vi',
    TOKEN: 'x',
  }

  test('is put into the entry', () => {
    const { launch, secrets } = prepared({}, { env })
    const { EDITOR: _, TOKEN: __, ...needed } = env
    expect(launch.env).toEqual(needed)
    expect(secrets).toEqual([env.HTTPS_PROXY])
  })

  test.each([
    ['of a host that keeps it, nothing', env, 'claude-code', {}],
    ['a display that came over SSH is not', { DISPLAY: ':10', SSH_CONNECTION: '1' }, 'cursor', {}],
    [
      'BRIDGE_HOME stands for the folders',
      { BRIDGE_HOME: '/b', XDG_DATA_HOME: '/d' },
      'cursor',
      { BRIDGE_HOME: '/b' },
    ],
  ])('%s', (_, shell, id, expected) => {
    expect(prepared({}, { env: shell }, id).launch.env).toEqual(expected)
  })
})

test.each([
  ['https://mcp.linear.app/mcp', 'linear'],
  ['https://example.com/', 'example'],
  ['https://api.mcp.eu.example.org/x', 'eu-example'],
  ['http://localhost:3000/mcp', 'localhost'],
  ['http://127.0.0.1:3000/mcp', '127-0-0-1'],
  ['http://[::1]/mcp', '1'],
  ['https://mcp.com/', 'mcp-com'],
])('%s is called %s', (url, name) => {
  expect(nameFor(new URL(url))).toBe(name)
})

describe('bridge list finds', () => {
  const npx = (...args: string[]) => ({ command: 'npx', args: ['-y', ...args] })
  test.each([
    ['nothing', npx(OURS, URL_ARGUMENT), []],
    ['mcp-remote', npx('mcp-remote@0.1.38', URL_ARGUMENT), ['mcp-remote']],
    ['no version', npx('mcp-bridge', URL_ARGUMENT), ['unpinned']],
    ['a tag', npx('mcp-bridge@latest', URL_ARGUMENT), ['unpinned']],
    ['another version', npx('mcp-bridge@0.0.1', URL_ARGUMENT), ['outdated']],
    ['a secret', npx(OURS, URL_ARGUMENT, '--header', 'Authorization:abc'), ['secret-in-arguments']],
    ['a secret in the address', npx(OURS, `${URL_ARGUMENT}?token=1`), ['secret-in-arguments']],
    ['a password in the address', npx(OURS, 'https://u:p@x.dev/mcp'), ['secret-in-arguments']],
    ['a parameter without a value', npx(OURS, `${URL_ARGUMENT}?token=`), []],
    [
      'a secret of a client',
      npx(OURS, URL_ARGUMENT, '--static-oauth-client-info', '{"client_secret":"x"}'),
      ['secret-in-arguments'],
    ],
    ['a space', npx(OURS, URL_ARGUMENT, '--scope', 'a b'), ['space-in-arguments']],
    [
      'a variable that is not there',
      npx(OURS, URL_ARGUMENT, '--header', 'Authorization:${A}'),
      ['missing-variable'],
    ],
    [
      'an old Node',
      { command: '/x/versions/node/v18.0.0/bin/node', args: ['/x/bin/bridge.cjs', URL_ARGUMENT] },
      ['old-node'],
    ],
    [
      'a Node that is gone',
      { command: '/gone/bin/node', args: ['/x/bin/bridge.cjs', URL_ARGUMENT] },
      ['missing-file'],
    ],
    [
      'a way that is not understood',
      { command: 'sh', args: ['-c', 'npx mcp-remote'] },
      ['not-understood'],
    ],
  ])('%s', async (_, entry, codes) => {
    const { system } = testMachine()
    put(join(system.home, '.cursor', 'mcp.json'), JSON.stringify({ mcpServers: { x: entry } }))
    const { entries } = await survey(system)
    const problems = problemsOf(entries[0]!, 'linux', (path) => !path.startsWith('/gone'))
    expect(problems.map(({ code }) => code)).toEqual(codes)
  })

  test('npx without cmd on Windows, and a file that cannot be read', async () => {
    const { system } = testMachine()
    put(join(system.home, '.cursor', 'mcp.json'), JSON.stringify({ mcpServers: { x: npx(OURS) } }))
    put(join(system.home, '.kiro', 'settings', 'mcp.json'), '{')
    const { entries, failures } = await survey(system)
    expect(problemsOf(entries[0]!, 'win32').map(({ code }) => code)).toEqual(['needs-cmd'])
    expect(failures.map(({ host }) => host.id)).toEqual(['kiro'])
  })
})

test.each([
  ['"API_KEY": "abc"', '"API_KEY": "…"'],
  ['"--header", "Authorization: Bearer abc.def"', '"--header", "Authorization: …"'],
  ['  api_token = "abc"', '  api_token = "…"'],
  ['"X-Session: abc def"', '"X-Session: …"'],
  ['"Authorization:${AUTHORIZATION}"', '"Authorization:${AUTHORIZATION}"'],
  ['"tokens": {', '"tokens": {'],
  ['"command": "npx"', '"command": "npx"'],
])('%s is shown as %s', (line, shown) => {
  expect(masked(line)).toBe(shown)
})
