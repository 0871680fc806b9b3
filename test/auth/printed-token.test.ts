import { describe, expect, test } from 'vitest'
import { printedToken } from '../../src/auth/printed-token.ts'
import { commandWords } from '../../src/auth/words.ts'

const NOW = Date.UTC(2026, 10, 24)
const HOUR = 3_600_000
const soon = new Date(NOW + HOUR).toISOString()
const seconds = (NOW + HOUR) / 1000
const jwt = `e30.${Buffer.from(JSON.stringify({ exp: seconds })).toString('base64url')}.sig`

describe('the shapes in which programs print tokens', () => {
  test.each([
    ['a bare token', 't0ken\n', undefined],
    ['a bare JWT', jwt, HOUR],
    [
      'an OAuth token response',
      { access_token: 't0ken', token_type: 'Bearer', expires_in: 3600 },
      HOUR,
    ],
    [
      'Azure CLI',
      { accessToken: 't0ken', expiresOn: '2001-01-01 00:00:00.000000', expires_on: seconds },
      HOUR,
    ],
    ['the same with digits in a text', { token: 't0ken', expires_on: `${seconds}` }, HOUR],
    ['Google Cloud CLI', { token: 't0ken', expiry: soon }, HOUR],
    ['GitHub Actions', { count: 4, value: 't0ken' }, undefined],
    [
      'Google’s executable-sourced credentials',
      { version: 1, success: true, id_token: 't0ken', expiration_time: seconds },
      HOUR,
    ],
    [
      'Kubernetes’ ExecCredential',
      { kind: 'ExecCredential', status: { token: 't0ken', expirationTimestamp: soon } },
      HOUR,
    ],
    [
      'Bazel’s credential helper',
      { headers: { Authorization: ['Bearer t0ken'] }, expires: soon },
      HOUR,
    ],
    ['Docker’s credential helper', { Username: '<token>', Secret: 't0ken' }, undefined],
    ['milliseconds', { token: 't0ken', expiresAt: NOW + HOUR }, HOUR],
  ])('%s', (_, output, lifetime) => {
    const text = typeof output === 'string' ? output : JSON.stringify(output, null, 2)
    const found = printedToken(text, NOW)
    expect(found?.token).toBe(output === jwt ? jwt : 't0ken')
    expect(found?.expiresAt).toBe(lifetime === undefined ? undefined : NOW + lifetime)
  })

  test.each([
    '',
    ' \n',
    'two words',
    'a\nb',
    '{}',
    '{"token":""}',
    '{"token":"a b"}',
    '{broken',
    '{"headers":{"Authorization":["Basic x"]}}',
  ])('no token: %j', (output) => {
    expect(printedToken(output, NOW)).toBeUndefined()
  })
})

describe('a command is split without a shell', () => {
  test.each([
    ['tool print', ['tool', 'print']],
    ["  tool   --audience='my api'  ", ['tool', '--audience=my api']],
    ['"C:\\Program Files\\tool.exe" "" x', ['C:\\Program Files\\tool.exe', '', 'x']],
    ['tool $HOME `id` ; rm *.txt', ['tool', '$HOME', '`id`', ';', 'rm', '*.txt']],
    ['["tool","a b","\\""]', ['tool', 'a b', '"']],
  ])('%s', (command, words) => {
    expect(commandWords(command, '--x')).toEqual(words)
  })

  test.each(['', '  ', "tool 'open", '[]', '["tool", 1]', '["tool"', '[""]', '""'])(
    'no command: %j',
    (command) => {
      expect(() => commandWords(command, '--x')).toThrow(/Not a command \(--x\)/)
    },
  )
})
