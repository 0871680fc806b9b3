import type { Span } from './scanner.ts'

/**
 * Finds values inside a text that is already known to be valid JSON (see `scanner.ts`), so that they
 * can be read or replaced where they stand. In any other text what is found means nothing, and reading
 * it may throw; but it comes to an end.
 */

/** A member of an object: its decoded name, where it begins and where its value stands. */
export interface Member {
  readonly name: string
  /** Offset of the opening quote of the name. */
  readonly start: number
  readonly value: Span
}

/** Where the value at a path of member names stands; the last of duplicate names wins. */
export function locate(text: Buffer, ...path: readonly string[]): Span | undefined {
  let value: Span | undefined = { start: skipSpace(text, 0), end: text.length }
  for (const name of path) {
    let found: Span | undefined
    for (const member of members(text, value)) if (member.name === name) found = member.value
    if (found === undefined) return undefined
    value = found
  }
  return value
}

/** The parsed value at a path, `undefined` when there is none. Numbers lose precision: for reading only. */
export function valueAt(text: Buffer, ...path: readonly string[]): unknown {
  const span = locate(text, ...path)
  if (span === undefined) return undefined
  return JSON.parse(text.toString('utf8', span.start, span.end)) as unknown
}

/** The members of the object at `span`; none when something else stands there. */
export function* members(text: Buffer, span: Span): Generator<Member> {
  if (text[span.start] !== 0x7b) return
  let at = skipSpace(text, span.start + 1)
  while (text[at] === 0x22) {
    const keyEnd = skipString(text, at)
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1)
    const end = skipValue(text, start)
    const name = JSON.parse(text.toString('utf8', at, keyEnd)) as string
    yield { name, start: at, value: { start, end } }
    at = skipSpace(text, end)
    if (text[at] === 0x2c) at = skipSpace(text, at + 1)
  }
}

/** The items of the array at `span`; none when something else stands there. */
export function* items(text: Buffer, span: Span): Generator<Span> {
  if (text[span.start] !== 0x5b) return
  let at = skipSpace(text, span.start + 1)
  while (at < text.length && text[at] !== 0x5d) {
    const end = skipValue(text, at)
    yield { start: at, end }
    at = skipSpace(text, end)
    if (text[at] === 0x2c) at = skipSpace(text, at + 1)
  }
}

function skipSpace(text: Buffer, from: number): number {
  let at = from
  while (text[at] === 0x20 || text[at] === 0x0a || text[at] === 0x0d || text[at] === 0x09) at++
  return at
}

function skipString(text: Buffer, from: number): number {
  let at = from + 1
  while (at < text.length && text[at] !== 0x22) at += text[at] === 0x5c ? 2 : 1
  return at + 1
}

function skipValue(text: Buffer, from: number): number {
  const first = text[from]
  if (first === 0x22) return skipString(text, from)
  let at = from
  if (first !== 0x7b && first !== 0x5b) {
    while (at < text.length && !endsScalar(text[at]!)) at++
    return at
  }
  let depth = 0
  do {
    const byte = text[at]
    if (byte === 0x22) {
      at = skipString(text, at)
      continue
    }
    if (byte === 0x7b || byte === 0x5b) depth++
    else if (byte === 0x7d || byte === 0x5d) depth--
    at++
  } while (depth > 0 && at < text.length)
  return at
}

function endsScalar(byte: number): boolean {
  return byte === 0x2c || byte === 0x7d || byte === 0x5d || byte <= 0x20
}
