import { describe, expect, test } from 'vitest'
import { type Changes, withItems, withMembers } from '../../src/json/edit.ts'

const edited = (text: string, changes: Changes): string =>
  withMembers(Buffer.from(text), changes).toString('utf8')

describe('withMembers', () => {
  test.each<[string, Changes, string]>([
    ['{"a":1.0,"b":1e400}', { a: '2' }, '{"a":2,"b":1e400}'],
    ['{"a":1.0,"b":1e400}', { c: '3' }, '{"c":3,"a":1.0,"b":1e400}'],
    ['{"a":1.0,"b":1e400}', { c: '3', d: Buffer.from('4') }, '{"c":3,"d":4,"a":1.0,"b":1e400}'],
    ['{}', { a: '1' }, '{"a":1}'],
    [' { } ', { a: '1' }, ' {"a":1 } '],
    ['{"a":1}', { a: undefined }, '{}'],
    ['{"a":1}', { a: undefined, b: '2' }, '{"b":2}'],
    ['{"a":1,"b":2,"c":3}', { a: undefined }, '{"b":2,"c":3}'],
    ['{"a":1,"b":2,"c":3}', { b: undefined }, '{"a":1,"c":3}'],
    ['{"a":1,"b":2,"c":3}', { c: undefined }, '{"a":1,"b":2}'],
    ['{"a":1,"b":2,"c":3}', { a: undefined, b: undefined }, '{"c":3}'],
    ['{"a":1,"b":2,"c":3}', { b: undefined, c: undefined }, '{"a":1}'],
    ['{ "a" : 1 , "b" : 2 }', { c: undefined }, '{ "a" : 1 , "b" : 2 }'],
    ['{ "a" : 1 , "b" : 2 }', { b: '3' }, '{ "a" : 1 , "b" : 3 }'],
    ['{"a":1,"a":2}', { a: '3' }, '{"a":3,"a":3}'],
    ['{"a":1,"b":0,"a":2}', { a: undefined }, '{"b":0}'],
    ['{"\\u0061":1}', { a: '2' }, '{"\\u0061":2}'],
    ['{"toString":1,"__proto__":2}', { a: '3' }, '{"a":3,"toString":1,"__proto__":2}'],
    ['[1]', { a: '2' }, '[1]'],
    ['"a"', { a: '2' }, '"a"'],
  ])('%s with %j', (text, changes, expected) => {
    expect(edited(text, changes)).toBe(expected)
  })
})

describe('withItems', () => {
  const without = (text: string, ...refused: string[]): string =>
    withItems(Buffer.from(text), (item) =>
      refused.includes(item.toString()) ? undefined : item,
    ).toString()

  test.each([
    ['[1,2,3]', ['1'], '[2,3]'],
    ['[1,2,3]', ['2'], '[1,3]'],
    ['[1,2,3]', ['3'], '[1,2]'],
    ['[ 1 , 2 , 3 ]', ['1', '2'], '[ 3 ]'],
    ['[ 1 , 2 , 3 ]', ['2', '3'], '[ 1 ]'],
    [' [1.0, {"a":[1e400]}] ', ['1.0'], ' [ {"a":[1e400]}] '],
    ['[1]', ['1'], '[]'],
    ['[ ]', ['1'], '[ ]'],
    ['{"a":1}', ['1'], '{"a":1}'],
  ])('%s without %j is %s', (text, refused, expected) => {
    expect(without(text, ...refused)).toBe(expected)
  })

  test('replaces an item and nothing else', () => {
    const changed = withItems(Buffer.from('[1.0, "x" ,-0]'), (item) =>
      item.toString() === '"x"' ? Buffer.from('{}') : item,
    )
    expect(changed.toString()).toBe('[1.0, {} ,-0]')
  })
})
