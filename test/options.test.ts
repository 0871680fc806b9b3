import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readCommandLine } from '../src/arguments.ts'
import { helpText } from '../src/commands/help.ts'
import { BridgeError, exitCodeOf } from '../src/errors.ts'
import { readServerOptions, SERVER_OPTIONS, type ServerOptions } from '../src/options.ts'

const URL_ARGUMENT = 'https://mcp.example/mcp'

function read(args: readonly string[], env: NodeJS.ProcessEnv = {}): ServerOptions {
  return readServerOptions(readCommandLine(args), env)
}

/** The options of a relay to the usual server. */
const options = (args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): ServerOptions =>
  read([URL_ARGUMENT, ...args], env)

function failure(args: readonly string[], env: NodeJS.ProcessEnv = {}): BridgeError {
  try {
    read(args, env)
  } catch (error) {
    if (error instanceof BridgeError) return error
    throw error
  }
  throw new Error('no failure')
}

/** A file with this content, gone after the test. */
function file(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'bridge-options-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'headers')
  writeFileSync(path, content)
  return path
}

describe('the relay', () => {
  test('without anything else', () => {
    expect(options()).toMatchObject({
      url: new URL(URL_ARGUMENT),
      headers: {},
      strategy: 'auto',
      timeoutMs: undefined,
    })
    expect(Object.isFrozen(options())).toBe(true)
  })

  test('the help names every option and its variable', () => {
    const help = helpText()
    for (const { name, variable } of SERVER_OPTIONS) {
      expect(help).toContain(`--${name}`)
      expect(help).toContain(variable === undefined ? '' : `[${variable}]`)
    }
  })
})

describe('the server URL', () => {
  test.each([
    'https://mcp.example/mcp?key=a%20b',
    'http://localhost:3000/mcp',
    'http://LOCALHOST/mcp',
    'http://a.localhost/',
    'http://127.0.0.1:8080/',
    'http://127.1.2.3/',
    'http://[::1]:3000/mcp',
  ])('may be %s', (url) => {
    expect(read([url])).toMatchObject({ url: new URL(url) })
  })

  test('loses its fragment', () => {
    expect(read([`${URL_ARGUMENT}#top`]).url).toEqual(new URL(URL_ARGUMENT))
  })

  test.each<[string, string]>([
    ['mcp.example/mcp', 'Not a URL: mcp.example/mcp'],
    ['ftp://mcp.example/', 'Not an http(s) URL: ftp://mcp.example/'],
    ['file:///etc/passwd', 'Not an http(s) URL: file:///etc/passwd'],
    ['https://me:pw@mcp.example/', 'The server URL contains a user name or a password.'],
    ['https://me@mcp.example/', 'The server URL contains a user name or a password.'],
    [
      'http://mcp.example/',
      'http://mcp.example is not encrypted: everybody on the way can read it.',
    ],
    [
      'http://localhost.example/',
      'http://localhost.example is not encrypted: everybody on the way can read it.',
    ],
    [
      'http://192.168.0.1/',
      'http://192.168.0.1 is not encrypted: everybody on the way can read it.',
    ],
    ['http://0.0.0.0/', 'http://0.0.0.0 is not encrypted: everybody on the way can read it.'],
  ])('may not be %s', (url, message) => {
    const error = failure([url])
    expect(error.message).toBe(message)
    expect(error.hint).toBeDefined()
    expect(exitCodeOf(error.code)).toBe(2)
  })

  test.each<[string[], NodeJS.ProcessEnv]>([
    [['--allow-http'], {}],
    [[], { BRIDGE_ALLOW_HTTP: '1' }],
    [[], { BRIDGE_ALLOW_HTTP: 'true' }],
  ])('may be http:// elsewhere with %j %j', (args, env) => {
    expect(read(['http://mcp.example/', ...args], env).url).toEqual(new URL('http://mcp.example/'))
  })

  test.each(['0', 'false', 'no', 'off', 'OFF', ''])(
    'and not with BRIDGE_ALLOW_HTTP=%j',
    (value) => {
      expect(failure(['http://mcp.example/'], { BRIDGE_ALLOW_HTTP: value }).code).toBe('usage')
    },
  )

  test('is needed, and only one', () => {
    expect(failure([]).message).toBe('No server URL.')
    expect(failure([URL_ARGUMENT, 'more']).message).toBe('One server URL only; more is too much.')
  })
})

describe('an option that nobody knows', () => {
  test.each<[string, string]>([
    ['--heder', 'Did you mean --header?'],
    ['--headers', 'Did you mean --header?'],
    ['--header-flie', 'Did you mean --header-file?'],
    ['--transprot=http', 'Did you mean --transport?'],
    ['--time-out', 'Did you mean --timeout?'],
    ['--verison', 'Did you mean --version?'],
    ['--xyzzy-plugh', 'bridge --help lists the options.'],
    ['-q', 'bridge --help lists the options.'],
  ])('%s: %s', (option, hint) => {
    const error = failure([URL_ARGUMENT, option])
    expect(error.message).toBe(`Unknown option ${option.replace(/=.*/, '')}.`)
    expect(error.hint).toBe(hint)
    expect(exitCodeOf(error.code)).toBe(2)
  })

  test.each([['--transport'], ['--timeout'], ['--allow-http=yes']])(
    '%s is not used so',
    (option) => {
      const error = failure([URL_ARGUMENT, option])
      expect(error.code).toBe('usage')
      expect(error.message).not.toContain('\n')
    },
  )
})

describe('the transport', () => {
  const words = ['auto', 'http', 'sse', 'http-first', 'sse-first', 'http-only', 'sse-only']
  test.each(words)('may be %s', (word) => {
    expect(options(['--transport', word]).strategy).toBe(word)
    expect(options([], { BRIDGE_TRANSPORT: word }).strategy).toBe(word)
  })

  test('of the flag wins', () => {
    expect(options(['--transport', 'sse'], { BRIDGE_TRANSPORT: 'http' }).strategy).toBe('sse')
  })

  test('is one of these', () => {
    const error = failure([URL_ARGUMENT, '--transport', 'stdio'])
    expect(error.message).toBe('Unknown transport stdio.')
    for (const word of words) expect(error.hint).toContain(word)
  })
})

describe('the timeout', () => {
  test.each<[string, number]>([
    ['90', 90_000],
    ['90s', 90_000],
    ['1.5s', 1_500],
    ['500ms', 500],
    ['5m', 300_000],
    ['1h', 3_600_000],
  ])('%s is %i ms', (value, ms) => {
    expect(options(['--timeout', value]).timeoutMs).toBe(ms)
    expect(options([], { BRIDGE_TIMEOUT: value }).timeoutMs).toBe(ms)
  })

  test('of the flag wins, and an empty variable is none', () => {
    expect(options(['--timeout', '1s'], { BRIDGE_TIMEOUT: '2s' }).timeoutMs).toBe(1_000)
    expect(options([], { BRIDGE_TIMEOUT: '' }).timeoutMs).toBeUndefined()
  })

  test.each(['soon', '0', '-1', '1d', '1 s', '1e3', 'Infinity'])('may not be %s', (value) => {
    expect(failure([URL_ARGUMENT, `--timeout=${value}`]).message).toBe(`Not a duration: ${value}`)
  })
})

describe('a header', () => {
  test.each<[string, Record<string, string>]>([
    ['X-Key: value', { 'x-key': 'value' }],
    ['X-Key:value', { 'x-key': 'value' }],
    ['X-Key :  a: b  ', { 'x-key': 'a: b' }],
    ['X-Key:', { 'x-key': '' }],
    ['X-Key: é', { 'x-key': 'é' }],
    ['X-Key: ${TOKEN}', { 'x-key': 's3cret' }],
    ['X-Key: a${TOKEN}b${TOKEN}', { 'x-key': 'as3cretbs3cret' }],
    ['X-Key: ${EMPTY}', { 'x-key': '' }],
    ['X-Key: $TOKEN $5 {TOKEN}', { 'x-key': '$TOKEN $5 {TOKEN}' }],
    ['Authorization: Bearer ${TOKEN}', { authorization: 'Bearer s3cret' }],
  ])('%s', (header, expected) => {
    expect(options(['--header', header], { TOKEN: 's3cret', EMPTY: '' }).headers).toEqual(expected)
  })

  test('may be given several times; the last word on a name counts', () => {
    expect(options(['--header', 'A: 1', '--header', 'b: 2', '--header', 'a: 3']).headers).toEqual({
      a: '3',
      b: '2',
    })
  })

  test('may come from a file with comments and empty lines', () => {
    const path = file('# tokens\r\nA: 1\r\n\n  \nB: ${TOKEN}\n')
    expect(options(['--header-file', path], { TOKEN: 'x' }).headers).toEqual({ a: '1', b: 'x' })
  })

  test('may come from the environment, as it is', () => {
    const env = { BRIDGE_HEADER_X_API_KEY: 'a${b}', BRIDGE_HEADER_: 'x', BRIDGE_HEADERS: 'y' }
    expect(options([], env).headers).toEqual({ 'x-api-key': 'a${b}' })
  })

  test('of a flag wins over that of a file, and that over the environment', () => {
    const path = file('A: file\nB: file\n')
    const env = { BRIDGE_HEADER_A: 'env', BRIDGE_HEADER_B: 'env', BRIDGE_HEADER_C: 'env' }
    expect(options(['--header', 'A: flag', '--header-file', path], env).headers).toEqual({
      a: 'flag',
      b: 'file',
      c: 'env',
    })
  })

  test.each<[string, string]>([
    ['secret', 'Not of the form "Name: value" (--header).'],
    [': secret', 'Not of the form "Name: value" (--header).'],
    ['X Key: secret', 'Not a header name: X Key (--header).'],
    ['Clé: secret', 'Not a header name: Clé (--header).'],
    ['X-Key: secret\u0000', 'The value of X-Key cannot stand in a header (--header).'],
    ['X-Key: secret\r\nX-Other: 1', 'The value of X-Key cannot stand in a header (--header).'],
    ['X-Key: secret\u2028!', 'The value of X-Key cannot stand in a header (--header).'],
  ])('may not be %j, and the message does not tell it', (header, message) => {
    const error = failure([URL_ARGUMENT, '--header', header])
    expect(error.message).toBe(message)
    expect(`${error.message} ${error.hint}`).not.toContain('secret')
  })

  test.each([
    'Accept',
    'Content-Type',
    'Content-Length',
    'Host',
    'Connection',
    'Transfer-Encoding',
    'Mcp-Session-Id',
    'MCP-Protocol-Version',
    'Mcp-Method',
    'Mcp-Name',
    'Last-Event-ID',
  ])('may not be %s, which the protocol sets', (name) => {
    const message = `The header ${name} is set by the protocol (--header).`
    expect(failure([URL_ARGUMENT, '--header', `${name}: x`]).message).toBe(message)
  })

  test.each<[string, () => string[]]>([
    ['--header', () => ['--header', 'A: ${BRIDGE_MISSING}']],
    ['a file', () => ['--header-file', file('A: ${BRIDGE_MISSING}\n')]],
  ])('with a variable that is not set is an error, from %s', (_, args) => {
    const error = failure([URL_ARGUMENT, ...args()])
    expect(error.code).toBe('header_variable_missing')
    expect(error.message).toMatch(/^\$\{BRIDGE_MISSING\} is not set \(/)
    expect(error.hint).toContain('BRIDGE_MISSING')
    expect(exitCodeOf(error.code)).toBe(2)
  })

  test('from a file that is not there is an error', () => {
    const error = failure([URL_ARGUMENT, '--header-file', '/nowhere/headers'])
    expect(error).toMatchObject({
      code: 'header_file_unreadable',
      message: 'Cannot read /nowhere/headers (ENOENT).',
    })
    expect(exitCodeOf(error.code)).toBe(2)
  })
})
