import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { latenciesOf, percentile, readModel } from '../../src/trace/report/model.ts'
import { indent } from '../../src/trace/report/pretty.ts'

const pretty = (source: string): string =>
  indent(source)
    .map(({ text }) => text)
    .join('')

test('JSON is indented as source: numbers, duplicates and order stay', () => {
  expect(
    pretty('{"b":12345678901234567890,"a":[1.0,{"x":[],"y":{}}],"b":1e400,"c":"a\\/,{"}'),
  ).toBe(
    `{
  "b": 12345678901234567890,
  "a": [
    1.0,
    {
      "x": [],
      "y": {}
    }
  ],
  "b": 1e400,
  "c": "a\\/,{"
}`,
  )
})

test('any value means the same when it is indented', () => {
  fc.assert(
    fc.property(fc.json(), (source) => {
      expect(JSON.parse(pretty(source))).toEqual(JSON.parse(source))
    }),
  )
})

test('what cannot be seen is shown as an escape', () => {
  expect(pretty('"a\u202eb\u009b"')).toBe('"a\\u202eb\\u009b"')
})

test('a text that was cut is indented as far as it goes', () => {
  expect(pretty('{"a":[1,"x')).toBe('{\n  "a": [\n    1,\n    "x')
})

test('percentiles are of the nearest rank', () => {
  const values = Array.from({ length: 100 }, (_, index) => index + 1)
  expect([0.5, 0.95, 1].map((share) => percentile(values, share))).toEqual([50, 95, 100])
  expect(percentile([7], 0.95)).toBe(7)
  expect(percentile([], 0.5)).toBeNaN()
})

const frame = (seq: number, t: number, rest: string): string =>
  `{"seq":${seq},"t":${t},"at":"2026-11-24T15:02:11.070Z","type":"frame",${rest}`

test('requests find their answers, and states last until the next one of their part', () => {
  const model = readModel(
    [
      frame(1, 10, '"from":"host","kind":"request","id":"1","method":"a","raw":{}}'),
      frame(2, 11, '"from":"host","kind":"request","id":"2","method":"a","raw":{}}'),
      '{"seq":3,"t":12,"at":"","type":"state","part":"stream","what":"lost"}',
      '{"seq":4,"t":13,"at":"","type":"state","part":"retry","what":"again"}',
      frame(
        5,
        20,
        '"from":"server","kind":"response","id":"2","method":"a","request":2,"ms":9,"error":true,"raw":{}}',
      ),
      '{"seq":6,"t":30,"at":"","type":"state","part":"stream","what":"reopened"}',
      frame(7, 40, '"from":"host","kind":"notification","method":"b","raw":{}}'),
    ].join('\n'),
  )
  expect(model.requests.map(({ ms, failed }) => [ms, failed])).toEqual([
    [undefined, false],
    [9, true],
  ])
  const spans = [...model.lanes].map(([part, lane]) => [
    part,
    lane.map(({ from, to }) => [from, to]),
  ])
  expect(spans).toEqual([
    [
      'stream',
      [
        [12, 30],
        [30, 40],
      ],
    ],
    ['retry', [[13, 30]]],
  ])
  expect(latenciesOf(model.requests)).toMatchObject([
    { method: 'a', count: 2, failed: 1, open: 1, p50: 9, p95: 9 },
  ])
})
