import { describe, expect, test } from 'vitest'
import type { HostLine } from '../../src/channel.ts'
import { createLineSplitter } from '../../src/local/lines.ts'
import { inPieces } from '../support/json-texts.ts'

const textOf = (line: HostLine): string =>
  line.kind === 'frame' ? Buffer.concat(line.frame.chunks).toString('utf8') : line.kind

function split(
  input: string | Buffer,
  { lengths = [], cap = 1_000_000 }: { lengths?: readonly number[]; cap?: number } = {},
): string[] {
  const lines: string[] = []
  const splitter = createLineSplitter(cap, (line) => lines.push(textOf(line)))
  for (const piece of inPieces(input, lengths)) splitter.push(piece)
  splitter.end()
  return lines
}

const everyByteAlone = (text: string): number[] => Array(Buffer.byteLength(text)).fill(1)

describe('where lines end', () => {
  test.each<[string, string, string[]]>([
    ['at LF', '{"a":1}\n{"b":2}\n', ['{"a":1}', '{"b":2}']],
    ['at CRLF, which is no part of the line', '{"a":1}\r\n{"b":2}\r\n', ['{"a":1}', '{"b":2}']],
    ['at the end of the input', '{"a":1}\n{"b":2}', ['{"a":1}', '{"b":2}']],
    ['not at U+2028, U+2029 or U+0085', '["\u2028\u2029\u0085"]\n', ['["\u2028\u2029\u0085"]']],
    ['not at CR', '{"a":\r1}\n', ['{"a": 1}']],
    ['not at CR, wherever the next byte is', '["a"\r\r]\r\n', ['["a"  ]']],
    ['never inside a character', '["é€\u{1F600}"]\n', ['["é€\u{1F600}"]']],
    ['nowhere in nothing', '', []],
  ])('%s', (_, input, lines) => {
    expect(split(input)).toEqual(lines)
    expect(split(input, { lengths: everyByteAlone(input) })).toEqual(lines)
  })
})

describe('what is left out', () => {
  test.each<[string, string]>([
    ['empty lines', '\n\n{"a":1}\n\n\n'],
    ['lines of white space', ' \n{"a":1}\n\t \r\n'],
    ['a byte order mark at the start', '\ufeff{"a":1}\n'],
  ])('%s', (_, input) => {
    expect(split(input)).toEqual(['{"a":1}'])
    expect(split(input, { lengths: everyByteAlone(input) })).toEqual(['{"a":1}'])
  })

  test('half a byte order mark is no JSON', () => {
    expect(split(Buffer.from([0xef, 0xbb, 0x31, 0x0a]))).toEqual(['unparsable'])
    expect(split(Buffer.from([0xef, 0xbb, 0x31, 0x0a]), { lengths: [1, 1, 1] })).toEqual([
      'unparsable',
    ])
  })

  test('nor is half a byte order mark at the end of the input', () => {
    expect(split(Buffer.from([0xef, 0xbb]))).toEqual(['unparsable'])
  })

  test('a byte order mark later on is no JSON', () => {
    expect(split('{"a":1}\n\ufeff{"b":2}\n{"c":3}\n')).toEqual(['{"a":1}', 'unparsable', '{"c":3}'])
  })
})

test.each(['nonsense', '{"a":1', '{"a":1}{"b":2}', '\u0000', '\u00a0'])(
  'the line %j is unparsable, and the next one is read',
  (line) => {
    expect(split(`${line}\n{"a":1}\n`)).toEqual(['unparsable', '{"a":1}'])
  },
)

describe('the limit of a line', () => {
  test('is the last length that is read', () => {
    expect(split('["12345"]\n["123456"]\n["1"]\n', { cap: 9 })).toEqual([
      '["12345"]',
      'too-long',
      '["1"]',
    ])
  })

  test('is reported at once and once, and what belongs to the line is skipped', () => {
    const lines: string[] = []
    const splitter = createLineSplitter(9, (line) => lines.push(textOf(line)))
    splitter.push(Buffer.from('["1234567890'))
    expect(lines).toEqual(['too-long'])
    splitter.push(Buffer.from('["1234567890","'.repeat(10)))
    splitter.push(Buffer.from('"]\n[1]\n'))
    splitter.end()
    expect(lines).toEqual(['too-long', '[1]'])
  })
})

test('each line is handed over with its size', () => {
  const sizes: number[] = []
  const splitter = createLineSplitter(100, (_, bytes) => sizes.push(bytes))
  splitter.push(Buffer.from('["é"]\r\nnonsense\n'))
  expect(sizes).toEqual([6, 8])
})
