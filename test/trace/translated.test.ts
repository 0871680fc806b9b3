import { expect, test } from 'vitest'
import type { Local, RemoteEvents } from '../../src/channel.ts'
import { type Frame, readFrame } from '../../src/frame.ts'
import { createExchangeRecorder } from '../../src/trace/exchanges.ts'
import { createFilter } from '../../src/trace/filter.ts'
import { createHar } from '../../src/trace/har.ts'
import { type Entry, type FrameRecord, readEntry } from '../../src/trace/record.ts'
import { createRecorder, createStamp } from '../../src/trace/recorder.ts'
import { readModel } from '../../src/trace/report/model.ts'
import type { Sink } from '../../src/trace/sink.ts'
import { createPaint } from '../../src/terminal.ts'
import { viewOf } from '../../src/trace/view.ts'

/** A recorder whose lines stay here, and the ways of a host and a server through it. */
function setUp(capBytes = 10_000) {
  const lines: string[] = []
  const sink: Sink = {
    write(head, raw) {
      const text = raw === undefined ? '' : `,"raw":${Buffer.concat([...raw]).toString('utf8')}`
      lines.push(`${head}${text}}`)
      return true
    },
    close: () => Promise.resolve(),
  }
  let clock = 0
  const stamp = createStamp(
    () => ++clock,
    () => 0,
  )
  const extent = { capBytes, payloads: true, states: true }
  const recorder = createRecorder(sink, stamp, (text) => text, extent)
  const exchanges = createExchangeRecorder(sink, stamp, recorder.requestOf, () => ++clock, true)
  const events: RemoteEvents = {
    frame: (frame) => host.send(frame),
    lost: () => {},
    forgotten: () => {},
  }
  let say: (frame: Frame) => void = () => {}
  const host = recorder.local({
    send: () => undefined,
    read(onLine) {
      say = (frame) => void onLine({ kind: 'frame', frame })
      return Promise.resolve()
    },
  } as Partial<Local> as Local)
  void host.read(() => undefined)
  const toHost = recorder.events(events)
  const post = exchanges.send(() =>
    Promise.resolve({
      status: 200,
      headers: { 'content-type': 'application/json' },
      consume: () => Promise.resolve(),
      discard: () => {},
    } as never),
  )
  return {
    ...recorder.server,
    toHost: (text: string) => toHost.frame(readFrame(text)!),
    fromHost: (text: string) => say(readFrame(text)!),
    async post(text: string) {
      const frame = readFrame(text)!
      recorder.server.sent(frame)
      const url = new URL('https://a.example/mcp')
      const response = await post({ method: 'POST', url, headers: {}, body: frame.chunks })
      await response.consume(() => undefined)
    },
    receive: (text: string) => recorder.server.received(readFrame(text)!),
    lines,
    entries: () => lines.map((line): Entry => readEntry(line)!),
  }
}

/** One call in two rounds, beside a request of the host that the bridge answers alone. */
async function translated() {
  const trace = setUp()
  trace.translates()
  trace.fromHost('{"id":1,"method":"tools/call","params":{"name":"a"}}')
  trace.standsFor('7', '1')
  await trace.post('{"id":7,"method":"tools/call","params":{"name":"a","_meta":{}}}')
  trace.receive('{"id":7,"result":{"resultType":"input_required"}}')
  trace.standsFor('8', '1')
  await trace.post('{"id":8,"method":"tools/call","params":{"name":"a","inputResponses":{}}}')
  trace.receive('{"id":8,"result":{"resultType":"complete","content":[]}}')
  await trace.toHost('{"id":1,"result":{"content":[]}}')
  trace.fromHost('{"id":7,"method":"ping"}')
  await trace.toHost('{"id":7,"result":{}}')
  return trace
}

const framesIn = (entries: readonly Entry[]): FrameRecord[] =>
  entries.flatMap(({ record }) => (record.type === 'frame' ? [record] : []))

test('both sides of a translation are recorded, each tied to its own requests', async () => {
  const trace = await translated()
  const frames = framesIn(trace.entries())
  const [call, first] = frames
  expect(
    frames.map(({ from, side, id, kind, for: cause }) => [from, side, id, kind, cause]),
  ).toEqual([
    ['host', undefined, '1', 'request', undefined],
    ['bridge', 'server', '7', 'request', call!.seq],
    ['server', 'server', '7', 'response', undefined],
    ['bridge', 'server', '8', 'request', call!.seq],
    ['server', 'server', '8', 'response', undefined],
    ['bridge', undefined, '1', 'response', undefined],
    ['host', undefined, '7', 'request', undefined],
    ['bridge', undefined, '7', 'response', undefined],
  ])
  expect(frames[2]).toMatchObject({ method: 'tools/call', request: first!.seq, status: 200 })
  expect(frames[5]).toMatchObject({ method: 'tools/call', request: call!.seq })
  expect(frames[7]).toMatchObject({ method: 'ping', request: frames[6]!.seq })
})

test('what the server says to a host of its own era is its own text, and recorded once', async () => {
  const trace = setUp()
  trace.fromHost('{"id":1,"method":"tools/list"}')
  await trace.toHost('{"id":1,"result":{}}')
  expect(framesIn(trace.entries()).map(({ from, side }) => [from, side])).toEqual([
    ['host', undefined],
    ['server', undefined],
  ])
})

test('a notification that passes unchanged is still the text of the server', async () => {
  const trace = setUp()
  trace.translates()
  const frame = readFrame('{"method":"notifications/message"}')!
  trace.received(frame)
  const text = '{"method":"notifications/message","params":{}}'
  await trace.toHost(text)
  expect(framesIn(trace.entries()).map(({ from, side }) => [from, side])).toEqual([
    ['server', 'server'],
    ['bridge', undefined],
  ])
})

test('a long message to the server is cut as well', async () => {
  const trace = setUp(20)
  trace.translates()
  await trace.post('{"id":7,"method":"tools/call","params":{}}')
  expect(trace.lines[0]).toContain('"cut":true,"raw":"{\\"id\\":7,\\"method\\":\\"to"')
})

test('the lines of both sides stand together', async () => {
  const trace = await translated()
  const look = { paint: createPaint({}, {}), columns: 60 }
  const shown = trace
    .entries()
    .filter(({ record }) => record.type === 'frame')
    .map((entry) => viewOf(entry, look).slice(14, 34).trimEnd())
  expect(shown.slice(0, 6)).toEqual(
    [
      '→  tools/call #1  52',
      '⇥    tools/call #7',
      '⇤    tools/call #7',
      '⇥    tools/call #8',
      '⇤    tools/call #8',
      '↩  tools/call #1  10',
    ].map((line) => expect.stringContaining(line.slice(0, 18)) as string),
  )
})

test('an id is the host’s; what was said to the server for it belongs to it', async () => {
  const entries = (await translated()).entries()
  const shown = (id: string): string[] =>
    framesIn(entries.filter(createFilter({ id }))).map(({ side, id: own }) => `${side} ${own}`)
  expect(shown('1')).toEqual([
    'undefined 1',
    'server 7',
    'server 7',
    'server 8',
    'server 8',
    'undefined 1',
  ])
  expect(shown('7')).toEqual(['undefined 7', 'undefined 7'])
  expect(shown('8')).toEqual([])
})

test('a HAR file holds what was sent, and the report leads from one side to the other', async () => {
  const trace = await translated()
  const har = JSON.parse(createHar(trace.entries())) as {
    log: { entries: { request: object; response: { content: object } }[] }
  }
  expect(har.log.entries).toHaveLength(2)
  expect(har.log.entries[0]).toMatchObject({
    request: { postData: { text: expect.stringContaining('"id":7') as string } },
    response: { content: { text: expect.stringContaining('input_required') as string } },
  })
  const model = readModel(trace.lines.join('\n'))
  const call = model.requests.find(({ record }) => record.id === '1')!
  const sent = model.translations.get(call.record.seq)!
  expect(sent.map(({ record }) => (record as FrameRecord).id)).toEqual(['7', '8'])
})
