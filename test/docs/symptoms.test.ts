import { describe, expect, test } from 'vitest'
import { COMMON_CODES } from '../../src/doctor/run.ts'
import { CHECKS } from '../../src/doctor/table.ts'
import { documentAt, tableOf } from './documents.ts'

/** What the codes of doctor and of commands mean, by the two documents that explain them. */
const EXPLAINED = new Map(
  ['docs/doctor.md', 'docs/errors.md'].flatMap((path) =>
    documentAt(path)
      .text.split('\n')
      .flatMap((row) => {
        const code = /^\| `([a-z_]+)` /.exec(row)?.[1]
        return code === undefined ? [] : [[code, row] as const]
      }),
  ),
)

const symptoms = tableOf(documentAt('README.md'), 'what you see').map(
  ([see = '', why = '', todo = '', code = '']) => ({ see, why, todo, code }),
)

const codesIn = (cell: string): string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!)

test('the table has the troubles that people have', () => {
  expect(symptoms.length).toBeGreaterThan(15)
})

describe.each(symptoms)('$see', ({ todo, code }) => {
  const codes = codesIn(code)

  test('leads to a code that is explained', () => {
    expect(codes.length).toBeGreaterThan(0)
    expect(codes.filter((name) => !EXPLAINED.has(name) && !/^-\d+$/.test(name))).toEqual([])
  })

  test('is mended as docs/doctor.md and docs/errors.md say', () => {
    const explanations = codes.map(
      (name) => EXPLAINED.get(name) ?? documentAt('docs/errors.md').text,
    )
    const wanted = todo.match(/--[a-z][\w-]*/g) ?? []
    const elsewhere = wanted.filter((option) => !explanations.some((text) => text.includes(option)))
    expect(elsewhere).toEqual([])
  })
})

test('the codes of doctor are known to this test', () => {
  const known = [...CHECKS.flatMap(({ codes }) => codes), ...COMMON_CODES]
  expect(known.filter((code) => !EXPLAINED.has(code))).toEqual([])
})
