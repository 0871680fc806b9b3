import { expect, test } from 'vitest'
import { answerIds, initialize, type Message, startBridge } from '../support/bridge.ts'
import { json, type Seen } from '../support/http-server.ts'
import {
  type Behaviour,
  event,
  events,
  type Handler,
  refuse,
  reset,
  result,
  startMcpServer,
  stream,
} from '../support/mcp-server.ts'

/**
 * Every way in which a server can fail one request, and what the host must see. `call` is what the
 * server does with the `tools/call` of id 7; the bridge makes an error of its own with code -31001.
 */
interface Row {
  readonly name: string
  readonly call: Handler
  readonly behaviour?: Behaviour
  /** The whole answer that the host must get, apart from `jsonrpc` and `id`. */
  readonly sees: Pick<Message, 'result'> | { readonly error: object }
  readonly withinMs?: number
  readonly args?: readonly string[]
}

const OURS = -31001
const CONTENT = { content: [{ type: 'text', text: 'done' }] }
const DONE = { result: CONTENT }

/** What the host must see when the server has no error of its own. */
function ours(message: RegExp, data: object): { error: object } {
  return { error: { code: OURS, message: expect.stringMatching(message) as string, data } }
}

/** An HTTP status with a JSON-RPC error whose id the test chooses. */
function rpcError(status: number, members: object): Handler {
  return (_request, response) =>
    json(response, { jsonrpc: '2.0', error: SERVER_ERROR, ...members }, { status })
}

/** A response whose head and first bytes arrive before the connection is reset. */
function cut(headers: Record<string, string>, text: string): Handler {
  return (_request, response) => {
    response.writeHead(200, headers)
    response.write(text, () => setImmediate(reset, response))
  }
}

const done = (request: Seen): object => result(request, CONTENT)
const SERVER_ERROR = { code: -32099, message: 'own <b>words</b>', data: { deep: [1.5, null] } }
const HALF = '{"jsonrpc":"2.0","id":7,"result":{"content":['
const JSON_TYPE = { 'content-type': 'application/json' }
const SSE_TYPE = { 'content-type': 'text/event-stream' }
const PAGE = `<!DOCTYPE html><html><body>${'<p>Internal error</p>'.repeat(200)}</body></html>`
/** Without it, 401 starts a sign-in. */
const STATIC_TOKEN = ['--header', 'Authorization: Bearer wrong']
const LOST = /^Lost the connection to http:\/\/127\.0\.0\.1:\d+: /
const resumable = (id = 'a1', retry = ''): Handler => events(() => [`${retry}${event('', id)}`])

const CONNECTION_ROWS: readonly Row[] = [
  {
    name: 'reset before the response headers',
    call: (_request, response) => reset(response),
    sees: ours(LOST, { phase: 'response' }),
  },
  {
    name: 'closed in good order before the response headers',
    call: (_request, response) => void response.socket?.end(),
    sees: ours(LOST, { phase: 'response' }),
  },
  {
    name: 'not HTTP at all',
    call: (_request, response) => void response.socket?.end('SSH-2.0-OpenSSH_9.6\r\n'),
    sees: ours(LOST, { phase: 'response' }),
  },
  {
    name: 'response headers without end',
    call: (_request, response) => {
      response.writeHead(200, { ...JSON_TYPE, 'x-large': 'x'.repeat(64 * 1024) }).end('{}')
    },
    sees: ours(LOST, { phase: 'response' }),
  },
  {
    name: 'reset right after the response headers',
    call: (_request, response) => {
      response.writeHead(200, JSON_TYPE)
      response.flushHeaders()
      setImmediate(reset, response)
    },
    sees: ours(LOST, { phase: 'response' }),
  },
  {
    name: 'JSON of known length reset in the middle',
    call: cut({ ...JSON_TYPE, 'content-length': '1000' }, HALF),
    sees: ours(LOST, { phase: 'response' }),
  },
  {
    name: 'JSON of known length closed in the middle',
    call: (_request, response) => {
      response.writeHead(200, { ...JSON_TYPE, 'content-length': '1000' })
      response.write(HALF, () => response.socket?.end())
    },
    sees: ours(LOST, { phase: 'response' }),
  },
  {
    name: 'chunked JSON reset in the middle',
    call: cut(JSON_TYPE, HALF),
    sees: ours(LOST, { phase: 'response' }),
  },
]

const BODY_ROWS: readonly Row[] = [
  {
    name: '202 to a request',
    call: (_request, response) => void response.writeHead(202).end(),
    sees: ours(/without an answer/, { phase: 'response', httpStatus: 202 }),
  },
  {
    name: '204 to a request',
    call: (_request, response) => void response.writeHead(204).end(),
    sees: ours(/without an answer/, { phase: 'response', httpStatus: 204 }),
  },
  {
    name: '200 with HTML',
    call: refuse(200, 'text/html; charset=utf-8', PAGE),
    sees: ours(/^http:\/\/127\.0\.0\.1:\d+ sent text\/html instead of JSON\.$/, {
      phase: 'response',
      httpStatus: 200,
      hint: expect.stringContaining('server URL') as string,
    }),
  },
  {
    name: '200 with JSON under a wrong content type',
    call: (request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' }).end(JSON.stringify(done(request)))
    },
    sees: ours(/sent text\/plain instead of JSON/, {
      phase: 'response',
      httpStatus: 200,
      hint: expect.any(String) as string,
    }),
  },
  {
    name: '200 without content type',
    call: (_request, response) => void response.writeHead(200).end('{}'),
    sees: ours(/without content type/, {
      phase: 'response',
      httpStatus: 200,
      hint: expect.any(String) as string,
    }),
  },
  {
    name: '200 with an empty body',
    call: refuse(200, 'application/json', ''),
    sees: ours(/empty answer/, { phase: 'response', httpStatus: 200 }),
  },
  {
    name: 'malformed JSON',
    call: refuse(200, 'application/json', "{'jsonrpc':'2.0','id':7}"),
    sees: ours(/not JSON/, { phase: 'response', httpStatus: 200 }),
  },
  {
    name: 'truncated JSON in a complete response',
    call: refuse(200, 'application/json', HALF),
    sees: ours(/not JSON/, { phase: 'response', httpStatus: 200 }),
  },
  {
    name: 'JSON that is no JSON-RPC',
    call: refuse(200, 'application/json', '{"status":"ok"}'),
    sees: ours(/without an answer/, { phase: 'response', httpStatus: 200 }),
  },
  {
    name: 'a notification in place of the answer',
    call: refuse(200, 'application/json', '{"jsonrpc":"2.0","method":"notifications/x"}'),
    sees: ours(/without an answer/, { phase: 'response', httpStatus: 200 }),
  },
]

const STREAM_ROWS: readonly Row[] = [
  {
    name: 'stream that ends without the answer',
    call: events(() => [': hello\n\n']),
    sees: ours(/without an answer/, { phase: 'response', httpStatus: 200 }),
  },
  {
    name: 'stream that ends inside the event of the answer',
    call: events((request) => [`data: ${JSON.stringify(done(request))}\n`]),
    sees: ours(/without an answer/, { phase: 'response', httpStatus: 200 }),
  },
  {
    name: 'stream reset without the answer',
    call: cut(SSE_TYPE, ': hello\n\n'),
    sees: ours(LOST, { phase: 'stream' }),
  },
  {
    name: 'stream reset inside the event of the answer',
    call: cut(SSE_TYPE, `data: ${HALF}`),
    sees: ours(LOST, { phase: 'stream' }),
  },
  {
    name: 'malformed data and then no answer',
    call: events(() => [event('{"jsonrpc":"2.0","id":7,"result":')]),
    sees: ours(/without an answer/, { phase: 'response', httpStatus: 200 }),
  },
  {
    name: 'malformed data before the answer',
    call: events((request) => [event('not JSON'), 'nonsense\n\n', event(done(request))]),
    sees: DONE,
  },
  {
    name: 'events of another type before the answer',
    call: events((request) => [
      `event: ping\n${event({ jsonrpc: '2.0', id: 7, result: { wrong: true } })}`,
      event(done(request)),
    ]),
    sees: DONE,
  },
  {
    name: 'resumable stream that the server does not continue',
    call: resumable(),
    sees: ours(/does not continue/, {
      phase: 'stream',
      httpStatus: 405,
      hint: expect.stringContaining('may have been carried out') as string,
    }),
  },
  {
    name: 'resumable stream of a server that has forgotten the session',
    call: resumable(),
    behaviour: { GET: refuse(404, 'text/plain', 'no such session') },
    sees: ours(/does not continue/, {
      phase: 'stream',
      httpStatus: 404,
      hint: expect.any(String) as string,
    }),
  },
  {
    name: 'resumable stream that always ends at once',
    call: resumable('a1', 'retry: 1\n'),
    behaviour: { GET: events(() => []) },
    sees: ours(/does not continue/, { phase: 'stream', hint: expect.any(String) as string }),
  },
]

const STATUS_ROWS: readonly Row[] = [
  ...[
    { name: 'null', members: { id: null } },
    { name: 'missing', members: {} },
    { name: 'our own', members: { id: 7 } },
    { name: "another request's", members: { id: 'other' } },
  ].flatMap(({ name, members }) =>
    [400, 404, 500].map((status) => ({
      name: `${status} with a JSON-RPC error whose id is ${name}`,
      call: rpcError(status, members),
      sees: { error: SERVER_ERROR },
    })),
  ),
  {
    name: '400 with a JSON-RPC error without content type',
    call: (_request, response) => {
      response.writeHead(400).end(JSON.stringify({ jsonrpc: '2.0', error: SERVER_ERROR }))
    },
    sees: { error: SERVER_ERROR },
  },
  {
    name: '400 with plain text',
    call: refuse(400, 'text/plain', 'Bad thing\nhappened'),
    sees: ours(/ answered 400 Bad Request: Bad thing happened$/, {
      phase: 'response',
      httpStatus: 400,
    }),
  },
  {
    name: '422 with JSON that is no JSON-RPC',
    call: refuse(422, 'application/json', '{"message":"No such project"}'),
    sees: ours(/ answered 422 Unprocessable Entity: No such project$/, {
      phase: 'response',
      httpStatus: 422,
    }),
  },
  {
    name: '401 to a token of the user',
    args: STATIC_TOKEN,
    call: refuse(401, 'text/plain', ''),
    sees: ours(/ answered 401 Unauthorized\.$/, {
      phase: 'authorization',
      httpStatus: 401,
      hint: expect.any(String) as string,
    }),
  },
  {
    name: '401 to a token of the user, with a JSON-RPC error',
    args: STATIC_TOKEN,
    call: rpcError(401, { id: null }),
    sees: { error: SERVER_ERROR },
  },
  {
    name: '403 without body',
    call: refuse(403, 'text/plain', ''),
    sees: ours(/ answered 403 Forbidden\.$/, { phase: 'authorization', httpStatus: 403 }),
  },
  {
    name: '404 with HTML',
    call: refuse(404, 'text/html', PAGE),
    sees: ours(/ answered 404 Not Found\.$/, {
      phase: 'response',
      httpStatus: 404,
      hint: expect.stringContaining('path') as string,
    }),
  },
  {
    name: '429 with Retry-After in seconds',
    call: refuse(429, 'text/plain', '', { 'retry-after': '17' }),
    sees: ours(/ answered 429 Too Many Requests\.$/, {
      phase: 'response',
      httpStatus: 429,
      retryAfterMs: 17_000,
      hint: expect.any(String) as string,
    }),
  },
  {
    name: '500 with HTML',
    call: refuse(500, 'text/html', PAGE),
    sees: ours(/ answered 500 Internal Server Error\.$/, { phase: 'response', httpStatus: 500 }),
  },
  {
    name: '500 with HTML that claims to be plain text',
    call: refuse(500, 'text/plain', PAGE),
    sees: ours(/ answered 500 Internal Server Error\.$/, { phase: 'response', httpStatus: 500 }),
  },
  {
    name: '503 with a page of prose and terminal escapes',
    call: refuse(503, 'text/plain', `\u001b]0;x\u0007${'Come back later. '.repeat(500)}`),
    sees: ours(/^[^\p{Cc}]{1,500}$/u, { phase: 'response', httpStatus: 503 }),
  },
  {
    name: 'an error page that never ends',
    call: (_request, response) => {
      response.writeHead(502, { 'content-type': 'text/html' })
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(64 * 1024)));
      }
      response.on('drain', more)
      more()
    },
    sees: ours(/ answered 502 Bad Gateway\. The tool may have run; it was not called again\.$/, {
      phase: 'response',
      httpStatus: 502,
    }),
  },
  {
    name: 'redirect without target',
    call: refuse(307, 'text/plain', ''),
    sees: ours(/without saying where to/, { phase: 'response', httpStatus: 307 }),
  },
]

const ANSWER_ROWS: readonly Row[] = [
  {
    name: "the server's own error in 200",
    call: (request, response) =>
      json(response, { jsonrpc: '2.0', id: request.message?.id, error: SERVER_ERROR }),
    sees: { error: SERVER_ERROR },
  },
  {
    name: 'an answer under a wrong id',
    call: (request, response) => json(response, { ...done(request), id: 'seven' }),
    sees: DONE,
  },
  {
    name: 'an answer under the id null',
    call: (request, response) => json(response, { ...done(request), id: null }),
    sees: DONE,
  },
  {
    name: 'an answer under a wrong id in a stream',
    call: events((request) => [event({ ...done(request), id: '7' })]),
    sees: DONE,
  },
  {
    name: 'an answer under a wrong id before the stream is reset',
    call: (request, response) =>
      cut(SSE_TYPE, event({ ...done(request), id: '7' }))(request, response),
    sees: DONE,
  },
  {
    name: 'two answers in one stream',
    call: events((request) => [
      event(done(request)),
      event({ ...done(request), result: { second: true } }),
    ]),
    sees: DONE,
  },
  {
    name: 'answers to requests never made before the right one',
    call: events((request) => [
      event({ jsonrpc: '2.0', id: 999, result: { stray: true } }),
      event({ jsonrpc: '2.0', id: 'x', error: { code: 1, message: 'stray' } }),
      event(done(request)),
    ]),
    sees: DONE,
  },
]

const ROWS: readonly Row[] = [
  ...CONNECTION_ROWS,
  ...BODY_ROWS,
  ...STREAM_ROWS,
  ...STATUS_ROWS,
  ...ANSWER_ROWS,
]

test.each(ROWS)('$name', async ({ call, behaviour = {}, sees, withinMs = 3_000, args = [] }) => {
  const server = await startMcpServer({ ...behaviour, 'tools/call': call })
  const bridge = startBridge(server.url, { args })
  bridge.write(initialize(0))
  await bridge.answer(0)

  const params = { name: 'x', arguments: {} }
  bridge.write({ jsonrpc: '2.0', id: 7, method: 'tools/call', params })
  const answer = await bridge.answer(7, withinMs)
  expect(answer).toEqual({ jsonrpc: '2.0', id: 7, ...sees })
  expect(answer.error?.message.length ?? 0).toBeLessThanOrEqual(500)

  bridge.write({ jsonrpc: '2.0', id: 8, method: 'ping' })
  expect(await bridge.answer(8)).toEqual({ jsonrpc: '2.0', id: 8, result: {} })
  bridge.end()
  expect(await bridge.exit()).toEqual({ code: 0, signal: null })
  // One answer for each of the three requests, and nothing under any other id.
  expect(answerIds(bridge.messages())).toEqual([0, 7, 8])
})

test('429 with Retry-After as a date says how long to wait', async () => {
  const server = await startMcpServer({
    'tools/call': (_request, response) => {
      const date = new Date(Date.now() + 90_000).toUTCString()
      response.writeHead(429, { 'retry-after': date }).end()
    },
  })
  const bridge = startBridge(server.url)
  bridge.write({ jsonrpc: '2.0', id: 7, method: 'tools/call' })
  const { error } = await bridge.answer(7)
  expect(error?.data).toMatchObject({ httpStatus: 429, phase: 'response' })
  const wait = error?.data?.['retryAfterMs']
  expect(wait).toBeGreaterThan(60_000)
  expect(wait).toBeLessThanOrEqual(90_000)
})

test("the server's own error keeps every byte", async () => {
  const error =
    '{"code":-32000,"message":"\\u00e9\\u2028","data":{"n":12345678901234567890,"f":1.0}}'
  const server = await startMcpServer({
    'tools/call': refuse(400, 'application/json', `{"error":${error},"jsonrpc":"2.0","id":null}`),
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write('{"jsonrpc":"2.0","id":1.50,"method":"tools/call"}')
  await bridge.answer(1.5)
  expect(bridge.lines[1]?.toString()).toBe(`{"jsonrpc":"2.0","id":1.50,"error":${error}}`)
})

test('a stream that broke is read on where it stopped, no earlier than the server asked', async () => {
  const gets: { lastEventId: unknown; at: number }[] = []
  let brokenAt = 0
  const server = await startMcpServer({
    'tools/call': (_request, response) => {
      const progress = { jsonrpc: '2.0', method: 'notifications/progress', params: { n: 1 } }
      stream(response, 'retry: 400\n', event('', 'a0'), event(progress, 'a1'))
      brokenAt = Date.now()
      setImmediate(reset, response)
    },
    GET: (request, response) => {
      gets.push({ lastEventId: request.headers['last-event-id'], at: Date.now() })
      const [, second] = gets
      if (second === undefined) return refuse(503, 'text/plain', '')(request, response)
      stream(response, event({ jsonrpc: '2.0', id: 7, result: CONTENT }, 'a2'))
      response.end()
    },
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write({ jsonrpc: '2.0', id: 7, method: 'tools/call' })
  expect(await bridge.answer(7)).toEqual({ jsonrpc: '2.0', id: 7, result: CONTENT })
  expect(gets.map(({ lastEventId }) => lastEventId)).toEqual(['a1', 'a1'])
  // Timers may fire a few milliseconds early against the clock of another process.
  expect(gets[0]!.at - brokenAt).toBeGreaterThanOrEqual(350)
  expect(gets[1]!.at - gets[0]!.at).toBeGreaterThanOrEqual(350)
  expect(
    bridge.messages().filter(({ method }) => method === 'notifications/progress'),
  ).toHaveLength(1)
})

test('a server that closes and is polled again and again still answers', async () => {
  let polls = 0
  const server = await startMcpServer({
    'tools/call': events(() => ['retry: 1\n', event('', 'p0')]),
    GET: (request, response) => {
      polls++
      const last = Number(String(request.headers['last-event-id']).slice(1))
      if (last < 12) return events(() => [event('', `p${last + 1}`)])(request, response)
      return events(() => [event({ jsonrpc: '2.0', id: 7, result: CONTENT })])(request, response)
    },
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write({ jsonrpc: '2.0', id: 7, method: 'tools/call' })
  expect(await bridge.answer(7)).toMatchObject(DONE)
  expect(polls).toBe(13)
})
