import { expect, test } from 'vitest'
import { readFrame } from '../../src/frame.ts'
import { createRepeatable } from '../../src/remote/repeatable.ts'

const request = (method: string, params: object = {}) =>
  readFrame(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))!

const list = (...tools: object[]) =>
  readFrame(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { tools } }))!

test.each([
  ['tools/list', true],
  ['resources/read', true],
  ['prompts/get', true],
  ['initialize', true],
  ['server/discover', true],
  ['ping', true],
  ['tools/call', false],
  ['tasks/cancel', false],
  ['sampling/createMessage', false],
  ['x/unknown', false],
])('%s: %s', (method, expected) => {
  expect(createRepeatable().may(request(method))).toBe(expected)
})

test('a tool is what its last list says', () => {
  const repeatable = createRepeatable()
  const may = (name: string): boolean => repeatable.may(request('tools/call', { name }))
  repeatable.learn(
    list(
      { name: 'a', annotations: { readOnlyHint: true } },
      { name: 'b', annotations: { idempotentHint: true } },
      { name: 'c', annotations: { readOnlyHint: 'true' } },
      { name: 'd' },
      { title: 'nameless' },
    ),
  )
  expect(['a', 'b', 'c', 'd', 'e'].map(may)).toEqual([true, true, false, false, false])
  repeatable.learn(list({ name: 'a' }))
  expect(['a', 'b'].map(may)).toEqual([false, true])
  repeatable.learn(readFrame('{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}')!)
  repeatable.learn(readFrame('{"jsonrpc":"2.0","id":1,"result":{"tools":7}}')!)
  expect(may('b')).toBe(true)
})

test('messages that nobody answers may be repeated', () => {
  const { may } = createRepeatable()
  expect(may(readFrame('{"jsonrpc":"2.0","method":"notifications/initialized"}')!)).toBe(true)
  expect(may(readFrame('{"jsonrpc":"2.0","id":1,"result":{}}')!)).toBe(true)
})
