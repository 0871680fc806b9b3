import { existsSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Document, DOCUMENTS, documentAt, proseOf, ROOT } from './documents.ts'

/** The anchors that a page of a document has, made as GitHub makes them. */
function anchorsOf({ text }: Document): Set<string> {
  const headings = [...text.replaceAll(/^( *)```[^]*?^\1```$/gm, '').matchAll(/^#+ (.+)$/gm)]
  const slugs = headings.map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
  return new Set(slugs.map((slug, at) => numbered(slug, slugs.slice(0, at))))
}

function numbered(slug: string, before: readonly string[]): string {
  const same = before.filter((other) => other === slug).length
  return same === 0 ? slug : `${slug}-${same}`
}

/** What a link leads to and is not there; `undefined` when it is. */
function broken({ path }: Document, link: string): string | undefined {
  if (/^https?:/.test(link)) return undefined
  const [file = '', anchor] = link.split('#')
  const target = file === '' ? path : posix.join(dirname(path), file)
  if (!existsSync(join(ROOT, target))) return link
  if (anchor === undefined || anchor === '') return undefined
  return anchorsOf(documentAt(target)).has(anchor) ? undefined : link
}

describe.each([...DOCUMENTS])('$path', (document) => {
  test('links only to what is there', () => {
    const links = [...proseOf(document).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!)
    expect(links.map((link) => broken(document, link)).filter(Boolean)).toEqual([])
  })
})

test('every document of docs/ can be found from the README', () => {
  const readme = documentAt('README.md')
  const pages = DOCUMENTS.map(({ path }) => path).filter((path) => /^docs\/[^/]+\.md$/.test(path))
  expect(pages.filter((page) => !readme.text.includes(`](${page}`))).toEqual([])
})

test('a link to nothing is seen by this test', () => {
  const readme = documentAt('README.md')
  expect(broken(readme, 'docs/nothing.md')).toBe('docs/nothing.md')
  expect(broken(readme, 'docs/errors.md#nothing')).toBe('docs/errors.md#nothing')
  expect(broken(readme, 'docs/errors.md#exit-codes')).toBeUndefined()
  expect(broken(documentAt('docs/errors.md'), 'storage.md#signing-out')).toBeUndefined()
})
