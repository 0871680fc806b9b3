import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readCommandLine } from '../../src/arguments.ts'
import { readServerOptions, SERVER_OPTIONS, type ServerOptions } from '../../src/options.ts'
import { govern, judge, judgeIssuer } from '../../src/policy/judge.ts'
import { policyPlaces } from '../../src/policy/places.ts'
import { type Policy, readPolicy } from '../../src/policy/read.ts'
import { emptyFolder } from '../store/folder.ts'

const FLAGS = SERVER_OPTIONS.map(({ name }) => name)

/** Reads a machine's policy and a user's, from files. */
function policyOf(machine?: string, user?: string): Policy & { machine: string; user: string } {
  const folder = emptyFolder()
  const places = { machine: join(folder, 'machine.json'), user: join(folder, 'user.json') }
  if (machine !== undefined) writeFileSync(places.machine, machine)
  if (user !== undefined) writeFileSync(places.user, user)
  return { ...readPolicy(places, FLAGS), ...places }
}

function options(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): ServerOptions {
  return readServerOptions(readCommandLine(['https://mcp.example.com/x', ...args]), env)
}

const SERVERS = `{
  "allowedServers": [
    "https://one.example.com",
    "https://*.example.com"
  ],
  "forbiddenFlags": ["allow-http", "header"],
  "requiredStore": "keychain"
}`

describe('a policy decides about a start, and says by which line', () => {
  test('what it allows goes on as it wants it', () => {
    const policy = policyOf(SERVERS)
    const { machine: file } = policy
    expect(judge(policy, options())).toEqual([
      { rule: 'allowedServers', verdict: 'allowed', file, line: 4, message: expect.any(String) },
      { rule: 'requiredStore', verdict: 'applied', file, line: 7, message: expect.any(String) },
    ])
    expect(govern(policy, options()).store).toBe('keychain')
    expect(govern(policy, options(['--store', 'keychain-only'])).store).toBe('keychain-only')
  })

  test.each([
    ['another server', '{\n"allowedServers": ["https://other.example"]}', [], {}, 2],
    ['a host that only ends alike', '{"allowedServers":\n["https://*.p.example.com"]}', [], {}, 1],
    ['another port', '{"allowedServers": ["https://mcp.example.com:8443"]}', [], {}, 1],
    ['a flag', SERVERS, ['--allow-http'], {}, 6],
    ['a flag by its variable', SERVERS, [], { BRIDGE_ALLOW_HTTP: '1' }, 6],
    ['a header by its variable', SERVERS, [], { BRIDGE_HEADER_X_KEY: 'k' }, 6],
    ['another store', SERVERS, ['--store', 'file'], {}, 7],
    [
      'an issuer',
      '{"allowedIssuers": ["https://idp.example"]}',
      ['--issuer', 'https://as.example'],
      {},
      1,
    ],
    ['an authority', '{"pinnedCa": "/etc/ca.pem"}', ['--use-system-ca'], {}, 1],
  ])('%s is refused', (_, machine, args, env, line) => {
    const policy = policyOf(machine)
    expect(() => govern(policy, options(args, env))).toThrow(`(${policy.machine}, line ${line}).`)
  })

  test('the machine wins over the user, rule by rule', () => {
    const policy = policyOf(
      '{"requiredStore": "keychain-only"}',
      '{"requiredStore": "file",\n"allowedServers": ["https://mcp.example.com"]}',
    )
    expect(govern(policy, options()).store).toBe('keychain-only')
    const [servers] = judge(policy, options())
    expect(servers).toMatchObject({ file: policy.user, line: 2, verdict: 'allowed' })
  })

  test('issuers are compared but for the last slash; without the rule each is fine', () => {
    const policy = policyOf('{"allowedIssuers": [\n"https://idp.example/"]}')
    expect(judgeIssuer(policy, 'https://idp.example')).toMatchObject({
      verdict: 'allowed',
      line: 2,
    })
    expect(judgeIssuer(policy, 'https://idp.example/x')).toMatchObject({
      verdict: 'refused',
      line: 1,
    })
    expect(judgeIssuer({}, 'https://anybody.example')).toBeUndefined()
  })

  test('a pinned authority is the only one', () => {
    const policy = policyOf('{"pinnedCa": "/etc/ca.pem"}')
    expect(govern(policy, options()).network.pinnedCaFile).toBe('/etc/ca.pem')
  })
})

describe('a policy that is not understood lets nothing start', () => {
  test.each([
    ['an unknown rule', '{\n\n"allowedSevers": []}', 3, /"allowedSevers" is no rule/],
    ['a rule twice', '{"allowedServers": [],\n"allowedServers": []}', 2, /a second allowedServers/],
    ['no JSON', '{"allowedServers":\n\n[}', 3, /not JSON/],
    ['an empty file', '', 1, /not JSON/],
    ['no object', '[]', 1, /an object/],
    ['no list', '{"allowedServers": "https://a.example"}', 1, /a list of texts/],
    ['no text', '{"allowedIssuers": [\n1]}', 2, /a text/],
    [
      'a path behind an origin',
      '{"allowedServers": [\n\n"https://a.example/mcp"]}',
      3,
      /no origin/,
    ],
    ['two stars', '{"allowedServers": ["https://*.*.example"]}', 1, /no origin/],
    ['no URL', '{"allowedIssuers": ["idp"]}', 1, /no URL/],
    ['an unknown store', '{"requiredStore": "vault"}', 1, /one of file/],
    ['an unknown flag', '{"forbiddenFlags": [\n"allow-htp"]}', 2, /no option --allow-htp/],
  ])('%s', (_, text, line, why) => {
    for (const place of ['machine', 'user'] as const) {
      const [machine, user] = place === 'machine' ? [text, undefined] : [undefined, text]
      expect(() => policyOf(machine, user)).toThrow(why)
      expect(() => policyOf(machine, user)).toThrow(`${place}.json is not valid: line ${line}:`)
    }
  })

  test('what is there and cannot be read', () => {
    const folder = emptyFolder()
    const machine = join(folder, 'policy.json')
    mkdirSync(machine)
    chmodSync(folder, 0o700)
    const read = (): Policy => readPolicy({ machine, user: join(folder, 'none') }, FLAGS)
    expect(read).toThrow(/cannot be read \(EISDIR\)/)
  })

  test('a place that is not there is no policy', () => {
    const folder = emptyFolder()
    const file = join(folder, 'file')
    writeFileSync(file, '')
    expect(
      readPolicy({ machine: join(file, 'policy.json'), user: join(folder, 'x') }, FLAGS),
    ).toEqual({})
  })
})

test('the places of the three systems', () => {
  const at = (platform: NodeJS.Platform, env = {}): string =>
    policyPlaces(env, platform === 'win32' ? 'C:\\u' : '/u', platform).machine
  expect(at('linux')).toBe('/etc/bridge/policy.json')
  expect(at('darwin')).toBe('/Library/Application Support/bridge/policy.json')
  expect(at('win32', { ProgramData: 'D:\\Data' })).toBe('D:\\Data\\bridge\\policy.json')
  expect(policyPlaces({}, 'C:\\u', 'win32').user).toBe('C:\\u\\policy.json')
})
