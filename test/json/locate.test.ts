import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { items, locate, members, valueAt } from '../../src/json/locate.ts'
import { texts } from '../support/json-texts.ts'

function sourceAt(text: string, ...path: string[]): string | undefined {
  const bytes = Buffer.from(text)
  const span = locate(bytes, ...path)
  return span === undefined ? undefined : bytes.toString('utf8', span.start, span.end)
}

describe('locate', () => {
  test.each<[string, string[], string | undefined]>([
    ['{"a":{"b":1.0}}', ['a', 'b'], '1.0'],
    ['{"a":{"b":1.0}}', ['a'], '{"b":1.0}'],
    ['{"a":1,"a":-0}', ['a'], '-0'],
    ['{"a":{"b":1},"a":{"c":2}}', ['a', 'b'], undefined],
    ['{"\\u0061":1e400}', ['a'], '1e400'],
    ['{"é":"\\"}","x":2}', ['x'], '2'],
    ['{"a":"x\\\\","b":3}', ['b'], '3'],
    [' {\n"a" :\t[ 1 , "]" , {} ] , "b":null } ', ['b'], 'null'],
    [' {\n"a" :\t[ 1 , "]" , {} ] , "b":null } ', ['a'], '[ 1 , "]" , {} ]'],
    ['{"":{"":true}}', ['', ''], 'true'],
    ['{}', ['a'], undefined],
    ['[{"a":1}]', ['a'], undefined],
    ['"a"', ['a'], undefined],
    ['{"a":1}', ['a', 'b'], undefined],
  ])('in %j under %j: %j', (text, path, expected) => {
    expect(sourceAt(text, ...path)).toBe(expected)
  })

  test('finds what JSON.parse finds, in any text', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const value = JSON.parse(text) as unknown
        if (typeof value !== 'object' || value === null || Array.isArray(value)) return
        for (const [name, member] of Object.entries(value)) {
          expect(valueAt(Buffer.from(text), name)).toEqual(member)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

test('an array is cut into the sources of its items', () => {
  fc.assert(
    fc.property(fc.array(texts), (list) => {
      const text = Buffer.from(` [ ${list.join(' , ')} ] `)
      const sources = [...items(text, locate(text)!)].map(({ start, end }) =>
        text.toString('utf8', start, end),
      )
      expect(sources.map((source) => source.trim())).toEqual(list.map((source) => source.trim()))
    }),
  )
})

test('what is no array has no items, and what is no object no members', () => {
  const text = Buffer.from('{"a":[1]}')
  expect([...items(text, locate(text)!)]).toEqual([])
  expect([...members(text, locate(text, 'a')!)]).toEqual([])
})
