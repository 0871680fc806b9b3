/** A line, or lines, of a TOML text that say one thing. The text is known to be valid. */
export interface Statement {
  readonly kind: 'table' | 'array-table' | 'pair'
  /** From the root of the document. */
  readonly path: readonly string[]
  /** The table that a pair stands in; of a header, itself. */
  readonly table: readonly string[]
  /** From the start of its line to behind the line break. */
  readonly start: number
  readonly end: number
}

/** Takes a valid TOML text apart; comments and empty lines between statements belong to none. */
export function statementsOf(text: string): Statement[] {
  const statements: Statement[] = []
  let table: readonly string[] = []
  let at = 0
  while (at < text.length) {
    const start = at
    at = skipBlanks(text, at)
    if (text[at] === '#' || text[at] === '\n' || text[at] === '\r' || at >= text.length) {
      at = lineEnd(text, at)
      continue
    }
    const brackets = text.startsWith('[[', at) ? 2 : text[at] === '[' ? 1 : 0
    const key = readKey(text, at + brackets)
    if (brackets > 0) {
      table = key.path
      at = lineEnd(text, key.end)
      const kind = brackets === 2 ? 'array-table' : 'table'
      statements.push({ kind, path: table, table, start, end: at })
    } else {
      at = lineEnd(text, skipValue(text, key.end + 1))
      statements.push({ kind: 'pair', path: [...table, ...key.path], table, start, end: at })
    }
  }
  return statements
}

/** A dotted key; `end` is where `=` or `]` stands. */
function readKey(text: string, from: number): { path: string[]; end: number } {
  const path: string[] = []
  let at = from
  for (;;) {
    at = skipBlanks(text, at)
    const quote = text[at]
    if (quote === '"' || quote === "'") {
      const end = skipString(text, at)
      const inside = text.slice(at + 1, end - 1)
      path.push(quote === '"' ? unescaped(inside) : inside)
      at = end
    } else {
      const bare = /[\w-]*/y
      bare.lastIndex = at
      const word = bare.exec(text)![0]
      path.push(word)
      at += word.length
    }
    at = skipBlanks(text, at)
    if (text[at] !== '.') return { path, end: at }
    at++
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  e: '\u001b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

function unescaped(text: string): string {
  return text.replaceAll(
    /\\(?:x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8})|(.))/gi,
    (_, two?: string, four?: string, eight?: string, letter?: string) => {
      const code = two ?? four ?? eight
      if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16))
      return ESCAPES[letter!] ?? letter!
    },
  )
}

/** Behind a value: strings, comments and brackets are seen, the rest is anything up to the line's end. */
function skipValue(text: string, from: number): number {
  let depth = 0
  let at = from
  while (at < text.length) {
    const char = text[at]
    if (char === '"' || char === "'") {
      at = skipString(text, at)
      continue
    }
    if (char === '#') {
      if (depth === 0) return at
      at = lineEnd(text, at)
      continue
    }
    if (char === '\n' && depth === 0) return at
    if (char === '[' || char === '{') depth++
    if (char === ']' || char === '}') depth--
    at++
  }
  return at
}

function skipString(text: string, from: number): number {
  const quote = text[from]!
  const fence = quote.repeat(3)
  const long = text.startsWith(fence, from)
  let at = from + (long ? 3 : 1)
  while (at < text.length) {
    if (text[at] === '\\' && quote === '"') at += 2
    else if (long && text.startsWith(fence, at)) {
      at += 3
      // Up to two quotes may stand right before the three that close.
      while (text[at] === quote) at++
      return at
    } else if (!long && text[at] === quote) return at + 1
    else at++
  }
  return at
}

function skipBlanks(text: string, from: number): number {
  let at = from
  while (text[at] === ' ' || text[at] === '\t') at++
  return at
}

function lineEnd(text: string, from: number): number {
  const at = text.indexOf('\n', from)
  return at === -1 ? text.length : at + 1
}
