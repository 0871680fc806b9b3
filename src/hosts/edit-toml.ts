import { isDeepStrictEqual } from 'node:util'
import { parse, TomlError } from 'smol-toml'
import { type Editor, lineEndOf, notEditable, unparsable } from './editor.ts'
import { at, isObject, type Json } from './json-value.ts'
import { type Statement, statementsOf } from './toml-statements.ts'

/**
 * Edits TOML: an entry is a table of its own, `[mcp_servers.name]`, and the tables below it. No
 * library writes TOML back with its comments, so whole lines are put in and taken out.
 */
export function tomlEditor(file: string): Editor {
  const editor: Editor = {
    read,
    put(text, path, members) {
      const own = statementsAt(text, path)
      if (own.length === 0) return appended(text, block(path, members, lineEndOf(text)))
      demandTables(path, own)
      const entry = at(read(text), path)
      let changed = text
      for (const [name, value] of Object.entries(members)) {
        if (isDeepStrictEqual(at(entry, [name]), value)) continue
        changed = withMember(changed, path, name, value)
      }
      return changed
    },
    remove: (text, path) => without(text, statementsAt(text, path)),
    source(text, path) {
      const own = statementsAt(text, path)
      return own.length === 0 ? undefined : piecesOf(text, own).join('')
    },
    restore(text, path, source) {
      const own = statementsAt(text, path)
      demandTables(path, own)
      const first = own[0]
      if (first === undefined) return appended(text, source)
      const rest = without(text.slice(first.start), shifted(own, first.start))
      return text.slice(0, first.start) + source + rest
    },
  }
  return editor

  function read(text: string): unknown {
    try {
      return plain(parse(text, { integersAsBigInt: 'asNeeded' }))
    } catch (error) {
      if (!(error instanceof TomlError)) throw error
      const lines = text.split(/(?<=\n)/).slice(0, error.line - 1)
      const offset = lines.join('').length + error.column - 1
      const [why] = error.message.replace('Invalid TOML document: ', '').split('\n', 1)
      throw unparsable(file, text, offset, why!)
    }
  }

  function statementsAt(text: string, path: readonly string[]): Statement[] {
    read(text)
    return statementsOf(text).filter((statement) => startsWith(statement.path, path))
  }

  /** An entry as `mcp_servers.name.command = …` or `name = { … }` is read, but not changed. */
  function demandTables(path: readonly string[], own: readonly Statement[]): void {
    if (own.every(({ table }) => startsWith(table, path))) return
    throw notEditable(file, path, 'is not a table of its own')
  }

  function withMember(
    text: string,
    path: readonly string[],
    name: string,
    value: Json | undefined,
  ): string {
    const old = statementsAt(text, [...path, name])
    const pair = old.find(({ table }) => table.length === path.length)
    const header = statementsOf(text).find(
      (statement) => statement.kind === 'table' && isDeepStrictEqual(statement.path, path),
    )
    const place = pair?.start ?? header?.end
    if (value !== undefined && place === undefined) {
      throw notEditable(file, path, 'has no table of its own')
    }
    const rest = without(text, old)
    if (value === undefined) return rest
    // What was taken out before the place moves it.
    const gone = piecesOf(
      text,
      old.filter(({ start }) => start < place!),
    ).join('').length
    const eol = lineEndOf(text)
    const head = rest.slice(0, place! - gone)
    const gap = head === '' || head.endsWith('\n') ? '' : eol
    return `${head}${gap}${keyOf(name)} = ${rendered(value)}${eol}${rest.slice(place! - gone)}`
  }
}

/** Objects as the rest of the program has them: the parser's have no prototype. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]))
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.every((name, index) => path[index] === name)
}

function piecesOf(text: string, statements: readonly Statement[]): string[] {
  return statements.map(({ start, end }) => text.slice(start, end))
}

function shifted(statements: readonly Statement[], by: number): Statement[] {
  return statements.map((statement) => ({
    ...statement,
    start: statement.start - by,
    end: statement.end - by,
  }))
}

/** Takes lines out, and the empty line that stood before the first of them at the end of a text. */
function without(text: string, statements: readonly Statement[]): string {
  let rest = ''
  let from = 0
  for (const { start, end, kind } of statements) {
    const before = text.slice(from, start)
    const blank = kind === 'pair' ? undefined : /(?<=^|\n)\r?\n$/.exec(before)
    rest += blank === null || blank === undefined ? before : before.slice(0, blank.index)
    from = end
  }
  return rest + text.slice(from)
}

function appended(text: string, lines: string): string {
  const eol = lineEndOf(text)
  if (text === '') return lines
  return `${text}${text.endsWith('\n') ? '' : eol}${eol}${lines}`
}

function block(
  path: readonly string[],
  members: Readonly<Record<string, Json | undefined>>,
  eol: string,
): string {
  const lines = [`[${path.map(keyOf).join('.')}]`]
  for (const [name, value] of Object.entries(members)) {
    if (value !== undefined) lines.push(`${keyOf(name)} = ${rendered(value)}`)
  }
  return lines.map((line) => line + eol).join('')
}

function keyOf(name: string): string {
  return /^[\w-]+$/.test(name) ? name : quoted(name)
}

/** A JSON string is a TOML basic string, but for the one control character that JSON leaves as it is. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', String.raw`\u007f`)
}

function rendered(value: Json): string {
  if (typeof value === 'string') return quoted(value)
  if (Array.isArray(value)) return `[${value.map(rendered).join(', ')}]`
  if (!isObject(value)) return String(value)
  const members = Object.entries(value).map(
    ([name, member]) => `${keyOf(name)} = ${rendered(member)}`,
  )
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
}
