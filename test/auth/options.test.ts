import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { AuthOptions } from '../../src/auth/options.ts'
import { readCommandLine } from '../../src/arguments.ts'
import { readServerOptions } from '../../src/options.ts'
import { emptyFolder } from '../store/folder.ts'

function read(argv: readonly string[], env: NodeJS.ProcessEnv = {}): AuthOptions {
  return readServerOptions(readCommandLine(['https://h.example/mcp', ...argv]), env).auth
}

test('without flags: a browser, the default profile, no client of its own', () => {
  expect(read([])).toMatchObject({
    grant: 'authorization_code',
    profile: 'default',
    client: undefined,
    clientMetadata: {},
    resource: undefined,
    authorizeParams: {},
    browser: true,
    timeoutMs: 300_000,
    allowHttp: false,
    allowMissingPkce: false,
    allowPrivate: false,
  })
})

test('the environment says the same, and a flag wins', () => {
  const env = { BRIDGE_PROFILE: 'env', BRIDGE_SCOPE: 'a b', BRIDGE_NO_BROWSER: '1' }
  expect(read([], env)).toMatchObject({ profile: 'env', scope: 'a b', browser: false })
  expect(read(['--profile', 'flag'], env).profile).toBe('flag')
  // As hosts pass on what was left empty in a form.
  expect(read([], { BRIDGE_PROFILE: '', BRIDGE_SCOPE: '' })).toMatchObject({
    profile: 'default',
    scope: undefined,
  })
})

describe('A-41: the client of the user', () => {
  test('its secret from the environment or from a file, its key from a file', () => {
    const folder = emptyFolder()
    writeFileSync(join(folder, 'secret'), 'from file\n', { mode: 0o600 })
    writeFileSync(join(folder, 'key'), 'pem', { mode: 0o600 })
    const id = ['--client-id', 'c']
    const env = { S: 'from env' }
    expect(read([...id, '--client-secret-env', 'S'], env).client?.clientSecret).toBe('from env')
    const file = ['--client-secret-file', join(folder, 'secret')]
    expect(read([...id, ...file]).client?.clientSecret).toBe('from file')
    const key = ['--client-key-file', join(folder, 'key')]
    expect(read([...id, ...key]).client).toMatchObject({ key: 'pem', clientSecret: undefined })
  })

  test('in the spelling of mcp-remote', () => {
    const info = JSON.stringify({
      client_id: '${ID}',
      client_secret: '${S}',
      token_endpoint_auth_method: 'client_secret_post',
    })
    // A quote in a variable stays inside its text.
    const env = { ID: 'c', S: 'a"b\\c' }
    expect(read(['--static-oauth-client-info', info], env).client).toEqual({
      clientId: 'c',
      clientSecret: 'a"b\\c',
      key: undefined,
      authMethod: 'client_secret_post',
    })
  })
})

describe('what is refused as configuration', () => {
  test.each<[string, string[], RegExp]>([
    ['a secret without a client', ['--client-secret-env', 'S'], /its id is missing/],
    [
      'a variable that is not set',
      ['--client-id', 'c', '--client-secret-env', 'NONE'],
      /NONE is not set/,
    ],
    [
      'a file that is not there',
      ['--client-id', 'c', '--client-secret-file', '/none'],
      /Cannot read/,
    ],
    [
      'client credentials without a secret',
      ['--client-credentials', '--client-id', 'c'],
      /of its own/,
    ],
    ['two grants', ['--client-credentials', '--device-code'], /exclude each other/],
    ['two resources', ['--resource', 'x', '--no-resource'], /exclude each other/],
    ['no JSON', ['--static-oauth-client-info', 'secret'], /is not a JSON object/],
    ['a variable in JSON', ['--static-oauth-client-info', '{"client_id":"${NONE}"}'], /NONE/],
    ['JSON in no file', ['--static-oauth-client-info', '@/none'], /Cannot read \/none \(ENOENT/],
    ['a JSON list', ['--static-oauth-client-metadata', '[]'], /is not a JSON object/],
    ['an issuer that is no URL', ['--issuer', 'as'], /not a URL/],
    ['a parameter without a name', ['--authorize-param', '=x'], /name=value/],
    ['a parameter of the protocol', ['--authorize-param', 'state=x'], /set by the protocol/],
    [
      'a redirect of the user’s own',
      ['--authorize-param', 'redirect_uri=x'],
      /set by the protocol/,
    ],
    ['a port that is none', ['--callback-port', '65536'], /not a port/],
    ['a port that is no number', ['--callback-port', 'x'], /not a port/],
    ['a client that is described nowhere', ['--client-metadata-url', 'x'], /an https URL: x/],
    ['the endpoint of a program', ['--token-endpoint', 'https://a.example'], /belongs to --client/],
    [
      'an endpoint that is no URL',
      [
        '--client-credentials',
        '--client-id',
        'c',
        '--client-secret-env',
        'S',
        '--token-endpoint',
        'x',
      ],
      /no https URL: x/,
    ],
    ['a callback to another machine (A-65)', ['--callback-host', '0.0.0.0'], /0\.0\.0\.0/],
    ['a path without a slash', ['--callback-path', 'x'], /slash/],
    ['a path with a query', ['--callback-path', '/x?y'], /slash/],
  ])('%s', (_, argv, message) => {
    expect(() => read(argv, { S: 'x' })).toThrow(message)
  })

  test('no secret is quoted', () => {
    for (const argv of [
      ['--static-oauth-client-info', 'sentinel'],
      ['--static-oauth-client-info', '{"client_secret":"sentinel"}'],
    ]) {
      let message = ''
      try {
        read(argv)
      } catch (error) {
        message = String(error)
      }
      expect(message).not.toBe('')
      expect(message).not.toContain('sentinel')
    }
  })
})

test('--authorize-param keeps what comes after the first equals sign', () => {
  expect(read(['--authorize-param', 'a=b=c', '--authorize-param', 'd='])).toMatchObject({
    authorizeParams: { a: 'b=c', d: '' },
  })
})

const IDP = ['--idp-issuer', 'https://idp.example', '--idp-client-id', 'c']

test.each<[string, string[], RegExp]>([
  ['two ways to get a token', [...IDP, '--workload-token-env', 'T'], /exclude each other/],
  [
    'a command beside a code on another device',
    ['--token-command', 'x', '--device-code'],
    /exclude/,
  ],
  ['a client of a provider that is not named', ['--idp-client-id', 'c'], /issuer is missing/],
  ['a token of a provider that is not named', ['--id-token-env', 'T'], /issuer is missing/],
  ['a provider that is no URL', ['--idp-issuer', 'idp', '--idp-client-id', 'c'], /not a URL: idp/],
  ['a provider that does not know us', ['--idp-issuer', 'https://idp.example'], /know the client/],
  ['a secret that is not set', [...IDP, '--idp-client-secret-env', 'S'], /S is not set/],
  [
    'two places for one token',
    ['--workload-token-env', 'T', '--workload-token-file', 'f'],
    /One --workload-token-… only/,
  ],
  ['another use of DPoP', ['--dpop', 'maybe'], /Unknown dpop maybe/],
  [
    'a page that could carry a secret',
    ['--auth-success-url', 'https://a.example/?x'],
    /no plain https/,
  ],
  ['a page without a lock', ['--auth-success-url', 'http://a.example/'], /no plain https/],
  ['a page that is no URL', ['--auth-success-url', 'a'], /no plain https/],
])('refused: %s', (_, argv, message) => {
  expect(() => read(argv)).toThrow(message)
})

test('a person may sign in at the identity provider in any way', () => {
  expect(read([...IDP, '--device-code'])).toMatchObject({
    grant: 'enterprise',
    idp: { issuer: 'https://idp.example', device: true },
  })
  expect(read(['--dpop', 'off']).dpop).toBe('off')
  expect(read(['--id-token-command', 'x y', ...IDP]).idp?.idToken).toMatchObject({
    kind: 'command',
    words: ['x', 'y'],
  })
})
