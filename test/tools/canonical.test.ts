import { describe, expect, test } from 'vitest'
import { fingerprint } from '../../src/tools/canonical.ts'

const print = (text: string): string => fingerprint(Buffer.from(text))
const TOOL = '{"name":"add","description":"Adds.","inputSchema":{"type":"object","maximum":1.0}}'

describe('a fingerprint stays', () => {
  test.each([
    [' {\n "name" : "add", "description":"Adds.", "inputSchema":{"type":"object","maximum":1.0}}'],
    ['{"inputSchema":{"maximum":1.0,"type":"object"},"description":"Adds.","name":"add"}'],
    [
      String.raw`{"name":"\u0061dd","description":"Adds\u002e","inputSchema":{"type":"object","maximum":1.0}}`,
    ],
    [
      '{"name":"add","description":"Adds.","inputSchema":{"type":"object","maximum":1.0},"_meta":{"n":1}}',
    ],
  ])('for %s', (text) => {
    expect(print(text)).toBe(print(TOOL))
  })
})

describe('a fingerprint changes', () => {
  test.each([
    [
      'the name',
      '{"name":"Add","description":"Adds.","inputSchema":{"type":"object","maximum":1.0}}',
    ],
    [
      'the description',
      '{"name":"add","description":"Adds!","inputSchema":{"type":"object","maximum":1.0}}',
    ],
    [
      'the schema',
      '{"name":"add","description":"Adds.","inputSchema":{"type":"object","maximum":1}}',
    ],
    ['an output schema', TOOL.replace('{"name"', '{"outputSchema":{},"name"')],
    ['an annotation', TOOL.replace('{"name"', '{"annotations":{"readOnlyHint":true},"name"')],
    ['a title', TOOL.replace('{"name"', '{"title":"Add","name"')],
    ['the order of a list', TOOL.replace('"object"', '["a","b"]')],
  ])('with %s', (_, text) => {
    expect(print(text)).not.toBe(print(TOOL))
  })

  test('with a digit that a double does not have', () => {
    const tool = (n: string): string => `{"name":"a","inputSchema":{"maximum":${n}}}`
    expect(print(tool('9007199254740993'))).not.toBe(print(tool('9007199254740992')))
  })
})

test('a schema that is nested without end is compared all the same', () => {
  const deep = (inner: string): string =>
    `{"name":"a","inputSchema":${'{"a":'.repeat(50_000)}${inner}${'}'.repeat(50_000)}}`
  expect(print(deep('1'))).toBe(print(deep('1')))
  expect(print(deep('1'))).not.toBe(print(deep('2')))
})
