import { expect, test } from 'vitest'
import { AuthFailure, expected } from '../../src/auth/failure.ts'

test('what was to be expected is had as a value, a fault of our own goes on', () => {
  const failure = new AuthFailure('refused', 'no')
  expect(expected(failure)).toBe(failure)
  const fault = new TypeError('a fault')
  expect(() => expected(fault)).toThrow(fault)
})
