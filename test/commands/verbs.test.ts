import { describe, expect, test } from 'vitest'
import { helpText } from '../../src/commands/help.ts'
import { BridgeError, exitCodeOf } from '../../src/errors.ts'
import { readCommandLine } from '../../src/arguments.ts'
import { COMMANDS } from '../../src/commands/table.ts'
import { readServerOptions, type ServerOptions } from '../../src/options.ts'

const URL_ARGUMENT = 'https://mcp.example/mcp'

function login(args: readonly string[] = []): ServerOptions {
  return readServerOptions(readCommandLine(['login', URL_ARGUMENT, ...args]), {}, 'a person')
}

test('bridge login takes what the relay takes', () => {
  const args = ['--profile', 'work', '--scope', 'a b', '--header', 'X-Team: 1', '--no-browser']
  const { auth, ...options } = login(args)
  expect(options).toMatchObject({ url: new URL(URL_ARGUMENT), headers: { 'x-team': '1' } })
  expect(auth).toMatchObject({ profile: 'work', scope: 'a b', attended: true, browser: false })
})

test('the relay is not attended by a person, and a login is', () => {
  const line = readCommandLine([URL_ARGUMENT])
  expect(line.command).toBeUndefined()
  expect(readServerOptions(line, {}).auth).toMatchObject({ attended: false, paste: false })
  expect(login().auth).toMatchObject({ attended: true, paste: false, browser: true })
})

test.each([
  [['--profile', 'work', 'login', URL_ARGUMENT], 'login', [URL_ARGUMENT]],
  [['--no-browser', 'login', URL_ARGUMENT], 'login', [URL_ARGUMENT]],
  [['--profile=work', 'login', '--force', URL_ARGUMENT], 'login', [URL_ARGUMENT]],
  [['--profile', 'login', URL_ARGUMENT], undefined, [URL_ARGUMENT]],
  [['--', URL_ARGUMENT], undefined, [URL_ARGUMENT]],
  [[URL_ARGUMENT], undefined, [URL_ARGUMENT]],
  [[], undefined, []],
])('%j: the command is %s', (argv, command, operands) => {
  expect(readCommandLine(argv)).toMatchObject({ command, operands })
})

test('--paste: who pastes has the browser elsewhere', () => {
  const { auth } = login(['--force', '--paste'])
  expect({ paste: auth.paste, browser: auth.browser }).toEqual({ paste: true, browser: false })
})

describe('a usage error, with a way out', () => {
  test.each([
    [['lgoin', URL_ARGUMENT], /^Unknown command lgoin\.$/, 'Did you mean bridge login?'],
    [['logn'], /^Unknown command logn\.$/, 'Did you mean bridge login?'],
    [['frobnicate'], /^Unknown command frobnicate\.$/, 'Usage: bridge <server_url>'],
    [['login'], /^No server URL\.$/, 'Usage: bridge login <server_url>'],
    [['login', 'mcp.example/mcp'], /^Not a URL/, 'Usage: bridge https://example.com/mcp'],
    [['login', URL_ARGUMENT, 'more'], /more is too much/, undefined],
    [[URL_ARGUMENT, 'login'], /login is too much/, undefined],
    [[URL_ARGUMENT, '--paste'], /^--paste belongs to bridge login\.$/, undefined],
    [[URL_ARGUMENT, '--force'], /^--force belongs to bridge login\.$/, undefined],
    [['login', URL_ARGUMENT, '--past'], /^Unknown option --past\.$/, 'Did you mean --paste?'],
    [['login', URL_ARGUMENT, '--paste', '--device-code'], /--paste is for a sign-in/, undefined],
  ])('%j', (argv, message, hint) => {
    let failure: unknown
    try {
      readServerOptions(readCommandLine(argv), {}, 'a person')
    } catch (error) {
      failure = error
    }
    expect(failure).toBeInstanceOf(BridgeError)
    const { code, message: said, hint: way } = failure as BridgeError
    expect(said).toMatch(message)
    expect(way).toBe(hint)
    expect(exitCodeOf(code)).toBe(2)
  })
})

test('the help names every command', () => {
  for (const { name, operands, help } of COMMANDS) {
    expect(helpText()).toContain(`  ${name} ${operands}`)
    expect(helpText()).toContain(`${help}\n`)
  }
})

describe.each([...COMMANDS])('bridge $name --help', ({ name, operands, help, options }) => {
  test('says what it does and names every option of it', () => {
    const said = helpText(name)
    expect(said).toContain(`Usage: bridge ${name} ${operands} [options]\n\n${help}\n`)
    for (const option of options) {
      expect(said).toContain(`--${option.name}`)
      expect(said).toContain(option.help)
    }
  })
})

test('help on a command that is not there', () => {
  expect(() => helpText('lgoin')).toThrow('Unknown command lgoin.')
})
