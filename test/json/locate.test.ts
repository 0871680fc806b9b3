import { describe, expect, test } from 'vitest'
import { items, locate, members } from '../../src/json/locate.ts'

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
})

test('what is no array has no items, and what is no object no members', () => {
  const text = Buffer.from('{"a":[1]}')
  expect([...items(text, locate(text)!)]).toEqual([])
  expect([...members(text, locate(text, 'a')!)]).toEqual([])
})

test('a text that is cut off comes to an end, too', () => {
  const text = '{"a":{"b":["x\\"",{"c":1.5}]},"d":"e"}'
  let ended = 0
  for (let end = 0; end < text.length; end++) {
    const cut = Buffer.from(text.slice(0, end))
    for (const look of [
      () => locate(cut, 'a', 'b'),
      () => locate(cut, 'd'),
      () => [...items(cut, { start: 0, end })],
    ]) {
      try {
        look()
      } catch {
        // A name that is cut off cannot be read.
      }
      ended++
    }
  }
  expect(ended).toBe(3 * text.length)
})
