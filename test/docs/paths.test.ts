import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { blocksOf, codeSpansOf, DOCUMENTS, documentAt, ROOT } from './documents.ts'

/** What a path of this repository begins with. */
const OURS = /^(?:src|test|docs|bin|packaging|\.ci|\.github|dev|migrations)\/[\w./*-]*$/

/** What only a command makes, and a path that belongs to somebody else. */
const NOT_HERE: ReadonlySet<string> = new Set(['test/bench/out'])

/** Whether a path is there; `*` stands for any characters of a name. */
function isThere(folder: string, path: string): boolean {
  if (!path.includes('*')) return existsSync(join(folder, path))
  const parent = join(folder, dirname(path))
  const [before = '', after = ''] = path.slice(dirname(path).length + 1).split('*')
  return (
    existsSync(parent) &&
    readdirSync(parent).some((name) => name.startsWith(before) && name.endsWith(after))
  )
}

describe.each([...DOCUMENTS])('$path', (document) => {
  test('names files and folders that are there', () => {
    const named = codeSpansOf(document).filter((span) => OURS.test(span) && !NOT_HERE.has(span))
    // The documents of a workspace speak of its own files.
    const folders = [ROOT, join(ROOT, dirname(document.path))]
    expect(named.filter((path) => !folders.some((folder) => isThere(folder, path)))).toEqual([])
  })
})

describe('docs/architecture.md', () => {
  const [tree] = blocksOf(documentAt('docs/architecture.md'))
  // The paths at the beginning of a row, before the first two spaces.
  const rows = tree!.text.split('\n').filter((row) => /^\S/.test(row))
  const named = rows.flatMap((row) => row.split(/ {2}/, 1)[0]!.split(', '))

  test('its tree names files and folders that are there', () => {
    expect(named.length).toBeGreaterThan(20)
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  })

  test('its tree has every part of the program', () => {
    const parts = readdirSync(join(ROOT, 'src')).map((name) => `src/${name}`)
    const known = new Set(named.map((path) => path.replace(/\/$/, '')))
    expect(parts.filter((part) => !known.has(part))).toEqual([])
  })
})
