import type { ServerResponse } from 'node:http'
import { afterEach, expect, test, vi } from 'vitest'
import { RENEWAL_PAUSE_MS } from '../../src/limits.ts'
import { initializeResult, json, type Seen } from '../support/http-server.ts'
import { event, type Handler, refuse, reset, stream } from '../support/mcp-server.ts'
import { INITIALIZE, openHost, type RemoteHost } from '../support/remote.ts'
import { type SessionServer, startSessionServer } from '../support/session-server.ts'
import { startSseServer } from '../support/sse-server.ts'

const NO_STREAM = refuse(405, 'text/plain', '')

afterEach(() => void vi.useRealTimers())

/** A host that has opened its session. */
async function ready(url: string, transport: 'http' | 'sse' = 'http'): Promise<RemoteHost> {
  const host = await openHost(url, { transport })
  await host.ask(0, 'initialize', INITIALIZE)
  host.write({ method: 'notifications/initialized' })
  return host
}

/** What happens to be in the way of JavaScript is done. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

const rpcError = (error: object, status: number): Handler => {
  return ({ message }, response) =>
    json(response, { jsonrpc: '2.0', id: message?.id, error }, { status })
}

const REFUSALS: readonly { name: string; fault: Handler; says: string; data?: object }[] = [
  {
    name: 'refused',
    fault: rpcError({ code: -32000, message: 'No more sessions.' }, 200),
    says: 'has lost the session; a new one was refused (No more sessions.).',
  },
  {
    name: 'refused without a word',
    fault: rpcError({ code: -32000 }, 200),
    says: 'has lost the session; a new one was refused.',
  },
  {
    name: 'refused with an HTTP status',
    fault: rpcError({ code: -32000, message: 'No more sessions.' }, 400),
    says: 'has lost the session; a new one was refused (No more sessions.).',
  },
  {
    name: 'answered by a gateway',
    fault: refuse(502, 'text/plain', 'nobody there', { 'retry-after': '7' }),
    says: 'answered 502 Bad Gateway: nobody there',
    data: { retryAfterMs: 7_000 },
  },
  {
    name: 'cut off',
    fault: (_request, response) => reset(response),
    says: 'the connection was',
  },
  {
    name: 'behind a sign-in',
    fault: refuse(401, 'text/plain', ''),
    says: 'answered 401 Unauthorized.',
    data: { phase: 'authorization', httpStatus: 401 },
  },
]

test.each(REFUSALS)(
  'a call that waits for a session that is $name fails with that, and has not been made',
  async ({ fault, says, data = {} }) => {
    let isFirst = true
    const server: SessionServer = await startSessionServer({
      behaviour: {
        GET: NO_STREAM,
        initialize(request, response) {
          if (!isFirst) return fault(request, response)
          isFirst = false
          return server.open(request, response)
        },
      },
    })
    const host = await ready(server.url)
    await host.changed('stream', 'refused')
    server.forget()
    const { error } = await host.ask(1, 'tools/call', { name: 'x' })
    expect(error).toMatchObject({ code: -31001, data: { phase: 'session', ...data } })
    expect(error!.message).toContain(says)
    expect(error!.message).not.toContain('may have run')
  },
)

test('a session whose server does not take the word that the host is ready is none', async () => {
  const server: SessionServer = await startSessionServer({
    behaviour: {
      GET: NO_STREAM,
      'notifications/initialized': (request, response) => {
        const status = request.headers['mcp-session-id'] === 'session-1' ? 202 : 500
        response.writeHead(status).end()
      },
    },
  })
  const host = await ready(server.url)
  await host.changed('stream', 'refused')
  server.forget()
  const { error } = await host.ask(1, 'tools/list')
  expect(error).toMatchObject({ data: { phase: 'session' } })
  expect(error!.message).toContain('answered 500')
})

/** A server that has forgotten its sessions; the request for a new one, of nobody, waits for the test. */
async function forgotten() {
  const initializes: { request: Seen; response: ServerResponse }[] = []
  const server: SessionServer = await startSessionServer({
    behaviour: {
      initialize(request, response) {
        initializes.push({ request, response })
        if (initializes.length !== 2) server.open(request, response)
      },
    },
  })
  const host = await ready(server.url)
  await expect.poll(() => server.streams.size).toBe(1)
  server.forget()
  await expect.poll(() => initializes.length).toBe(2)
  const { request, response } = initializes[1]!
  return { server, host, conclude: (handler: Handler) => handler(request, response) }
}

test('who waits for a session that nobody signed in for gets one of its own, at once', async () => {
  const { server, host, conclude } = await forgotten()
  for (const id of [1, 2]) host.write({ id, method: 'tools/call' })
  await turn()
  void conclude(refuse(401, 'text/plain', ''))
  for (const id of [1, 2]) expect(await host.answer(id)).toMatchObject({ result: {} })
  expect(server.opened).toEqual(['session-1', 'session-2'])
})

test.each<{ name: string; end(server: SessionServer): Handler }>([
  { name: 'refused', end: () => refuse(500, 'text/plain', '') },
  { name: 'there', end: ({ open }) => open },
])('a host that opens a session itself is faster than one that is $name later', async ({ end }) => {
  const { server, host, conclude } = await forgotten()
  host.write({ id: 1, method: 'tools/call' })
  await host.ask(2, 'initialize', INITIALIZE)
  void conclude(end(server))
  expect(await host.answer(1)).toMatchObject({ result: {} })
  expect(await host.ask(3, 'tools/call')).toMatchObject({ result: {} })
  expect(host.said.map(({ id }) => id)).toEqual([0, 2, 1, 3])
  expect(server.seen.filter(({ message }) => message?.method === 'initialize')).toHaveLength(3)
})

test('a session that is found lost again while a new one is opened is replaced once', async () => {
  let open = (): void => {}
  let initializes = 0
  let resuming: ServerResponse | undefined
  const server: SessionServer = await startSessionServer({
    unknown(request, response) {
      if (request.headers['last-event-id'] === 'a') resuming = response
      else response.writeHead(404).end()
    },
    behaviour: {
      initialize(request, response) {
        open = () => void server.open(request, response)
        if (++initializes === 1) open()
      },
      'tools/call': (_request, response) => stream(response, `retry: 10\n${event({}, 'a')}`),
    },
  })
  const host = await ready(server.url)
  await expect.poll(() => server.streams.size).toBe(1)
  host.write({ id: 1, method: 'tools/call' })
  await expect.poll(() => server.inSession('session-1')).toContain('tools/call')
  server.forget()
  for (const socket of server.sockets) socket.destroy()
  await expect.poll(() => initializes).toBe(2)
  await expect.poll(() => resuming).toBeDefined()
  resuming!.writeHead(404).end()
  expect(await host.answer(1)).toHaveProperty('error')
  open()
  expect(await host.ask(2, 'tools/list')).toMatchObject({ result: {} })
  expect(server.opened).toEqual(['session-1', 'session-2'])
})

test('a stream that breaks again and again makes the host look again once', async () => {
  const server = await startSessionServer()
  const host = await ready(server.url)
  for (const times of [1, 2, 3]) {
    await host.changed('stream', 'opened', times)
    reset(server.streams.get('session-1')!)
  }
  await host.changed('stream', 'opened', 4)
  const changes = host.said.filter(({ method }) => method !== undefined)
  expect(changes).toMatchObject([
    { method: 'notifications/tools/list_changed' },
    { method: 'notifications/resources/list_changed' },
  ])
})

test('HTTP+SSE: a stream that ends before the host has said anything is opened again', async () => {
  const server = await startSseServer()
  const host = await openHost(server.url, { transport: 'sse' })
  server.streams[0]!.end()
  await expect.poll(() => server.streams.length).toBe(2)
  expect(await host.ask(0, 'initialize', INITIALIZE)).toMatchObject({ result: {} })
  expect(server.streams).toHaveLength(2)
})

test('HTTP+SSE: a session that ends while it is being opened is no session', async () => {
  let ends = false
  const server = await startSseServer({
    'logging/setLevel': ({ message }, response) => {
      response.writeHead(202).end()
      if (ends) server.streams.at(-1)!.end()
      else server.say({ jsonrpc: '2.0', id: message?.id, result: {} })
    },
  })
  const host = await ready(server.url, 'sse')
  await host.ask(1, 'logging/setLevel', { level: 'info' })
  ends = true
  server.streams[0]!.end()
  await host.changed('session', 'not-renewed')
  expect(server.streams).toHaveLength(2)
  expect(await host.ask(2, 'ping')).toMatchObject({
    error: { data: { phase: 'session', retryAfterMs: expect.any(Number) as number } },
  })
  ends = false
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + RENEWAL_PAUSE_MS })
  expect(await host.ask(3, 'ping')).toMatchObject({ result: {} })
  expect(server.streams).toHaveLength(3)
})

test('HTTP+SSE: a call that waits for a stream that cannot be opened has not been made', async () => {
  let isAway = false
  const streams: ServerResponse[] = []
  const server = await startSseServer({
    GET(_request, response) {
      if (isAway) return void response.writeHead(502).end()
      stream(response, 'event: endpoint\ndata: /messages\n\n')
      streams.push(response)
    },
    initialize({ message }, response) {
      response.writeHead(202).end()
      streams[0]!.write(event(initializeResult(message?.id)))
    },
  })
  const host = await ready(server.url, 'sse')
  isAway = true
  streams[0]!.end()
  await host.changed('stream', 'closed')
  const { error } = await host.ask(1, 'tools/call')
  expect(error).toMatchObject({ data: { phase: 'session' } })
  expect(error!.message).toMatch(/lost the session; no new one: .* answered 502 Bad Gateway\.$/)
})
