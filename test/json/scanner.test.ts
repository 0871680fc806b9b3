import { describe, expect, test } from 'vitest'
import { createScanner, type Scan } from '../../src/json/scanner.ts'
import { inPieces, isJson } from '../support/json-texts.ts'

function scan(text: string | Buffer, lengths: readonly number[] = []): Scan | undefined {
  const scanner = createScanner()
  for (const piece of inPieces(text, lengths)) scanner.push(piece)
  return scanner.end()
}

/** The members of the only message, as source text. */
function members(text: string, lengths?: readonly number[]): Record<string, string> {
  const bytes = Buffer.from(text)
  const found = scan(text, lengths)!.messages[0]!.members
  return Object.fromEntries(
    Object.entries(found).map(([name, { start, end }]) => [
      name,
      bytes.toString('utf8', start, end),
    ]),
  )
}

describe('what is JSON', () => {
  test.each([
    ['', false],
    [' ', false],
    ['{}', true],
    [' \t\r\n[ ]\n', true],
    ['{}{}', false],
    ['{} x', false],
    ['0', true],
    ['-0', true],
    ['00', false],
    ['01', false],
    ['-', false],
    ['+1', false],
    ['1.', false],
    ['.5', false],
    ['1e', false],
    ['1e+', false],
    ['1E+05', true],
    ['1.5e-0', true],
    ['0x10', false],
    ['NaN', false],
    ['true', true],
    ['tru', false],
    ['truely', false],
    ['nul', false],
    ['[1,]', false],
    ['[,1]', false],
    ['[1 2]', false],
    ['{"a":1,}', false],
    ['{"a"}', false],
    ['{"a":}', false],
    ['{a:1}', false],
    ['{"a":1]', false],
    ['[1}', false],
    ['[[1}]', false],
    ['{"a":{"b":[1}}', false],
    ['"', false],
    ['"\\"', false],
    ['"\\x"', false],
    ['"\\u12g4"', false],
    ['"\\u123"', false],
    ['"\\ud800"', true],
    ['"\u2028\u007f"', true],
    ['"a\nb"', false],
    ['"a\u0000b"', false],
    ['{"a\tb":1}', false],
    ["'a'", false],
    ['/* */1', false],
    ['\ufeff{}', false],
    ['\u00a0{}', false],
  ])('%j: %s', (text, valid) => {
    expect(isJson(text)).toBe(valid)
    expect(scan(text) !== undefined).toBe(valid)
    expect(scan(text, Array(text.length).fill(1)) !== undefined).toBe(valid)
  })

  test.each([
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"id":', '}]'],
  ])('10,000 times %s is accepted with its value, and refused without its end', (open, close) => {
    const text = `${open.repeat(10_000)}1${close.repeat(10_000)}`
    expect(scan(text)).toBeDefined()
    expect(scan(text.slice(0, -1))).toBeUndefined()
    expect(scan(`${text}${close.at(-1)}`)).toBeUndefined()
  })
})

describe('where the members are', () => {
  test.each([
    ['of a nested object do not count', '{"params":{"id":1,"method":"x"}}', ['params']],
    ['of an object in an array do not count', '{"x":[{"id":1}]}', []],
    ['under a key that is too long do not count', `{"${'id'.repeat(100)}":1}`, []],
    ['under a key with a prefix do not count', '{"id ":1,"Id":2,"id\\u0000":3}', []],
    [
      'under a key in escapes count',
      '{"\\u006d\\u0065\\u0074\\u0068\\u006f\\u0064":"x"}',
      ['method'],
    ],
    ['of a string do not exist', '"id"', []],
  ])('members %s', (_, text, expected) => {
    expect(Object.keys(members(text))).toEqual(expected)
    expect(Object.keys(members(text, Array(text.length).fill(1)))).toEqual(expected)
  })

  test('a number at the very end of the text ends there', () => {
    const { messages } = scan('  12')!
    expect(messages).toEqual([{ start: 2, end: 4, object: false, members: {} }])
  })
})

describe('raw line breaks', () => {
  test.each([
    ['{"id":1}', false],
    ['{"id":"\\n\\r"}', false],
    ['{\n"id":1}', true],
    ['{"id":1}\r', true],
    ['{"a":{"b":[1,\n2]}}', true],
    ['{"a":{"b":[1\n]}}', true],
    ['{"a":{"b":1\r}}', true],
    ['[1\n,2]', true],
    ['{"a":"\u2028"}', false],
  ])('in %j: %s', (text, breaks) => {
    expect(scan(text)!.breaks).toBe(breaks)
  })
})

test.each([
  '{"id":1,"method":"x"}',
  '[{"id":1},2,"x"]',
  '{"id":1,\n"params":[',
  '[[[',
  '{"met',
  '{"id',
  '{"id":"\\u00',
  '}',
  '12',
  '-',
  '',
  '['.repeat(5_000),
  '['.repeat(5_000) + ']'.repeat(5_000),
])('what was pushed before leaves no trace in the next text: %j', (before) => {
  const texts = ['{"id":2,"result":{"a":[1]}}', '[{"id":3}]', '7', '{"id":4}}', '"method"', '']
  const scanner = createScanner()
  for (const text of texts) {
    scanner.push(Buffer.from(before))
    expect(scanner.end()).toEqual(scan(before))
    scanner.push(Buffer.from(text))
    expect(scanner.end()).toEqual(scan(text))
  }
})
