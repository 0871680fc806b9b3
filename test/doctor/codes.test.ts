import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { COMMON_CODES } from '../../src/doctor/run.ts'
import { CHECKS } from '../../src/doctor/table.ts'
import { provoked } from './examine.ts'
// Their tests run here, before the one below, which knows what they have seen.
import './machine.cases.ts'
import './server.cases.ts'

/** What only the packed program can run into, and where that is tested. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  // The keychain is asked by a process of the program itself.
  keychain_unreachable: '../e2e/doctor.test.ts',
}

test('every code that a check can have has been provoked', () => {
  const codes = [...CHECKS.flatMap((check) => check.codes), ...COMMON_CODES]
  expect(codes.filter((code) => !provoked.has(code) && !(code in ELSEWHERE))).toEqual([])
  for (const [code, file] of Object.entries(ELSEWHERE)) {
    expect(readFileSync(new URL(file, import.meta.url), 'utf8')).toContain(code)
  }
})
