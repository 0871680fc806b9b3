import { readFileSync, readdirSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the repository, with a slash at its end. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** A text that people read, by its path from the root. */
export interface Document {
  readonly path: string
  readonly text: string
}

/** What stands between fences. */
export interface Block {
  readonly path: string
  /** Of the opening fence, counted from 1. */
  readonly line: number
  /** The word behind the opening fence; empty when there is none. */
  readonly language: string
  readonly text: string
  /** What the comment above it says: `<!-- needs: a host -->` is `needs` and `a host`. */
  readonly marker: { readonly key: string; readonly value: string } | undefined
}

/** The folders whose documents are looked at; those of the tests' data are none. */
const FOLDERS = ['.', 'docs', 'docs/decisions', 'packaging', 'test/worker']

/** Every document of the repository. */
export const DOCUMENTS: readonly Document[] = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => posix.join(folder, name))
    .map((path) => ({ path, text: readText(path) })),
)

/** A file of the repository; Git may have given it the line ends of Windows. */
export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8').replaceAll('\r\n', '\n')
}

/** One document; throws when there is none. */
export function documentAt(path: string): Document {
  const found = DOCUMENTS.find((document) => document.path === path)
  if (found === undefined) throw new Error(`there is no ${path}`)
  return found
}

/** The blocks of a document. A formatter may leave an empty line between a comment and its block. */
export function blocksOf({ path, text }: Document): Block[] {
  const blocks: Block[] = []
  const pattern = /(?:^ *<!-- ([a-z ]+): (.+) -->\n+)?^( *)```(\S*)\n([^]*?)^\3```$/gm
  for (const match of text.matchAll(pattern)) {
    const [whole, key, value, , language = '', body = ''] = match
    const before = text.slice(0, match.index + whole.indexOf('```'))
    blocks.push({
      path,
      line: before.split('\n').length,
      language,
      text: body,
      marker: key === undefined ? undefined : { key, value: value! },
    })
  }
  return blocks
}

/** The text of a document without its blocks. */
export function proseOf({ text }: Document): string {
  return text.replaceAll(/^( *)```[^]*?^\1```$/gm, '')
}

/** What stands between backticks in the prose of a document. */
export function codeSpansOf(document: Document): string[] {
  return [...proseOf(document).matchAll(/`([^`]+)`/g)].map(([, span]) =>
    span!.replaceAll(/\s+/g, ' ').replaceAll(String.raw`\|`, '|'),
  )
}

/** The rows below a heading of a table whose first column has this title, cell by cell. */
export function tableOf({ path, text }: Document, title: string): string[][] {
  const found = new RegExp(`^\\| ${title} [^]*?(?=\\n\\n|\\n?$(?![^]))`, 'm').exec(text)
  if (found === null) throw new Error(`${path} has no table of ${title}`)
  const [, , ...rows] = found[0].split('\n')
  return rows.map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}
