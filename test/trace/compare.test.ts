import { expect, test } from 'vitest'
import { differences, VOLATILE_MEMBERS } from '../../src/trace/compare.ts'

test.each([
  ['the same', '{"id":1,"result":{"a":[1,2]}}', '{"id":1,"result":{"a":[1,2]}}', []],
  ['white space and order', '{"a":1,"b":2}', '{ "b": 2, "a": 1 }', []],
  ['escapes', '{"a":"\\u0041/"}', '{"a":"A\\/"}', []],
  ['times', '{"a":1,"timestamp":1}', '{"a":1,"timestamp":2}', []],
  ['what was masked', '{"a":"x ‹token:0a1b2c3d›"}', '{"a":"x y"}', []],
  ['an id', '{"id":1}', '{"id":"1"}', ['id: 1 → "1"']],
  [
    'large integers',
    '{"a":12345678901234567890}',
    '{"a":12345678901234567891}',
    ['a: 12345678901234567890 → 12345678901234567891'],
  ],
  ['the way a number is written', '{"a":1.0}', '{"a":1}', ['a: 1.0 → 1']],
  ['a member less', '{"a":{"b c":1}}', '{"a":{}}', ['a["b c"]: 1 → undefined']],
  ['an item more', '{"a":[1]}', '{"a":[1,{}]}', ['a[1]: undefined → {}']],
  [
    'a result that is an error now',
    '{"result":{}}',
    '{"error":{}}',
    ['result: {} → undefined', 'error: undefined → {}'],
  ],
])('%s', (_, expected, actual, found) => {
  const lines = differences(expected, actual, VOLATILE_MEMBERS).map(
    ({ path, expected: before, actual: after }) => `${path}: ${before} → ${after}`,
  )
  expect(lines).toEqual(found)
})
