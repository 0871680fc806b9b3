import { describe, expect, test } from 'vitest'
import { MAX_EVENT_FIELD_BYTES } from '../../src/limits.ts'
import { createEventDecoder } from '../../src/remote/events.ts'
import { decode } from '../support/event-streams.ts'

describe('one stream', () => {
  const event = (text: string, type = 'message') => ({ type, text })
  test.each<[string, string, { type: string; text: string }[]]>([
    ['LF ends lines', 'data: 1\n\ndata: 2\n\n', [event('1'), event('2')]],
    ['CR ends lines', 'data: 1\r\rdata: 2\r\r', [event('1'), event('2')]],
    ['CRLF ends lines', 'data: 1\r\n\r\ndata: 2\r\n\r\n', [event('1'), event('2')]],
    ['LF CR are two ends', 'data: 1\n\rdata: 2\n\r', [event('1'), event('2')]],
    ['one byte order mark is skipped', '\ufeffdata: 1\n\n', [event('1')]],
    ['a second one is part of the name', '\ufeff\ufeffdata: 1\n\n', []],
    ['comments are nothing', ': x\n:\ndata: 1\n: y\n\n', [event('1')]],
    ['unknown fields are nothing', 'foo: 1\ndatum: 2\ndata: 1\n\n', [event('1')]],
    ['one space behind the colon is skipped', 'data:  1\n\ndata:2\n\n', [event(' 1'), event('2')]],
    ['a line without colon is a field without value', 'data\ndata: 1\n\n', [event(' 1')]],
    ['empty data dispatches nothing', 'data:\n\ndata\n\nevent: x\ndata: \n\n', []],
    ['no data dispatches nothing', 'event: x\n\ndata: 1\n\n', [event('1')]],
    [
      'the type lasts for one event',
      'event: x\ndata: 1\n\ndata: 2\n\n',
      [event('1', 'x'), event('2')],
    ],
    ['the last type counts', 'event: x\nevent: y\ndata: 1\n\n', [event('1', 'y')]],
    ['an event without blank line at the end is none', 'data: 1\n\ndata: 2\n', [event('1')]],
    ['nor with a line that has no end', 'data: 1\n\ndata: 2', [event('1')]],
    ['data of several lines is one text', 'data: [\ndata: 1\ndata: ]\n\n', [event('[ 1 ]')]],
    ['names are case-sensitive', 'Data: 1\n\ndata: 2\n\n', [event('2')]],
  ])('%s', (_, stream, events) => {
    for (const lengths of [[], Array(Buffer.byteLength(stream)).fill(1) as number[]]) {
      const said = decode(stream, lengths).events
      expect(said.map(({ type, text }) => ({ type, text }))).toEqual(events)
    }
  })

  test.each<[string, string, string[]]>([
    ['are told when their event ends', 'id: a\ndata: 1\n\nid: b\n\n', ['a', 'b']],
    ['are not told for an event that never ends', 'id: a\ndata: 1\n', []],
    ['are told for an event with empty data (priming)', 'id: a\ndata:\n\n', ['a']],
    ['may be empty, which means none', 'id: a\n\nid:\n\n', ['a', '']],
    ['with NUL are ignored', 'id: a\nid: b\u0000\n\n', ['a']],
    ['keep spaces and colons', 'id:  a: b\n\n', [' a: b']],
  ])('ids %s', (_, stream, ids) => {
    expect(decode(stream).ids).toEqual(ids)
    expect(decode(stream, Array(stream.length).fill(1) as number[]).ids).toEqual(ids)
  })

  test.each<[string, number[]]>([
    ['0', [0]],
    ['1500', [1500]],
    ['007', [7]],
    ['', []],
    ['1.5', []],
    ['-1', []],
    ['1s', []],
  ])('retry: %j is %j', (value, retries) => {
    expect(decode(`retry: ${value}\n\n`).retries).toEqual(retries)
  })

  test('data that is no JSON is an event without frame', () => {
    expect(decode('data: {"a":\n\n').events).toEqual([
      { type: 'message', text: '{"a":', json: undefined },
    ])
  })

  test('a field that never ends is refused', () => {
    const decoder = createEventDecoder({ event: () => undefined })
    decoder.push(Buffer.from('id: '))
    const piece = Buffer.alloc(MAX_EVENT_FIELD_BYTES, 'x')
    decoder.push(piece)
    expect(() => decoder.push(piece)).toThrow(RangeError)
  })

  test('a name that never ends costs nothing', () => {
    const decoder = createEventDecoder({ event: () => undefined })
    for (let i = 0; i < 20; i++) decoder.push(Buffer.alloc(1_000_000, 'x'))
    expect(decoder.push(Buffer.from('\n'))).toBeUndefined()
  })
})

test('the promise of the last handler that has one is handed on', async () => {
  const waits = [Promise.resolve(), undefined]
  let taken = 0
  const decoder = createEventDecoder({ event: () => waits[taken++] })
  expect(decoder.push(Buffer.from('data: 1\n\ndata: 2\n\n'))).toBe(waits[0])
  expect(taken).toBe(2)
  expect(decoder.push(Buffer.from('data: 3\n\n'))).toBeUndefined()
  await waits[0]
})
