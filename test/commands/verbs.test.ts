import { describe, expect, test } from 'vitest'
import { helpText } from '../../src/commands/help.ts'
import { BridgeError, exitCodeOf } from '../../src/errors.ts'
import { COMMANDS, type LoginOptions, readInvocation } from '../../src/options.ts'

const URL_ARGUMENT = 'https://mcp.example/mcp'

function login(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): LoginOptions {
  const invocation = readInvocation(['login', URL_ARGUMENT, ...args], env)
  if (invocation.command !== 'login') throw new Error(`not a login: ${invocation.command}`)
  return invocation.options
}

test('bridge login takes what the relay takes', () => {
  const args = ['--profile', 'work', '--scope', 'a b', '--header', 'X-Team: 1', '--no-browser']
  const { auth, ...options } = login(args)
  expect(options).toMatchObject({ url: new URL(URL_ARGUMENT), headers: { 'x-team': '1' } })
  expect(auth).toMatchObject({ profile: 'work', scope: 'a b', attended: true, browser: false })
})

test('the relay is not attended by a person, and a login is', () => {
  expect(readInvocation([URL_ARGUMENT], {})).toMatchObject({
    command: 'relay',
    options: { auth: { attended: false, paste: false } },
  })
  expect(login().auth).toMatchObject({ attended: true, paste: false, browser: true })
})

test('the verb may stand behind options', () => {
  const argv = ['--profile', 'work', 'login', URL_ARGUMENT]
  expect(readInvocation(argv, {})).toMatchObject({ command: 'login' })
})

test('--force and --paste; who pastes has the browser elsewhere', () => {
  expect(login().force).toBe(false)
  const { force, auth } = login(['--force', '--paste'])
  expect({ force, paste: auth.paste, browser: auth.browser }).toEqual({
    force: true,
    paste: true,
    browser: false,
  })
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
      readInvocation(argv, {})
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
  for (const { name, help } of COMMANDS) {
    expect(helpText()).toMatch(new RegExp(`^  ${name} <server_url> +${help}$`, 'm'))
  }
})
