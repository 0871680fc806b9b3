import { items, members } from '../json/locate.ts'
import type { Span } from '../json/scanner.ts'

/** Where two answers differ, and what stands there as JSON source; `undefined` where there is nothing. */
export interface Difference {
  readonly path: string
  readonly expected: string | undefined
  readonly actual: string | undefined
}

/** Members whose values differ from one run to the next: times, and what is made anew each time. */
export const VOLATILE_MEMBERS: ReadonlySet<string> = new Set([
  '_meta',
  'created_at',
  'createdAt',
  'date',
  'duration',
  'durationMs',
  'elapsed',
  'elapsedMs',
  'request_id',
  'requestId',
  'time',
  'timestamp',
  'timings',
  'updated_at',
  'updatedAt',
])

/** A string of which a part was masked when it was recorded: nobody can say whether it is the same. */
const MASK = /‹[a-z]+(?::[0-9a-f]{8})?›/

/**
 * Compares two JSON texts by structure; numbers by source, so that 1.0 and 1 differ. Both have to be valid.
 *
 * @param ignored names of members that are not compared, wherever they are
 */
export function differences(
  expected: string,
  actual: string,
  ignored: ReadonlySet<string>,
): Difference[] {
  const left = Buffer.from(expected)
  const right = Buffer.from(actual)
  const found: Difference[] = []

  const source = (text: Buffer, span: Span | undefined): string | undefined =>
    span === undefined ? undefined : text.toString('utf8', span.start, span.end).trim()

  function compare(a: Span | undefined, b: Span | undefined, path: string): void {
    const before = source(left, a)
    const after = source(right, b)
    if (before === after) return
    const kind = before?.[0]
    if (a !== undefined && b !== undefined && kind === after?.[0]) {
      if (kind === '{') {
        const [one, two] = [namesOf(left, a), namesOf(right, b)]
        for (const name of new Set([...one.keys(), ...two.keys()])) {
          if (!ignored.has(name)) compare(one.get(name), two.get(name), join(path, name))
        }
        return
      }
      if (kind === '[') {
        const [one, two] = [[...items(left, a)], [...items(right, b)]]
        for (let i = 0; i < Math.max(one.length, two.length); i++) {
          compare(one[i], two[i], `${path}[${i}]`)
        }
        return
      }
      if (kind === '"' && (MASK.test(before!) || JSON.parse(before!) === JSON.parse(after!))) return
    }
    found.push({ path, expected: before, actual: after })
  }

  compare(whole(left), whole(right), '')
  return found
}

function namesOf(text: Buffer, span: Span): Map<string, Span> {
  return new Map([...members(text, span)].map(({ name, value }) => [name, value]))
}

function whole(text: Buffer): Span {
  const start = text.findIndex((byte) => byte > 0x20)
  return { start: Math.max(start, 0), end: text.length }
}

function join(path: string, name: string): string {
  const plain = /^[\w$-]+$/.test(name)
  if (!plain) return `${path}[${JSON.stringify(name)}]`
  return path === '' ? name : `${path}.${name}`
}
