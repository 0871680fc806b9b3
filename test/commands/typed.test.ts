import { describe, expect, test } from 'vitest'
import { toolArguments } from '../../src/commands/typed.ts'

const TOOL = Buffer.from(
  JSON.stringify({
    name: 't',
    inputSchema: {
      properties: {
        n: { type: 'number' },
        i: { type: 'integer' },
        b: { type: 'boolean' },
        s: { type: 'string' },
        o: { type: 'object' },
        l: { type: 'array' },
        maybe: { type: ['string', 'integer', 'null'] },
        any: {},
      },
    },
  }),
)

describe('key=value', () => {
  test.each<[string, string]>([
    ['i=12345678901234567890', '{"i":12345678901234567890}'],
    ['n=1.0', '{"n":1.0}'],
    ['n=-1e400', '{"n":-1e400}'],
    ['b=true', '{"b":true}'],
    ['s=true', '{"s":"true"}'],
    ['s=12', '{"s":"12"}'],
    ['s=', '{"s":""}'],
    ['s=a=b "c"', String.raw`{"s":"a=b \"c\""}`],
    ['o={"a": 1.0}', '{"o":{"a": 1.0}}'],
    ['l=[1, 2]', '{"l":[1, 2]}'],
    ['maybe=7', '{"maybe":7}'],
    ['maybe=null', '{"maybe":null}'],
    ['maybe=seven', '{"maybe":"seven"}'],
    ['any=7', '{"any":7}'],
    ['any=07', '{"any":"07"}'],
    ['any={"a":1}', '{"any":{"a":1}}'],
    ['any={a}', '{"any":"{a}"}'],
    ['unknown=false', '{"unknown":false}'],
    ['__proto__=x', '{"__proto__":"x"}'],
  ])('%s is %s', (word, json) => {
    expect(toolArguments([word], TOOL)).toBe(json)
  })

  test('several', () => {
    expect(toolArguments(['i=1', 's=x'], TOOL)).toBe('{"i":1,"s":"x"}')
    expect(toolArguments([], TOOL)).toBe('{}')
    expect(toolArguments(['i=1'], undefined)).toBe('{"i":1}')
  })
})

test.each([
  ['{"i": 12345678901234567890, "x": 1.0}', '{"i": 12345678901234567890, "x": 1.0}'],
  ['{"a":\n1}', '{"a": 1}'],
  [' {}', ' {}'],
])('JSON goes as it is: %j', (given, sent) => {
  expect(toolArguments([given], TOOL)).toBe(sent)
})

test.each<[string[], string]>([
  [['i=1.5'], 'i is no integer: 1.5'],
  [['i='], 'i is no integer: '],
  [['n=0x1'], 'n is no number: 0x1'],
  [['b=yes'], 'b is no boolean: yes'],
  [['o=[]'], 'o is no object: []'],
  [['l={'], 'l is no array: {'],
  [['word'], 'Neither key=value nor a JSON object: word'],
  [['=x'], 'Neither key=value nor a JSON object: =x'],
  [['{"a":'], 'The arguments are not JSON.'],
  [['{}', 'i=1'], 'Behind a JSON object nothing can stand: i=1'],
])('%j is refused', (words, message) => {
  expect(() => toolArguments(words, TOOL)).toThrow(message)
})
