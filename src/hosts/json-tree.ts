import {
  createScanner,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser'
import { unparsable } from './editor.ts'

/** A member of an object: its text from the name to the value. */
export interface Property {
  readonly name: string
  readonly start: number
  readonly end: number
  readonly value: Node
}

/** Parses a text; comments and trailing commas are allowed unless `strict`. `undefined`: it is empty. */
export function treeOf(text: string, file: string, strict: boolean): Node | undefined {
  if (text.trim() === '') return undefined
  const errors: ParseError[] = []
  const allowed = { disallowComments: strict, allowTrailingComma: !strict }
  const root = parseTree(text, errors, allowed)
  const [first] = errors
  const bare = root === undefined && !strict && tokensOf(text).every(({ kind }) => isTrivia(kind))
  if (first !== undefined && !bare) {
    const what = printParseErrorCode(first.error).replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')
    throw unparsable(file, text, first.offset, what.toLowerCase())
  }
  return root
}

/** The plain value of a node. The last of members with one name wins, as everywhere. */
export function valueOf(node: Node | undefined): unknown {
  if (node === undefined) return {}
  if (node.type === 'array') return (node.children ?? []).map(valueOf)
  if (node.type !== 'object') return node.value as unknown
  return Object.fromEntries(propertiesOf(node).map(({ name, value }) => [name, valueOf(value)]))
}

/** The members of an object, in order. */
export function propertiesOf(object: Node): Property[] {
  return (object.children ?? []).map((property) => {
    const [name, value] = property.children!
    const start = property.offset
    return { name: name!.value as string, start, end: start + property.length, value: value! }
  })
}

/** The member with this name; the last of several. */
export function propertyOf(object: Node, name: string): Property | undefined {
  return propertiesOf(object).findLast((property) => property.name === name)
}

/** What jsonc-parser's scanner calls its tokens (SyntaxKind, which is a type only). */
export const COMMA = 5
const LINE_COMMENT = 12
const BLOCK_COMMENT = 13
const LINE_BREAK = 14
const SPACE = 15

/** A piece of the text between two values. */
export interface Token {
  readonly kind: number
  readonly start: number
  readonly end: number
}

/** The tokens of a stretch of the text, white space and comments included. */
export function tokensOf(text: string, start = 0, end = text.length): Token[] {
  const scanner = createScanner(text, false)
  scanner.setPosition(start)
  const tokens: Token[] = []
  while (scanner.getPosition() < end) {
    const kind: number = scanner.scan()
    const from = scanner.getTokenOffset()
    if (from >= end || scanner.getTokenLength() === 0) break
    tokens.push({ kind, start: from, end: from + scanner.getTokenLength() })
  }
  return tokens
}

/** Whether a token is white space or a comment. */
function isTrivia(kind: number): boolean {
  return isComment(kind) || isSpace(kind)
}

/** Whether a token is a comment. */
export function isComment(kind: number): boolean {
  return kind === LINE_COMMENT || kind === BLOCK_COMMENT
}

/** Whether a token is a comment that ends with its line. */
export function isLineComment(kind: number): boolean {
  return kind === LINE_COMMENT
}

/** Whether a token is white space. */
export function isSpace(kind: number): boolean {
  return kind === SPACE || kind === LINE_BREAK
}

/** Whether a token is a line break. */
export function isLineBreak(kind: number): boolean {
  return kind === LINE_BREAK
}
