import { expect, test } from 'vitest'
import { accountOf } from '../../src/auth/id-token.ts'
import { endOf } from '../../src/auth/jwt.ts'

const token = (claims: unknown): string =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`

test.each<[unknown, string | undefined]>([
  [{ sub: '1', email: 'ada@example.com', name: 'Ada' }, 'ada@example.com'],
  [{ sub: '1', preferred_username: 'ada' }, 'ada'],
  [{ sub: '1', name: 'Ada' }, 'Ada'],
  [{ sub: '1' }, '1'],
  [{ sub: '1', email: 7, name: '' }, '1'],
  [{ sub: 'a\u001b[31mb' }, 'a [31mb'],
  [{}, undefined],
  [null, undefined],
  ['text', undefined],
])('%j names %s', (claims, account) => {
  expect(accountOf(token(claims))).toBe(account)
})

test.each(['', 'no token', 'a.b.c', undefined])('%j names nobody', (text) => {
  expect(accountOf(text)).toBeUndefined()
})

test('its end', () => {
  expect(endOf(token({ exp: 1_700_000_000 }))).toBe(1_700_000_000_000)
  expect(endOf(token({ exp: 'soon' }))).toBeUndefined()
})
