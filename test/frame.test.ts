import { describe, expect, test } from 'vitest'
import {
  answer,
  batchFrame,
  cancelledId,
  createFrameReader,
  errorFrame,
  type Frame,
  type FrameKind,
  readFrame,
  slice,
  withId,
} from '../src/frame.ts'
import { inPieces } from './support/json-texts.ts'

const textOf = (frame: Frame): string => Buffer.concat(frame.chunks).toString('utf8')

describe('what a text is', () => {
  test.each<[string, FrameKind]>([
    ['{"id":1,"method":"ping"}', 'request'],
    ['{"id":null,"method":"ping"}', 'request'],
    ['{"id":0,"method":""}', 'request'],
    ['{"method":"ping"}', 'notification'],
    ['{"id":1,"result":{}}', 'response'],
    ['{"id":1,"result":null}', 'response'],
    ['{"id":1,"error":{"code":1,"message":""}}', 'response'],
    ['{"error":{"code":1,"message":""}}', 'response'],
    ['{"id":1}', 'invalid'],
    ['{}', 'invalid'],
    ['{"id":1,"method":2}', 'invalid'],
    ['{"id":{},"method":"ping"}', 'invalid'],
    ['{"id":[1],"method":"ping"}', 'invalid'],
    ['{"id":true,"method":"ping"}', 'invalid'],
    ['1', 'invalid'],
    ['"ping"', 'invalid'],
    ['null', 'invalid'],
    ['[]', 'invalid'],
    ['[{"method":"ping"}]', 'batch'],
    ['[1]', 'batch'],
  ])('%s: %s', (text, kind) => {
    expect(readFrame(text)!.kind).toBe(kind)
  })

  test.each(['', ' ', '{', '{"id":1}}', 'nonsense', '{"id":1} {"id":2}'])(
    '%j is no frame',
    (text) => {
      expect(readFrame(text)).toBeUndefined()
    },
  )
})

test.each([
  ['a lone byte', '{"id":1,"result":"\xff"}'],
  ['half a character', '{"id":1,"result":"\xc3"}'],
  ['an overlong slash', '{"id":1,"result":"\xc0\xaf"}'],
  ['half a surrogate pair', '{"id":1,"result":"\xed\xa0\x80"}'],
])('%s is not UTF-8, so it is no frame', (_, text) => {
  expect(readFrame(Buffer.from(text, 'latin1'))).toBeUndefined()
})

describe('ids', () => {
  test.each(['0', '"0"', '1.5', '1.50', '12345678901234567890', 'null', '""', '-0', '"\\u0030"'])(
    'keep their source: %s',
    (id) => {
      expect(readFrame(`{"id": ${id} ,"method":"ping"}`)).toMatchObject({ kind: 'request', id })
    },
  )

  test('of an invalid message are read when they are there', () => {
    expect(readFrame('{"id":7}')).toMatchObject({ kind: 'invalid', id: '7' })
    expect(readFrame('{"id":{},"method":"x"}')!.id).toBeUndefined()
  })

  test.each([
    ['{"error":{"code":1,"message":""}}', '{"id":"a","error":{"code":1,"message":""}}'],
    [' \t{"result":1.0}', ' \t{"id":"a","result":1.0}'],
    ['{"id":null,"result":1.0}', '{"id":"a","result":1.0}'],
  ])('of %s are put in: %s', (text, expected) => {
    for (const lengths of [[], [1], [2]]) {
      const reader = createFrameReader()
      for (const piece of inPieces(text, lengths)) reader.push(piece)
      expect(textOf(withId(reader.finish()!, '"a"'))).toBe(expected)
    }
  })
})

describe('members', () => {
  test('are read wherever the text is cut', () => {
    const text = '{"params":{"é":[1.0]},"method":"a\\u002fb","id":"ü"}'
    for (let at = 1; at < Buffer.byteLength(text); at++) {
      const reader = createFrameReader()
      for (const piece of inPieces(text, [at])) reader.push(piece)
      const frame = reader.finish()!
      expect(frame).toMatchObject({ kind: 'request', id: '"ü"', method: 'a/b' })
      expect(slice(frame.chunks, frame.params!).toString()).toBe('{"é":[1.0]}')
      expect(textOf(frame)).toBe(text)
    }
  })

  test('result and error are where they say', () => {
    const text = '{"result":{"a":1e400},"id":1,"error":[]}'
    const frame = readFrame(text)!
    expect(slice(frame.chunks, frame.result!).toString()).toBe('{"a":1e400}')
    expect(slice(frame.chunks, frame.error!).toString()).toBe('[]')
  })
})

describe('raw line breaks', () => {
  test('become spaces, each of them', () => {
    expect(textOf(readFrame('{\r\n"id":1,\n\n"result":"\\n"\r}')!)).toBe(
      '{  "id":1,  "result":"\\n" }',
    )
  })
})

describe('cancelledId', () => {
  test.each<[string, string | undefined]>([
    ['{"method":"notifications/cancelled","params":{"requestId":1.50}}', '1.50'],
    ['{"method":"notifications/cancelled","params":{"requestId":"1"}}', '"1"'],
    ['{"method":"notifications/cancelled","params":{"reason":"x"}}', undefined],
    ['{"method":"notifications/cancelled"}', undefined],
    ['{"method":"notifications/other","params":{"requestId":1}}', undefined],
  ])('of %s: %s', (text, id) => {
    expect(cancelledId(readFrame(text)!)).toBe(id)
  })
})

describe('batches', () => {
  test('have parts that are frames of their own', () => {
    const parts = ['{"id":1,"method":"a"}', '{"method":"b","params":{"x":1.0}}', '2', '{"id":1}']
    const frame = readFrame(`[ ${parts.join(' ,\n')} ]`)!
    expect(frame.parts!.map(({ kind }) => kind)).toEqual([
      'request',
      'notification',
      'invalid',
      'invalid',
    ])
    expect(frame.parts!.map(textOf)).toEqual(parts)
    const [, second] = frame.parts!
    expect(slice(second!.chunks, second!.params!).toString()).toBe('{"x":1.0}')
  })

  test('are made of whole messages', () => {
    const parts = ['{"id":1,"result":1.0}', '{"id":2,"error":{}}'].map((text) => readFrame(text)!)
    const frame = batchFrame(parts)
    expect(textOf(frame)).toBe('[{"id":1,"result":1.0},{"id":2,"error":{}}]')
    expect(frame).toMatchObject({ kind: 'batch', parts, size: textOf(frame).length })
  })
})

describe('messages of our own', () => {
  test.each(['1', '"é"', 'null'])('an answer under the id %s says where everything is', (id) => {
    const frame = answer(id, 'result', Buffer.from('{"ü":1.0}'))
    expect(textOf(frame)).toBe(`{"jsonrpc":"2.0","id":${id},"result":{"ü":1.0}}`)
    const read = readFrame(textOf(frame))!
    expect(frame).toMatchObject({
      kind: 'response',
      id,
      size: read.size,
      idSpan: read.idSpan,
      result: read.result,
    })
  })

  test('an error is JSON', () => {
    const error = { code: -31001, message: 'no\n"way"', data: { phase: 'connect' } }
    expect(JSON.parse(textOf(errorFrame('null', error)))).toEqual({
      jsonrpc: '2.0',
      id: null,
      error,
    })
  })
})
