import { isUtf8 } from 'node:buffer'
import { array, assert, constantFrom, nat, oneof, property, string, uint8Array } from 'fast-check'
import { expect, test } from 'vitest'
import { areUtf8 } from '../../src/json/utf8.ts'

/** A text of bytes that are often parts of characters, cut at any places. */
const cases = array(
  oneof(
    string({ unit: 'binary', maxLength: 3 }).map((text) => Buffer.from(text)),
    uint8Array({ maxLength: 2 }).map((bytes) => Buffer.from(bytes)),
    constantFrom(Buffer.from([0xc3]), Buffer.from([0xe2, 0x82]), Buffer.from([0xf0, 0x9f, 0x98])),
  ),
  { maxLength: 6 },
)
  .map((parts) => Buffer.concat(parts))
  .chain((text) =>
    array(nat({ max: text.length }), { maxLength: 5 }).map((cuts) => ({
      text,
      cuts: [0, ...cuts.sort((a, b) => a - b), text.length],
    })),
  )

test('pieces are UTF-8 exactly when the whole is, wherever it is cut', () => {
  assert(
    property(cases, ({ text, cuts }) => {
      const pieces = cuts.slice(1).map((end, n) => text.subarray(cuts[n], end))
      expect(areUtf8(pieces)).toBe(isUtf8(text))
    }),
    { numRuns: 2_000 },
  )
})
