import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { COMMON_CODES } from '../../src/doctor/run.ts'
import { CHECKS } from '../../src/doctor/table.ts'

const text = readFileSync(new URL('../../docs/doctor.md', import.meta.url), 'utf8')

test('docs/doctor.md explains every code that a check can have, and no other', () => {
  const documented = [...text.matchAll(/^\| `([a-z_]+)`/gm)].map((match) => match[1]!)
  const known = new Set([...CHECKS.flatMap(({ codes }) => codes), ...COMMON_CODES])
  expect(documented.toSorted()).toEqual([...known].toSorted())
})

test('what a check needs stands before it, and no two have one name', () => {
  const ids = CHECKS.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  for (const [at, { needs = [] }] of CHECKS.entries()) {
    expect(ids.slice(0, at)).toEqual(expect.arrayContaining([...needs]))
  }
})
