import assert from 'node:assert/strict'
import { createParser } from 'eventsource-parser'
import * as fc from 'fast-check'
import { decode } from '../support/event-streams.ts'
import { cuts, texts } from '../support/json-texts.ts'
import type { Property, Tally } from './property.ts'

/** The stream read by eventsource-parser; a line break inside data is one space for us, as it must fit on a line. */
function reference(text: string): { events: unknown[]; retries: number[] } {
  const events: unknown[] = []
  const retries: number[] = []
  const parser = createParser({
    onEvent: ({ event, data }) => {
      // An event without data dispatches nothing (WHATWG HTML, 9.2.6).
      if (data !== '') events.push({ type: event ?? 'message', text: data.replaceAll('\n', ' ') })
    },
    onRetry: (ms) => retries.push(ms),
  })
  parser.feed(text)
  // It waits for the LF that may belong to a last CR; to us, the line has ended.
  if (text.endsWith('\r')) parser.feed('\n')
  return { events, retries }
}

/** The ids of a stream (WHATWG HTML, 9.2.6): the last one of each block that has ended, unless it holds NUL. */
function idsIn(text: string): string[] {
  const ids: string[] = []
  let id: string | undefined
  for (const line of text.split(/\r\n|\r|\n/).slice(0, -1)) {
    const [, value] = /^id(?:: ?(.*))?$/su.exec(line) ?? []
    if (/^id(?::|$)/.test(line) && value?.includes('\0') !== true) id = value ?? ''
    if (line !== '' || id === undefined) continue
    ids.push(id)
    id = undefined
  }
  return ids
}

const lineEnd = fc.constantFrom('\n', '\r\n', '\r')
const fieldName = fc.constantFrom(
  'data',
  'data',
  'data',
  'event',
  'id',
  'id',
  'retry',
  'dat',
  'datas',
  'Data',
  'x',
  '',
)
const fieldValue = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'ab:{}" 0é\u2028\u{1F600}\ufeff\0'), maxLength: 8 }),
  fc.constantFrom('', ' ', '5', '007', '1e3', '-1', '٣', '{"a":1}', 'a\0b'),
)
const line = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(fieldName, fc.constantFrom(':', ': ', ':  ', ''), fieldValue)
      .map((parts) => parts.join('')),
  },
  { weight: 4, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.constantFrom(':', ': keep-alive', 'data', 'event', 'id') },
)
const bytes = fc.uint8Array({ maxLength: 4 })
const streams = fc
  .tuple(
    fc.constantFrom('', '\ufeff', '\ufeff\ufeff'),
    fc.array(fc.tuple(line, fc.oneof({ weight: 9, arbitrary: fc.constant('') }, bytes), lineEnd), {
      maxLength: 40,
      size: '+1',
    }),
  )
  .map(([mark, lines]) => Buffer.concat([mark, ...lines.flat()].map((piece) => Buffer.from(piece))))

const tally: Tally = { what: 'streams with events', atLeast: 0.3, count: 0 }

export const eventStreams: Property = {
  name: 'event streams: any stream, cut anywhere, says what eventsource-parser reads in it',
  runs: 1000,
  tally,
  property: fc.property(streams, cuts, (stream, lengths) => {
    const whole = new TextDecoder().decode(stream) // takes the byte order mark away
    const { events, retries } = reference(whole)
    const said = decode(stream, lengths)
    if (events.length > 0) tally.count++
    assert.deepEqual(
      said.events.map(({ type, text }) => ({ type, text })),
      events,
    )
    assert.deepEqual(said.retries, retries)
    assert.deepEqual(said.ids, idsIn(whole))
  }),
}

export const eventData: Property = {
  name: 'event streams: data is one JSON text on one line, however it was broken into lines',
  runs: 100,
  property: fc.property(fc.array(texts), lineEnd, cuts, (list, end, lengths) => {
    const encode = (text: string): string =>
      `data: ${text.split(/\r\n|\r|\n/).join(`${end}data: `)}${end}${end}`
    const expected = list.map((text) => text.replaceAll(/\r\n|\r|\n/g, ' '))
    const found = decode(list.map(encode).join(''), lengths).events
    assert.deepEqual(
      found.map(({ json }) => json),
      expected,
    )
  }),
}
