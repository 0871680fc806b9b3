import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BridgeProcess, initialize, startBridge } from '../support/bridge.ts'
import { strings, texts, space, cuts, inPieces } from '../support/json-texts.ts'
import { type TestServer } from '../support/http-server.ts'
import { kindOf, startMcpServer, stream } from '../support/mcp-server.ts'
import { type SseServer, startSseServer } from '../support/sse-server.ts'
import { until } from '../support/until.ts'

/** What the server is to say, in these pieces. */
interface Answer {
  readonly text: string | Buffer
  readonly cuts?: readonly number[]
}

/** A bridge between the test as host and a server that says what the test wants. */
interface Link {
  readonly server: TestServer
  readonly bridge: BridgeProcess
  /** What the server answers to the next `echo`. */
  answer: Answer
}

async function link(server: TestServer): Promise<Omit<Link, 'answer'>> {
  const bridge = startBridge(server.url)
  bridge.write(initialize('first'))
  await bridge.answer('first')
  return { server, bridge }
}

/** A text as the data of one event: every line of it is a field of its own. */
function event(text: string | Buffer): Buffer {
  if (Buffer.isBuffer(text))
    return Buffer.concat([Buffer.from('data: '), text, Buffer.from('\n\n')])
  return Buffer.from(`data: ${text.split(/\r\n|\r|\n/).join('\ndata: ')}\n\n`)
}

const links: Record<string, () => Promise<Link>> = {
  'as JSON': async () => {
    const self: Link = {
      ...(await link(
        await startMcpServer({
          echo: (_request, response) => {
            response.writeHead(200, { 'content-type': 'application/json' })
            for (const piece of inPieces(self.answer.text, self.answer.cuts ?? []))
              response.write(piece)
            response.end()
          },
        }),
      )),
      answer: { text: '' },
    }
    return self
  },
  'as an event': async () => {
    const self: Link = {
      ...(await link(
        await startMcpServer({
          echo: (_request, response) => {
            const { text, cuts: lengths = [] } = self.answer
            stream(response)
            for (const piece of inPieces(event(text), lengths)) response.write(piece)
            response.end()
          },
        }),
      )),
      answer: { text: '' },
    }
    return self
  },
  'over HTTP+SSE': async () => {
    const server = await startSseServer({
      echo: (_request, response) => {
        const { text, cuts: lengths = [] } = self.answer
        response.writeHead(202).end()
        for (const piece of inPieces(event(text), lengths)) server.streams.at(-1)!.write(piece)
      },
    })
    const self: Link = { ...(await link(server)), answer: { text: '' } }
    return self
  },
}

/** Sends a request through the bridge; what the server got, and what the host got back. */
async function roundTrip(self: Link, request: string | Buffer, answer: Answer): Promise<Buffer[]> {
  const { bridge, server } = self
  const before = bridge.lines.length
  self.answer = answer
  bridge.write(request)
  await until('the answer', () => bridge.lines.length > before, { ms: 40_000, seen: bridge.stderr })
  expect(bridge.lines).toHaveLength(before + 1)
  return [server.seen.findLast((seen) => kindOf(seen) === 'echo')!.body, bridge.lines.at(-1)!]
}

/** The same with texts. */
async function textTrip(self: Link, request: string, answer: Answer): Promise<string[]> {
  return (await roundTrip(self, request, answer)).map(String)
}

/** What a raw line break must become on the one line of stdio. */
const onOneLine = (name: string, text: string): string =>
  text.replaceAll(name === 'as JSON' ? /[\r\n]/g : /\r\n|\r|\n/g, ' ')

const values = {
  'an integer beyond 2^53': '9007199254740993',
  'an integer of 20 digits': '12345678901234567890',
  'a fraction that is an integer': '1.0',
  'a number beyond every double': '1e400',
  'a number below every double': '1E-400',
  'minus zero': '-0',
  'a long fraction': '0.1000000000000000055511151231257827',
  'duplicate keys': '{"a":1,"a":2,"b":3,"a":1}',
  'keys that look like numbers, out of order': '{"2":0,"1":0,"b":0,"a":0}',
  'a key called __proto__': '{"__proto__":{"x":1},"constructor":null}',
  'an empty key': '{"":""}',
  'escapes that need not be': '"\\u0041\\/\\u00e9\\u000a"',
  'all short escapes': '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
  'a NUL as an escape': '"\\u0000"',
  'U+2028 and U+2029, raw and as escapes': '"\u2028\u2029\\u2028\\u2029"',
  'lone surrogates as escapes': '"\\ud800 \\udfff \\udc00\\ud800"',
  'a pair of surrogates as escapes and raw': '"\\ud83d\\ude00 \u{1F600}"',
  'a byte order mark inside': '"\ufeff"',
  'U+0085 and DEL': '"\u0085\u007f"',
  'text that looks like an event': '"\\ndata: x\\n\\nid: 1"',
  'text that looks like a message': '"{\\"jsonrpc\\":\\"2.0\\",\\"id\\":1}"',
  'arrays 10,000 deep': `${'['.repeat(10_000)}${']'.repeat(10_000)}`,
  'objects 10,000 deep': `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
  'white space between all tokens': '  { "a" : [ 1 ,\t2 ] ,  "b" : { } }  ',
}

/** Whole messages whose top level is out of the ordinary: request and answer. */
const messages: Record<string, [string, string]> = {
  'the id last': [
    '{"params":{},"method":"echo","jsonrpc":"2.0","id":1}',
    '{"result":{},"jsonrpc":"2.0","id":1}',
  ],
  'members that nobody knows': [
    '{"jsonrpc":"2.0","id":1,"method":"echo","params":{},"trace":[1.0],"":null}',
    '{"jsonrpc":"2.0","id":1,"result":{},"trace":{"id":2,"error":3},"x":1e400}',
  ],
  'members twice': [
    '{"jsonrpc":"2.0","id":9,"method":"x","method":"echo","params":{"a":1},"params":[],"id":1}',
    '{"jsonrpc":"2.0","id":8,"result":{},"id":1,"result":1.0}',
  ],
  'keys in escapes': [
    '{"jsonrpc":"2.0","\\u0069d":1,"m\\u0065thod":"echo"}',
    '{"jsonrpc":"2.0","i\\u0064":1,"r\\u0065sult":0}',
  ],
  'an error with data': [
    '{"jsonrpc":"2.0","id":1,"method":"echo"}',
    '{"jsonrpc":"2.0","id":1,"error":{"code":-32000.0,"message":"\\u0041","data":1e400,"x":-0}}',
  ],
  'no member jsonrpc': ['{"id":1,"method":"echo"}', '{"id":1,"result":null}'],
  'the id 0': ['{"id":0,"method":"echo"}', '{"id":0,"result":0}'],
  'the id "0"': ['{"id":"0","method":"echo"}', '{"id":"0","result":0}'],
  'the id ""': ['{"id":"","method":"echo"}', '{"id":"","result":0}'],
  'the id 1.50': ['{"id":1.50,"method":"echo"}', '{"id":1.50,"result":0}'],
  'an id of 20 digits': [
    '{"id":12345678901234567890,"method":"echo"}',
    '{"id":12345678901234567890,"result":0}',
  ],
  'the id null': ['{"id":null,"method":"echo"}', '{"id":null,"result":0}'],
  'an id in escapes': ['{"id":"\\u0030","method":"echo"}', '{"id":"\\u0030","result":0}'],
}

/** An answer as a pretty printer writes it. */
const PRETTY =
  '{\r\n  "jsonrpc": "2.0",\n\n  "id": 1,\r  "result": {\n    "a": [\n      1.0\n    ]\n  }\n}\n'

/** A message with an id, further members in any order and white space anywhere. */
function generated(member: (value: string) => string[]): fc.Arbitrary<(id: string) => string> {
  const known = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error'])
  const foreign = fc
    .tuple(
      strings.filter((source) => !known.has(JSON.parse(source) as string)),
      texts,
    )
    .map(([key, value]) => `${key}:${value}`)
  return fc
    .tuple(texts, fc.array(foreign, { maxLength: 3 }), space, space)
    .chain(([value, extra, before, after]) => {
      const members = ['"jsonrpc":"2.0"', 'ID', ...member(value), ...extra]
      return fc
        .shuffledSubarray(members, { minLength: members.length })
        .map((order) => (id: string) => {
          const list = order.map((text) => (text === 'ID' ? `"id":${id}` : text))
          return `${before}{${list.join(`${after},${before}`)}}${after}`
        })
    })
}

const ids = fc.oneof(
  fc.bigInt().map(String),
  strings,
  fc.constantFrom('0', '"0"', 'null', '-1.5e3'),
)
const requests = generated((value) => ['"method":"echo"', `"params":${value}`])
const answers = generated((value) => [`"result":${value}`])

describe.each(Object.entries(links))('%s', (name, open) => {
  test('every value of the corpus survives both ways', async () => {
    const self = await open()
    for (const value of Object.values(values)) {
      const request = `{"jsonrpc":"2.0","id":1,"method":"echo","params":{"value":${value}}}`
      const text = `{"jsonrpc":"2.0","id":1,"result":{"value":${value}}}`
      expect(await textTrip(self, request, { text })).toEqual([request, text])
    }
  })

  test('every message of the corpus survives both ways', async () => {
    const self = await open()
    for (const [request, text] of Object.values(messages)) {
      expect(await textTrip(self, request, { text })).toEqual([request, text])
    }
  })

  test('a pretty-printed answer loses its line breaks and nothing else', async () => {
    const self = await open()
    const request = '{"id":1,"method":"echo"}'
    const expected = [request, onOneLine(name, PRETTY)]
    expect(await textTrip(self, request, { text: PRETTY })).toEqual(expected)
  })

  test('generated messages survive both ways, however the answer is cut', async () => {
    const self = await open()
    await fc.assert(
      fc.asyncProperty(ids, requests, answers, cuts, async (id, request, answer, lengths) => {
        const line = request(id).replaceAll(/[\r\n]/g, ' ')
        const text = answer(id)
        const came = await textTrip(self, line, { text, cuts: lengths })
        expect(came).toEqual([line, onOneLine(name, text)])
      }),
      { numRuns: 150 },
    )
  })

  test('64 MiB survive both ways', async () => {
    const self = await open()
    const size = 64 * 1024 * 1024
    const block = Object.values(values)
      .filter((value) => value.length < 1_000)
      .join(',')
    const filling = `[${block}],`.repeat(Math.ceil(size / Buffer.byteLength(`[${block}],`)))
    const request = Buffer.from(`{"id":1,"method":"echo","params":[${filling}0]}`)
    const text = Buffer.from(`{"id":1,"result":[${filling}1]}`)
    expect(Math.min(request.length, text.length)).toBeGreaterThan(size)
    const [arrived, came] = await roundTrip(self, request, { text })
    expect(arrived!.equals(request)).toBe(true)
    expect(came!.equals(text)).toBe(true)
  })
})

/** Messages that the server starts: what it says, and what the host answers. */
const asked: [string, string | undefined][] = [
  ['{"method":"roots/list","x":1.0,"id":0}', '{"x":[-0],"result":{"a":1e400,"a":2},"id":0}'],
  ['{"id":"0","method":"roots/list"}', '{"id":"0","error":{"code":-32601.0,"message":"\\u0041"}}'],
  ['{"id":12345678901234567890,"method":"ping"}', '{"result":{},"id":12345678901234567890}'],
  ['{"params":{"a":9007199254740993},"method":"notifications/message","params":1.0}', undefined],
]

test.each([
  ['on the stream of a request', 'echo', () => startMcpServer],
  ['on the GET stream', 'GET', () => startMcpServer],
  ['over HTTP+SSE', 'echo', () => startSseServer],
] as const)(
  'what the server starts survives, and so does its answer, %s',
  async (_, kind, start) => {
    const said = asked.map(([message]) => event(message).toString())
    const server = await start()({
      [kind]: (_request, response) => {
        const target = 'streams' in server ? (server as SseServer).streams.at(-1)! : response
        if (target === response) stream(response)
        else response.writeHead(202).end()
        for (const text of said) target.write(text)
      },
    })
    const { bridge } = await link(server)
    bridge.write('{"jsonrpc":"2.0","method":"notifications/initialized"}')
    bridge.write('{"id":1,"method":"echo"}')
    await until('what the server said', () => {
      const lines = new Set(bridge.lines.map(String))
      return asked.every(([message]) => lines.has(message))
    })
    const answered = asked.flatMap(([, text]) => text ?? [])
    for (const text of answered) bridge.write(text)
    const arrived = await until('the answers', () => {
      const bodies = server.seen.filter((seen) => kindOf(seen) === 'response')
      return bodies.length === answered.length && bodies.map(({ body }) => body.toString())
    })
    expect(arrived.toSorted()).toEqual(answered.toSorted())
  },
)
