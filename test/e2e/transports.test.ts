import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { homeFolder } from '../auth/home.ts'
import { type BridgeProcess, initialize, startBridge } from '../support/bridge.ts'
import type { TestServer } from '../support/http-server.ts'
import {
  event,
  events,
  type Handler,
  refuse,
  startMcpServer,
  stream,
} from '../support/mcp-server.ts'
import { startSseServer } from '../support/sse-server.ts'

/** Every request on the wire, as "POST /mcp initialize". */
function wire(server: TestServer): string[] {
  return server.seen.map(({ method, path, message }) =>
    [method, path.split('?', 1)[0], message?.method].filter(Boolean).join(' '),
  )
}

/** Starts with `initialize` and `notifications/initialized`, then `ping`, then the end. */
async function liveOnce(
  server: TestServer,
  options: Parameters<typeof startBridge>[1],
  { url = server.url, gets = 1 } = {},
) {
  const bridge = startBridge(url, options)
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'ping' })
  await bridge.answer(1)
  const seen = (): number => server.seen.filter(({ method }) => method === 'GET').length
  await expect.poll(seen).toBeGreaterThanOrEqual(gets)
  bridge.end()
  await bridge.exit()
  return bridge
}

const strategy = (name: string): { args: string[] } => ({ args: ['--transport', name] })

const STREAMABLE = ['POST /mcp initialize', 'POST /mcp notifications/initialized', 'GET /mcp']
const SSE_MESSAGES = [
  'POST /messages initialize',
  'POST /messages notifications/initialized',
  'POST /messages ping',
]

test.each([
  { name: 'auto', before: [] },
  { name: 'http', before: [] },
  { name: 'http-only', before: [] },
  { name: 'http-first', before: [] },
  { name: 'sse-first', before: ['GET /mcp'] },
])('Streamable HTTP under $name: not one request too many', async ({ name, before }) => {
  const server = await startMcpServer()
  const bridge = await liveOnce(server, strategy(name))
  expect(bridge.messages()).toMatchObject([
    { id: 0, result: {} },
    { id: 1, result: {} },
  ])
  const expected = [...before, ...STREAMABLE, 'POST /mcp ping', 'DELETE /mcp']
  expect(wire(server).sort()).toEqual(expected.sort())
  expect(wire(server).slice(0, before.length + 1)).toEqual([...before, 'POST /mcp initialize'])
})

test.each([
  { name: 'auto', before: ['POST /sse initialize', 'GET /sse'] },
  { name: 'http-first', before: ['POST /sse initialize', 'GET /sse'] },
  { name: 'sse-first', before: ['GET /sse'] },
  { name: 'sse', before: ['GET /sse'] },
  { name: 'sse-only', before: ['GET /sse'] },
])('HTTP+SSE under $name: one GET and not one request too many', async ({ name, before }) => {
  const server = await startSseServer()
  const bridge = await liveOnce(server, strategy(name))
  expect(bridge.messages()).toMatchObject([
    { id: 0, result: {} },
    { id: 1, result: {} },
  ])
  expect(wire(server)).toEqual([...before, ...SSE_MESSAGES])
})

test.each(['http', 'http-only'])('%s never falls back to HTTP+SSE', async (name) => {
  const server = await startSseServer()
  const bridge = startBridge(server.url, strategy(name))
  bridge.write(initialize(0))
  expect(await bridge.answer(0)).toMatchObject({ error: { data: { httpStatus: 405 } } })
  expect(wire(server)).toEqual(['POST /sse initialize', 'POST /sse server/discover'])
})

test.each(['sse', 'sse-only'])('%s never falls back to Streamable HTTP', async (name) => {
  const server = await startMcpServer()
  const bridge = startBridge(server.url, strategy(name))
  bridge.write(initialize(0))
  const message = `${server.origin} does not speak HTTP+SSE at this URL.`
  const data = { phase: 'connect', httpStatus: 405 }
  expect(await bridge.answer(0)).toMatchObject({ error: { message, data } })
  expect(wire(server)).toEqual(['GET /mcp'])
})

test('what a server speaks is remembered, and found out anew when it no longer holds', async () => {
  const home = homeFolder()
  const options = { home }
  const first = await startSseServer()
  const port = Number(new URL(first.url).port)
  await liveOnce(first, options)
  expect(wire(first)).toEqual(['POST /sse initialize', 'GET /sse', ...SSE_MESSAGES])
  await first.close()

  const second = await startSseServer({}, { port })
  await liveOnce(second, options)
  expect(wire(second)).toEqual(['GET /sse', ...SSE_MESSAGES])
  await second.close()

  // The server has learned Streamable HTTP and forgotten HTTP+SSE.
  const third = await startMcpServer({}, { port, path: '/sse' })
  await liveOnce(third, options)
  expect(wire(third).slice(0, 2)).toEqual(['GET /sse', 'POST /sse initialize'])
  await third.close()

  const fourth = await startMcpServer({}, { port, path: '/sse' })
  await liveOnce(fourth, options)
  expect(wire(fourth)[0]).toBe('POST /sse initialize')
})

test('what is remembered names no part of the URL, and only auto remembers', async () => {
  const home = homeFolder()
  const server = await startSseServer()
  const url = `${server.url}?key=secret`
  await liveOnce(server, { home, args: ['--transport', 'http-first'] }, { url })
  const folder = join(home, 'cache', 'servers')
  expect(existsSync(folder)).toBe(false)
  await liveOnce(server, { home }, { url })
  const files = readdirSync(folder)
  expect(files).toHaveLength(1)
  expect(files[0]).toMatch(/^[\da-f]+\.json$/)
  expect(readFileSync(join(folder, files[0]!), 'utf8')).not.toMatch(/secret|127\.0\.0\.1|sse\?/)
})

/** The answer to an `initialize` that the server refuses, and what reached the endpoint. */
async function refusedBy(server: TestServer, bridge: BridgeProcess) {
  bridge.write(initialize(0))
  const answer = await bridge.answer(0)
  return { answer, wire: wire(server).filter((line) => / \/mcp( |$)/.test(line)) }
}

test.each([401, 403, 408, 409, 410, 413, 422, 425, 429, 500, 501, 502, 503, 504])(
  '%i says nothing about the transport',
  async (status) => {
    const server = await startMcpServer({ initialize: refuse(status, 'text/plain', 'no') })
    const bridge = startBridge(server.url, { args: ['--retry-for', '0'] })
    const seen = await refusedBy(server, bridge)
    expect(seen.answer).toMatchObject({ error: { data: { httpStatus: status } } })
    expect(seen.wire).toEqual(['POST /mcp initialize'])
  },
)

test.each([400, 404, 405])(
  '%i costs one GET and one question for the era, and is what the host sees when both fail',
  async (status) => {
    const no = refuse(status, 'text/plain', 'no')
    const server = await startMcpServer({ initialize: no, 'server/discover': no })
    const seen = await refusedBy(server, startBridge(server.url))
    expect(seen.answer).toMatchObject({ error: { data: { httpStatus: status } } })
    const tries = ['POST /mcp initialize', 'GET /mcp', 'POST /mcp server/discover']
    expect(seen.wire).toEqual(tries)
  },
)

test.each([400, 404])("%i with the server's own JSON-RPC error is an answer", async (status) => {
  const error = { code: -32000, message: 'Bad Request: no such tenant' }
  const body = JSON.stringify({ jsonrpc: '2.0', id: null, error })
  const server = await startMcpServer({ initialize: refuse(status, 'application/json', body) })
  const seen = await refusedBy(server, startBridge(server.url))
  expect(seen.answer).toEqual({ jsonrpc: '2.0', id: 0, error })
  expect(seen.wire).toEqual(['POST /mcp initialize'])
})

test.each([
  { name: 'another event first', pieces: [event({ jsonrpc: '2.0', method: 'notifications/x' })] },
  { name: 'no endpoint before it ends', pieces: [': hello\n\n'] },
  {
    name: 'an endpoint that is no address',
    pieces: ['event: endpoint\ndata: http://[\n\n', 'event: endpoint\ndata: /messages\n\n'],
  },
])('a stream with $name is no HTTP+SSE', async ({ pieces }) => {
  const server = await startMcpServer({ GET: events(() => pieces) })
  const bridge = startBridge(server.url, strategy('sse'))
  bridge.write(initialize(0))
  expect(await bridge.answer(0, 3_000)).toMatchObject({ error: { data: { phase: 'connect' } } })
})

test.each([
  { status: 418, type: 'text/plain', body: 'teapot', sees: { data: { httpStatus: 418 } } },
  {
    status: 403,
    type: 'application/json',
    body: '{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"not you"}}',
    sees: { code: -32000, message: 'not you' },
  },
])(
  'HTTP+SSE: $status to the stream is what the host sees',
  async ({ status, type, body, sees }) => {
    const server = await startSseServer({ GET: refuse(status, type, body) })
    const bridge = startBridge(server.url, strategy('sse'))
    bridge.write(initialize(0))
    expect(await bridge.answer(0)).toMatchObject({ error: sees })
  },
)

test('HTTP+SSE: what is no message is left out', async () => {
  const server = await startSseServer()
  const bridge = startBridge(server.url, strategy('sse'))
  bridge.write(initialize(0))
  await bridge.answer(0)
  const note = (n: number): string =>
    `data: {"jsonrpc":"2.0","method":"notifications/n","params":{"n":${n}}}\n\n`
  server.streams[0]!.write(`event: keepalive\n${note(1)}event: message\n${note(2)}`)
  const { params } = await bridge.message(({ method }) => method === 'notifications/n')
  expect(params).toEqual({ n: 2 })
})

test('HTTP+SSE: --timeout gives up what is silent; only a call is cancelled', async () => {
  const silent: Handler = (_request, response) => void response.writeHead(202).end()
  const server = await startSseServer({ initialize: silent, 'tools/call': silent })
  const bridge = startBridge(server.url, { args: ['--transport', 'sse', '--timeout', '1s'] })
  bridge.write(initialize(0))
  expect(await bridge.answer(0)).toMatchObject({ error: { data: { phase: 'response' } } })
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call' })
  expect(await bridge.answer(1)).toMatchObject({ error: { data: { phase: 'response' } } })
  const cancelled = (): unknown[] =>
    server.seen
      .filter(({ message }) => message?.method === 'notifications/cancelled')
      .map(({ message }) => message?.params?.['requestId'])
  await expect.poll(cancelled).toEqual([1])
})

test('a stream that never names its endpoint is given up after five seconds', async () => {
  const server = await startMcpServer({
    GET: (_request, response) => stream(response, ': hello\n\n'),
  })
  const bridge = startBridge(server.url, strategy('sse'))
  bridge.write(initialize(0))
  expect(await bridge.answer(0, 8_000)).toMatchObject({ error: { data: { phase: 'connect' } } })
  await expect.poll(() => server.sockets.size).toBe(0)
})

test('an endpoint on another origin is refused, and nothing reaches it', async () => {
  const other = await startMcpServer()
  const server = await startSseServer({}, { endpoint: `${other.origin}/messages` })
  const bridge = startBridge(server.url, strategy('sse'))
  bridge.write(initialize(0))
  const { error } = await bridge.answer(0)
  expect(error?.message).toContain(server.origin)
  expect(error?.message).toContain(other.origin)
  expect(error?.data).toMatchObject({ phase: 'connect' })
  expect(other.seen).toHaveLength(0)
  expect(other.sockets.size).toBe(0)
  await expect.poll(() => server.sockets.size).toBe(0)
})

test.each([
  { name: 'relative path', endpoint: 'messages?a=1' },
  { name: 'query alone', endpoint: '?session=1' },
])('an endpoint may be a $name', async ({ endpoint }) => {
  const server = await startSseServer({}, { endpoint })
  const bridge = startBridge(server.url.replace('/sse', '/messages/'), strategy('sse'))
  bridge.write(initialize(0))
  await expect.poll(() => server.seen.length).toBe(2)
  expect(server.seen[1]?.path).toBe(
    new URL(endpoint, `${server.origin}/messages/`).href.slice(server.origin.length),
  )
})

test('HTTP+SSE: no session or version header, server requests and notifications on the one stream', async () => {
  const server = await startSseServer()
  const bridge = startBridge(server.url)
  bridge.write(initialize(0, '2024-11-05'))
  await bridge.answer(0)
  server.say({ jsonrpc: '2.0', method: 'notifications/x', params: { big: 'x'.repeat(100_000) } })
  server.say({ jsonrpc: '2.0', id: 's', method: 'roots/list' })
  await bridge.message(({ method }) => method === 'roots/list')
  bridge.write({ jsonrpc: '2.0', id: 's', result: { roots: [] } })
  await expect.poll(() => server.seen.at(-1)?.message?.id).toBe('s')
  for (const { headers } of server.seen) {
    expect(headers).not.toHaveProperty('mcp-session-id')
    expect(headers).not.toHaveProperty('mcp-protocol-version')
  }
  expect(bridge.messages().map(({ method }) => method)).toContain('notifications/x')
})

test('a stream whose endpoint is not there is closed before the other transport is tried', async () => {
  const server = await startSseServer({ initialize: refuse(404, 'text/plain', 'no') })
  const bridge = startBridge(server.url, strategy('sse-first'))
  bridge.write(initialize(0))
  expect(await bridge.answer(0)).toMatchObject({ error: { data: { httpStatus: 404 } } })
  const tries = ['GET /sse', 'POST /messages initialize', 'POST /sse initialize']
  expect(wire(server)).toEqual([...tries, 'POST /sse server/discover'])
  await expect.poll(() => server.streams[0]?.destroyed).toBe(true)
})
