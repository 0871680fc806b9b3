import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { helpText } from '../../src/commands/help.ts'
import { GENERAL_OPTIONS, SERVER_OPTIONS } from '../../src/options.ts'

/** A help text without the options that many commands share: other tests compare those with their table. */
function own(text: string): string {
  const shared = [...SERVER_OPTIONS, ...GENERAL_OPTIONS].map(({ name }) => name)
  return text
    .split('\n')
    .filter(
      (line) => !shared.some((name) => new RegExp(`^ {2}(-\\w,|   ) --${name}( |$)`).test(line)),
    )
    .join('\n')
}

describe('golden: the help of', () => {
  test.each<[name: string, text: () => string]>([
    ['bridge', () => own(helpText())],
    ['logout', () => own(helpText('logout'))],
    ['token', () => own(helpText('token'))],
    ['call', () => own(helpText('call'))],
    ['ping', () => own(helpText('ping'))],
    ['completion', () => own(helpText('completion'))],
    ['exit-codes', () => helpText('exit-codes')],
  ])('%s', (name, text) => {
    const golden = new URL(`../golden/help-${name}.txt`, import.meta.url)
    expect(text()).toBe(readFileSync(golden, 'utf8'))
  })
})

test('bridge help environment names every variable of an option', () => {
  const text = helpText('environment')
  const rows = [...text.matchAll(/^ {2}(\S+) +As --([\w-]+)\.$/gm)].map(([, variable, name]) => [
    name,
    variable,
  ])
  const expected = [...SERVER_OPTIONS, ...GENERAL_OPTIONS]
    .filter(({ variable }) => variable !== undefined)
    .map(({ name, variable }) => [name, variable])
  expect(rows).toEqual(expected)
  expect(text).toContain('BRIDGE_HOME')
})

test.each([
  ['exit-code', 'Did you mean bridge help exit-codes?'],
  ['tols', 'Did you mean bridge help tools?'],
])('help %s: %s', (word, hint) => {
  expect(() => helpText(word)).toThrow(expect.objectContaining({ hint }))
})
