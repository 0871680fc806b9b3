import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { documentAt, readText, ROOT } from './documents.ts'

/** A test that a document names: its file, and the title as it is written there. */
const NAMED = /`(test\/[\w./-]+)` “([^”]+)”/g

const threats = documentAt('docs/security.md')
const sections = threats.text.split(/^## /m).slice(1)

/** Whether a file has a title: between quotes, escaped as JavaScript would. */
function hasTitle(file: string, title: string): boolean {
  const text = readText(file).replaceAll(/\\(['"`])/g, '$1')
  return ["'", '"', '`'].some((quote) => text.includes(`${quote}${title}${quote}`))
}

test('every test that docs/security.md names is there, by file and title', () => {
  const named = [...threats.text.matchAll(NAMED)]
  expect(named.length).toBeGreaterThan(30)
  const missing = named.filter(
    ([, file, title]) => !existsSync(join(ROOT, file!)) || !hasTitle(file!, title!),
  )
  expect(missing.map(([, file, title]) => `${file}: ${title}`)).toEqual([])
})

test('every promise of docs/security.md names the test behind it', () => {
  const rows = threats.text.split('\n').filter((line) => /^\| (?!promise|-)/.test(line))
  expect(rows.length).toBeGreaterThan(25)
  expect(rows.filter((row) => row.match(NAMED) === null)).toEqual([])
})

test('every threat says what is promised and what is not', () => {
  const threatsAlone = sections.filter((section) => section.includes('| promise'))
  expect(threatsAlone.length).toBeGreaterThanOrEqual(6)
  const silent = threatsAlone.filter((section) => !section.includes('\nNot promised:'))
  expect(silent.map((section) => section.split('\n', 1)[0])).toEqual([])
})

test('SECURITY.md says how to report, and where the promises are', () => {
  const { text } = documentAt('SECURITY.md')
  expect(text).toMatch(/privately/)
  expect(text).toContain('](docs/security.md)')
})

test('a title that is not there is seen by this test', () => {
  expect(hasTitle('test/docs/security.test.ts', 'a title that is nowhere'.slice(0, -1))).toBe(false)
})
