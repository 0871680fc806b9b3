/** What a piece of JSON source is: key, string, number, literal or punctuation with white space. */
type TokenKind = 'k' | 's' | 'n' | 'l' | 'p'

/** A piece of a text that is indented for people. */
export interface Token {
  readonly kind: TokenKind
  readonly text: string
}

const TOKEN = /"(?:[^"\\]|\\.)*"?|[{}[\],:]|[^\s{}[\],:"]+/g

/** Characters that cannot be seen, or turn text around. */
const INVISIBLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu

/**
 * Indents JSON source. Nothing is parsed: a number of thirty digits, a duplicate key and `1.0` stay
 * what they are. A text that was cut in the middle is indented as far as it goes.
 */
export function indent(source: string): Token[] {
  const tokens: Token[] = []
  let depth = 0
  let pad = ''
  const add = (kind: TokenKind, text: string): void => {
    tokens.push({ kind, text: pad + text })
    pad = ''
  }
  const words = source.match(TOKEN) ?? []
  words.forEach((word, index) => {
    const next = words[index + 1]
    switch (word) {
      case '{':
      case '[':
        add('p', word)
        if (next === '}' || next === ']') return
        depth++
        pad = line(depth)
        return
      case '}':
      case ']': {
        const before = words[index - 1]
        const empty = before === '{' || before === '['
        if (!empty) {
          depth = Math.max(depth - 1, 0)
          pad = line(depth)
        }
        add('p', word)
        return
      }
      case ',':
        add('p', word)
        pad = line(depth)
        return
      case ':':
        add('p', ': ')
        return
    }
    if (word.startsWith('"')) add(next === ':' ? 'k' : 's', visible(word))
    else add(/^[-\d]/.test(word) ? 'n' : 'l', visible(word))
  })
  return tokens
}

function line(depth: number): string {
  return `\n${'  '.repeat(depth)}`
}

/** The source with escapes for what could not be seen in it. */
export function visible(source: string): string {
  return source.replaceAll(INVISIBLE, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  )
}
