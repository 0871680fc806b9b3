import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readCommandLine } from '../src/arguments.ts'
import { ADOPTED_OPTIONS } from '../src/mcp-remote.ts'
import { readServerOptions, SERVER_OPTIONS } from '../src/options.ts'

const URL_ARGUMENT = 'https://mcp.example/mcp'
const CLIENT = '{"client_id":"c","client_secret":"s"}'

/** What the relay is told, as flat as the expectations below. */
function read(args: readonly string[]): Record<string, unknown> {
  const line = readCommandLine([URL_ARGUMENT, ...args])
  const { auth, ...options } = readServerOptions(line, {})
  return { ...options, ...auth, notes: line.notes }
}

/** Every option of mcp-remote 0.15.1, as its command line reader knows them, and what comes of each. */
const FLAGS: readonly [flag: string, args: readonly string[], expected: Record<string, unknown>][] =
  [
    ['<url> <port>', ['3334'], { callbackPort: 3334 }],
    ['--header', ['--header', 'X-Key:v'], { headers: { 'x-key': 'v' } }],
    ['--header-file', ['--header-file', '/dev/null'], { headers: {} }],
    ['--allow-http', ['--allow-http'], { allowHttp: true }],
    ['--transport', ['--transport', 'sse-first'], { strategy: 'sse-first' }],
    ['--host', ['--host', 'localhost'], { callbackHost: 'localhost' }],
    [
      '--callback-path',
      ['--callback-path', '/oauth/callback'],
      { callbackPath: '/oauth/callback' },
    ],
    ['--auth-timeout', ['--auth-timeout', '60'], { timeoutMs: 60_000 }],
    [
      '--auth-success-url',
      ['--auth-success-url', 'https://a.example/done'],
      { successUrl: 'https://a.example/done' },
    ],
    [
      '--static-oauth-client-info',
      ['--static-oauth-client-info', CLIENT],
      { client: { clientId: 'c', clientSecret: 's' } },
    ],
    [
      '--static-oauth-client-metadata',
      ['--static-oauth-client-metadata', '{"a":"b"}'],
      { clientMetadata: { a: 'b' } },
    ],
    [
      '--client-metadata-url',
      ['--client-metadata-url', 'https://a.example/c'],
      { clientMetadataUrl: 'https://a.example/c' },
    ],
    ['--resource', ['--resource', 'https://a.example/'], { resource: 'https://a.example/' }],
    ['--disable-resource-parameter', ['--disable-resource-parameter'], { resource: false }],
    [
      '--authorize-param',
      ['--authorize-param', 'audience=a'],
      { authorizeParams: { audience: 'a' } },
    ],
    ['--device-code', ['--device-code'], { grant: 'device_code' }],
    [
      '--client-credentials',
      ['--client-credentials', '--static-oauth-client-info', CLIENT],
      { grant: 'client_credentials' },
    ],
    [
      '--token-endpoint',
      [
        '--token-endpoint',
        'https://a.example/t',
        '--client-credentials',
        '--static-oauth-client-info',
        CLIENT,
      ],
      { tokenEndpoint: 'https://a.example/t' },
    ],
    ['--use-id-token', ['--use-id-token'], { useIdToken: true }],
    ['--ignore-tool', ['--ignore-tool', 'delete_*'], { tools: { ignore: ['delete_*'] } }],
    ['--silent', ['--silent'], { silent: true }],
    ['--debug', ['--debug'], {}],
    ['--headers-timeout', ['--headers-timeout', '90'], {}],
    ['--body-timeout', ['--body-timeout', '600'], {}],
    ['--connect-timeout', ['--connect-timeout', '5'], {}],
    ['--ipv4', ['--ipv4'], {}],
    [
      '--enable-proxy',
      ['--enable-proxy'],
      { notes: [expect.stringContaining('--enable-proxy is not needed')] },
    ],
    ['--disable-cookies', ['--disable-cookies'], {}],
    ['--keep-alive', ['--keep-alive'], {}],
    ['--ping-interval', ['--ping-interval', '30'], {}],
    [
      '--protocol',
      ['--protocol', 'auto'],
      { notes: [expect.stringContaining('--protocol is not needed')] },
    ],
  ]

test.each(FLAGS)('mcp-remote: %s', (_, args, expected) => {
  expect(read(args)).toMatchObject(expected)
})

test('the document has a row for each of them', () => {
  const document = readFileSync(
    new URL('../docs/migrate-from-mcp-remote.md', import.meta.url),
    'utf8',
  )
  const rows = [...document.matchAll(/^\| `(<url> <port>|--[\w-]+)/gm)].map(([, flag]) => flag)
  expect(rows).toEqual([...FLAGS.map(([flag]) => flag), '--help', '--version'])
})

describe('timeouts', () => {
  const timeout = (...args: string[]): unknown =>
    readServerOptions(readCommandLine([URL_ARGUMENT, ...args]), {}).timeoutMs

  test.each<[string[], number | undefined]>([
    [['--headers-timeout', '90'], 90_000],
    [['--body-timeout', '600'], 600_000],
    [['--headers-timeout', '90', '--body-timeout', '30'], 90_000],
    [['--headers-timeout', '90', '--body-timeout', '0'], undefined],
    [['--headers-timeout', '0'], undefined],
    [['--headers-timeout', '90', '--timeout', '5'], 5_000],
  ])('%j: %s', (args, ms) => {
    expect(timeout(...args)).toBe(ms)
  })
})

test('an empty --resource leaves the parameter out', () => {
  expect(read(['--resource', ''])).toMatchObject({ resource: false })
})

test('what is ours wins over what means the same', () => {
  const args = ['--host', 'localhost', '--callback-host', '127.0.0.1', '--callback-port', '1', '2']
  expect(read(args)).toMatchObject({ callbackHost: '127.0.0.1', callbackPort: 1 })
})

test('they are taken by commands for a server, and by no other', () => {
  const line = readCommandLine(['login', URL_ARGUMENT, '3334', '--host', 'localhost'])
  expect(line.values).toMatchObject({ 'callback-port': '3334', 'callback-host': 'localhost' })
  expect(() => readCommandLine(['completion', 'bash', '--host', 'x'])).toThrow(
    'Unknown option --host',
  )
})

test('a value of one is not mistaken for the command', () => {
  expect(readCommandLine(['--host', 'login', URL_ARGUMENT])).toMatchObject({ command: undefined })
})

test('an option that means another one names one that is there', () => {
  const names = new Set(SERVER_OPTIONS.map(({ name }) => name))
  for (const { means } of ADOPTED_OPTIONS) {
    for (const name of Object.keys(means?.('x') ?? {})) expect(names).toContain(name)
  }
})
