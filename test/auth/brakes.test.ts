import { describe, expect, test } from 'vitest'
import { createBrakes } from '../../src/auth/brakes.ts'
import { hold, isOurs } from '../../src/auth/held.ts'
import { MAX_COUNTED_OPERATIONS } from '../../src/limits.ts'
import { authOptions } from './context.ts'

test('A-94: three step-ups for one operation, as many for another one', () => {
  const brakes = createBrakes(() => 0)
  expect([1, 2, 3, 4].map(() => brakes.mayStepUp('POST tools/call a'))).toEqual([
    true,
    true,
    true,
    false,
  ])
  expect(brakes.mayStepUp('POST tools/call b')).toBe(true)
})

test('only so many operations are remembered, the last ones', () => {
  const brakes = createBrakes(() => 0)
  const stepUps = (operation: string): boolean[] => [1, 2, 3].map(() => brakes.mayStepUp(operation))
  stepUps('first')
  stepUps('second')
  expect(brakes.mayStepUp('first')).toBe(false)
  for (let i = 2; i <= MAX_COUNTED_OPERATIONS; i++) brakes.mayStepUp(`${i}`)
  expect(brakes.mayStepUp('second')).toBe(false)
  expect(brakes.mayStepUp('first')).toBe(true)
})

test('a loop of renewals is stopped, and let go after a minute', () => {
  let time = 0
  const brakes = createBrakes(() => time)
  for (let i = 0; i < 10; i++) {
    brakes.checkRenewals()
    brakes.countRenewal()
  }
  expect(() => brakes.checkRenewals()).toThrow(/10 tokens were refused within a minute/)
  time = 60_000
  expect(() => brakes.checkRenewals()).not.toThrow()
})

test('a fresh token that is refused is not tried again for a minute', () => {
  let time = 0
  const brakes = createBrakes(() => time)
  brakes.refuseFresh('a')
  expect(brakes.refusedFresh('a')).toBe(true)
  expect(brakes.refusedFresh('b')).toBe(false)
  time = 60_000
  expect(brakes.refusedFresh('a')).toBe(false)
})

describe('A-76, A-86: when a token is renewed', () => {
  const tokens = { accessToken: 'a', obtainedAt: 0, refreshable: true }
  test.each([
    ['an hour: a minute before its end', 3_600_000, 3_540_000],
    ['a minute: a tenth before its end', 60_000, 54_000],
  ])('%s', (_, expiresAt, renewAt) => {
    expect(hold({ ...tokens, expiresAt }).renewAt).toBe(renewAt)
  })

  test('never by the clock without a known end, or without the means', () => {
    expect(hold({ ...tokens, expiresAt: undefined }).renewAt).toBe(Infinity)
    expect(hold({ ...tokens, expiresAt: 1000, refreshable: false }).renewAt).toBe(Infinity)
  })
})

test('tokens of another client or of another kind of grant are not used', () => {
  const mine = { clientId: 'c', grant: 'authorization_code' }
  const client = { clientId: 'x', clientSecret: undefined, key: undefined, authMethod: undefined }
  expect(isOurs(mine, authOptions())).toBe(true)
  expect(isOurs(mine, authOptions({ grant: 'device_code' }))).toBe(true)
  expect(isOurs(mine, authOptions({ client }))).toBe(false)
  expect(isOurs({ ...mine, clientId: 'x' }, authOptions({ client }))).toBe(true)
  expect(isOurs(mine, authOptions({ grant: 'client_credentials' }))).toBe(false)
  expect(isOurs({ ...mine, grant: 'client_credentials' }, authOptions())).toBe(false)
})
