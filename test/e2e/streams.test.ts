import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { initialize, startBridge } from '../support/bridge.ts'
import { initializeResult, json, type Seen } from '../support/http-server.ts'
import { event, refuse, reset, SESSION, startMcpServer, stream } from '../support/mcp-server.ts'

const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' }
const PING = { jsonrpc: '2.0', id: 1, method: 'ping' }

/** One header of every request, in order. */
function headersOf(seen: readonly Seen[], name: string): unknown[] {
  return seen.map(({ headers }) => headers[name])
}

test.each([
  { negotiated: '2025-03-26', header: undefined },
  { negotiated: '2025-06-18', header: '2025-06-18' },
  { negotiated: '2025-11-25', header: '2025-11-25' },
])('after $negotiated was negotiated the version header is $header', async (row) => {
  const server = await startMcpServer({
    initialize: (request, response) => {
      // The server's choice counts, not what the host asked for.
      const headers = { 'mcp-session-id': SESSION }
      json(response, initializeResult(request.message?.id, row.negotiated), { headers })
    },
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0, '2025-11-25'))
  bridge.write(INITIALIZED)
  bridge.write(PING)
  await bridge.answer(1)
  await expect.poll(() => server.seen.length).toBe(4)
  bridge.end()
  await bridge.exit()
  expect(server.seen.map(({ method }) => method).sort()).toEqual(
    ['POST', 'POST', 'GET', 'POST', 'DELETE'].sort(),
  )
  const after = Array.from({ length: 4 }, () => row.header)
  expect(headersOf(server.seen, 'mcp-protocol-version')).toEqual([undefined, ...after])
  const sessions = Array.from({ length: 4 }, () => SESSION)
  expect(headersOf(server.seen, 'mcp-session-id')).toEqual([undefined, ...sessions])
})

test('every POST says what it carries and what it takes', async () => {
  const server = await startMcpServer()
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  bridge.write(INITIALIZED)
  bridge.write(PING)
  await bridge.answer(1)
  for (const { headers } of server.seen.filter(({ method }) => method === 'POST')) {
    expect(headers['content-type']).toBe('application/json')
    expect(headers.accept).toBe('application/json, text/event-stream')
  }
  const get = (): Seen | undefined => server.seen.find(({ method }) => method === 'GET')
  await expect.poll(get).toBeDefined()
  expect(get()?.headers.accept).toBe('text/event-stream')
})

test('a server without sessions gets no session header and no DELETE', async () => {
  const server = await startMcpServer({
    initialize: (request, response) => json(response, initializeResult(request.message?.id)),
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  bridge.write(PING)
  await bridge.answer(1)
  bridge.end()
  await bridge.exit()
  expect(server.seen.map(({ method }) => method)).toEqual(['POST', 'POST'])
  expect(headersOf(server.seen, 'mcp-session-id')).toEqual([undefined, undefined])
})

test('a second initialize asks for a new session', async () => {
  let sessions = 0
  const server = await startMcpServer({
    initialize: (request, response) => {
      const headers = { 'mcp-session-id': `session-${++sessions}` }
      json(response, initializeResult(request.message?.id), { headers })
    },
  })
  const bridge = startBridge(server.url)
  for (const id of [0, 1]) {
    bridge.write(initialize(id))
    await bridge.answer(id)
  }
  bridge.write({ ...PING, id: 2 })
  await bridge.answer(2)
  expect(headersOf(server.seen, 'mcp-session-id')).toEqual([undefined, undefined, 'session-2'])
})

test('requests that the host writes too early wait for the session', async () => {
  const server = await startMcpServer({
    initialize: (request, response) => {
      setTimeout(() => {
        const headers = { 'mcp-session-id': SESSION }
        json(response, initializeResult(request.message?.id), { headers })
      }, 200)
    },
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  bridge.write(PING)
  await bridge.answer(1)
  expect(headersOf(server.seen, 'mcp-session-id')).toEqual([undefined, SESSION])
})

test('the stream for the server is opened after initialized, once', async () => {
  const open: ServerResponse[] = []
  const server = await startMcpServer({
    GET: (_request, response) => {
      open.push(response)
      stream(response, event({ jsonrpc: '2.0', method: 'notifications/x' }))
    },
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  bridge.write(PING)
  await bridge.answer(1)
  expect(open).toHaveLength(0)
  bridge.write(INITIALIZED)
  bridge.write(INITIALIZED)
  await bridge.message(({ method }) => method === 'notifications/x')
  bridge.write({ ...PING, id: 2 })
  await bridge.answer(2)
  expect(open).toHaveLength(1)
})

test.each([405, 406, 501])(
  '%i to the stream is final, and nothing is said of it',
  async (status) => {
    const server = await startMcpServer({ GET: refuse(status, 'text/plain', 'no') })
    const bridge = startBridge(server.url)
    bridge.write(initialize(0))
    bridge.write(INITIALIZED)
    await expect.poll(() => server.seen.at(-1)?.method).toBe('GET')
    // Three times the first pause before a stream would be opened again.
    await new Promise((resolve) => {
      setTimeout(resolve, 300)
    })
    expect(server.seen.filter(({ method }) => method === 'GET')).toHaveLength(1)
    expect(bridge.stderr()).toBe('')
  },
)

test('the stream is opened again after it broke, where it broke, however often', async () => {
  let opened = 0
  const server = await startMcpServer({
    GET: (request, response) => {
      opened++
      if (opened === 3) return refuse(503, 'text/plain', '')(request, response)
      const note = { jsonrpc: '2.0', method: 'notifications/n', params: { opened } }
      stream(response, event(note, `id-${opened}`))
      if (opened % 2 === 0) response.end()
      else if (opened < 6) setImmediate(reset, response)
      return undefined
    },
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  bridge.write(INITIALIZED)
  await bridge.message(({ params }) => params?.['opened'] === 6)
  const gets = server.seen.filter(({ method }) => method === 'GET')
  expect(headersOf(gets.slice(0, 6), 'last-event-id')).toEqual([
    undefined,
    'id-1',
    'id-2',
    'id-2',
    'id-4',
    'id-5',
  ])
  const seen = bridge.messages().map(({ params }) => params?.['opened'])
  expect(seen.filter((n) => n !== undefined)).toEqual([1, 2, 4, 5, 6])
  expect(bridge.stderr()).toBe('')
})

test.each([403, 429, 503])('%i to the stream is not final', async (status) => {
  let refusals = 0
  const server = await startMcpServer({
    GET: (request, response) => {
      if (++refusals <= 2) return refuse(status, 'text/plain', 'not now')(request, response)
      return stream(response, event({ jsonrpc: '2.0', method: 'notifications/x' }))
    },
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  bridge.write(INITIALIZED)
  await bridge.message(({ method }) => method === 'notifications/x')
  expect(refusals).toBe(3)
})

test('a stream that cannot be resumed is opened anew, and hosts are told to look again', async () => {
  const server = await startMcpServer({
    initialize: (request, response) => {
      const body = initializeResult(request.message?.id) as { result: object }
      const capabilities = { tools: { listChanged: true } }
      json(response, { ...body, result: { ...body.result, capabilities } })
    },
    GET: ({ headers }, response) => {
      if (headers['last-event-id'] !== undefined) {
        return void response.writeHead(400).end('unknown event')
      }
      return stream(response, event({ jsonrpc: '2.0', method: 'notifications/x' }, 'id-1'))
    },
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  bridge.write(INITIALIZED)
  await bridge.message(({ method }) => method === 'notifications/x')
  for (const socket of server.sockets) socket.destroy()
  await bridge.message(({ method }) => method === 'notifications/tools/list_changed')
  const gets = server.seen.filter(({ method }) => method === 'GET')
  expect(headersOf(gets, 'last-event-id')).toEqual([undefined, 'id-1', undefined])
})

test('an error without an id is the answer to the request that it came back for', async () => {
  const error = { code: -32603, message: 'broken' }
  const server = await startMcpServer({
    'tools/list': (_request, response) => json(response, { jsonrpc: '2.0', error }),
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
  expect(await bridge.answer(1)).toEqual({ jsonrpc: '2.0', id: 1, error })
})

test('the stream is opened again no earlier than the server asks', async () => {
  const at: number[] = []
  const server = await startMcpServer({
    GET: (_request, response) => {
      at.push(Date.now())
      stream(response, 'retry: 600\n\n')
      response.end()
    },
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  bridge.write(INITIALIZED)
  await expect.poll(() => at.length, { timeout: 5_000 }).toBe(3)
  expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(550)
  expect(at[2]! - at[1]!).toBeGreaterThanOrEqual(550)
})
