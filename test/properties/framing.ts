import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import * as fc from 'fast-check'
import type { HostLine } from '../../src/channel.ts'
import { readFrame } from '../../src/frame.ts'
import { createLineSplitter } from '../../src/local/lines.ts'
import { cuts, damaged, inPieces, isJson, texts } from '../support/json-texts.ts'
import type { Property } from './property.ts'

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** What a line turned out to be, down to the bytes and the places of its members. */
function described(line: HostLine): unknown {
  if (line.kind !== 'frame') return line.kind
  const { chunks, parts, ...rest } = line.frame
  return { ...rest, parts: parts?.length, text: Buffer.concat(chunks).toString('latin1') }
}

function split(stream: Buffer, lengths: readonly number[], cap: number): unknown[] {
  const lines: unknown[] = []
  const splitter = createLineSplitter(cap, (line) => lines.push(described(line)))
  for (const piece of inPieces(stream, lengths)) splitter.push(piece)
  splitter.end()
  return lines
}

/** The same, from the whole stream and by the rules as they are written down. */
function expected(stream: Buffer, cap: number): unknown[] {
  const marked = stream.subarray(0, 3).equals(BYTE_ORDER_MARK)
  // Latin 1 keeps every byte as a character.
  const lines = stream.toString('latin1', marked ? 3 : 0).split('\n')
  return lines.flatMap((text, index) => {
    const line = index < lines.length - 1 ? text.replace(/\r$/, '') : text
    if (line.length > cap) return ['too-long']
    if (/^[ \t\r]*$/.test(line)) return []
    if (!isJson(line) || !isUtf8(Buffer.from(line, 'latin1'))) return ['unparsable']
    const frame = readFrame(Buffer.from(line.replaceAll('\r', ' '), 'latin1'))!
    return [described({ kind: 'frame', frame })]
  })
}

const CAP = 40
const string = (bytes: number): string => `"${'x'.repeat(bytes - 2)}"`
const content: fc.Arbitrary<Buffer> = fc.oneof(
  texts.map((text) => Buffer.from(text.replaceAll('\n', '\r'))),
  damaged.map((text) => Buffer.from(text.replaceAll('\n', ' '))),
  fc.uint8Array().map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0x0a))),
  fc
    .tuple(fc.constantFrom('{"id":1,"method":"', '["'), fc.uint8Array({ min: 0x20 }))
    .map(([head, bytes]) => Buffer.concat([Buffer.from(head), bytes, Buffer.from('"]')])),
  fc
    .constantFrom('', ' ', '\t\r', '\r', '\ufeff', '"\u2028\u2029\u0085"', '{"id":1,"method":"a"}')
    .map((text) => Buffer.from(text)),
  fc.constantFrom(CAP - 1, CAP, CAP + 1).map((bytes) => Buffer.from(string(bytes))),
)
const whole = fc
  .tuple(
    fc.constantFrom('', '', BYTE_ORDER_MARK, BYTE_ORDER_MARK.subarray(0, 2)),
    fc.array(fc.tuple(content, fc.constantFrom('\n', '\r\n'))),
    content,
  )
  .map(([mark, lines, last]) =>
    Buffer.concat([mark, ...lines.flat(), last].map((piece) => Buffer.from(piece))),
  )

const streams = fc.oneof(
  { weight: 20, arbitrary: whole },
  { weight: 1, arbitrary: fc.nat(3).map((length) => BYTE_ORDER_MARK.subarray(0, length)) },
)

export const framing: Property = {
  name: 'framing: any bytes, cut anywhere, are the same lines',
  runs: 500,
  property: fc.property(streams, cuts, fc.constantFrom(CAP, 1_000_000), (stream, lengths, cap) => {
    assert.deepEqual(split(stream, lengths, cap), expected(stream, cap))
  }),
}
