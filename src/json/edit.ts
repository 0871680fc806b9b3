import { items, locate, members } from './locate.ts'
import type { Span } from './scanner.ts'

/** New JSON source for members by name; `undefined` removes a member. */
export type Changes = Readonly<Record<string, string | Buffer | undefined>>

/**
 * Sets and removes members of an object in its text; every other byte stays, so numbers, key order
 * and members that nobody knows survive. A member that was not there is put first.
 *
 * @param text valid JSON whose root is an object; anything else is returned as it is
 */
export function withMembers(text: Buffer, changes: Changes): Buffer {
  const root = locate(text)!
  if (text[root.start] !== 0x7b) return text
  const pieces: Buffer[] = []
  const missing = new Set(Object.keys(changes).filter((name) => changes[name] !== undefined))
  const begin = root.start + 1
  let from = begin
  let removed = from
  let first = true
  for (const { name, start, value } of members(text, root)) {
    const source = Object.hasOwn(changes, name)
      ? changes[name]
      : text.subarray(value.start, value.end)
    if (source === undefined) {
      removed = value.end
      continue
    }
    // Between two members that stay there is one comma, whatever stood between them.
    const untouched = removed === from
    if (untouched) pieces.push(text.subarray(from, value.start))
    else pieces.push(Buffer.from(first ? '' : ','), text.subarray(start, value.start))
    pieces.push(Buffer.from(source))
    missing.delete(name)
    from = removed = value.end
    first = false
  }
  const comma = Buffer.from(',')
  const added = [...missing].flatMap((name) => [
    Buffer.from(`${JSON.stringify(name)}:`),
    Buffer.from(changes[name]!),
    comma,
  ])
  if (first) added.pop()
  return Buffer.concat([text.subarray(0, begin), ...added, ...pieces, text.subarray(removed)])
}

/**
 * The text without some items of the array at `list`; every other byte of the items that stay, and of
 * what stands around the array, stays.
 */
export function withoutItems(text: Buffer, list: Span, dropped: readonly Span[]): Buffer {
  const gone = new Set(dropped.map(({ start }) => start))
  const kept = [...items(text, list)].filter(({ start }) => !gone.has(start))
  const pieces = kept.flatMap(({ start, end }, index) => [
    Buffer.from(index === 0 ? '' : ','),
    text.subarray(start, end),
  ])
  return Buffer.concat([text.subarray(0, list.start + 1), ...pieces, text.subarray(list.end - 1)])
}

/**
 * Changes and removes items of an array in its text; every other byte stays.
 *
 * @param text valid JSON whose root is an array; anything else is returned as it is
 * @param change the new source of an item; `undefined` removes it
 */
export function withItems(text: Buffer, change: (item: Buffer) => Buffer | undefined): Buffer {
  const root = locate(text)!
  const pieces: Buffer[] = [text.subarray(0, root.start + 1)]
  let from = root.start + 1
  for (const { start, end } of items(text, root)) {
    const item = change(text.subarray(start, end))
    if (item !== undefined) {
      // The comma stands in front of an item; the first that is left has none.
      const gap = text.subarray(from, start)
      pieces.push(pieces.length === 1 ? gap.subarray(gap.lastIndexOf(0x2c) + 1) : gap, item)
    }
    from = end
  }
  return Buffer.concat([...pieces, text.subarray(from)])
}
