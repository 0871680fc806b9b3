import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { answerIds, type BridgeProcess, initialize, startBridge } from '../support/bridge.ts'
import { json } from '../support/http-server.ts'
import { event, type Handler, refuse, result, stream } from '../support/mcp-server.ts'
import {
  CAPABILITIES,
  GONE,
  type SessionServer,
  startSessionServer,
} from '../support/session-server.ts'
import { startSseServer } from '../support/sse-server.ts'

const OURS = -31001
const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' }

/** A bridge whose host has opened a session and, when the server has one, its stream. */
async function ready(server: SessionServer): Promise<BridgeProcess> {
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write(INITIALIZED)
  await expect.poll(() => server.streams.size).toBe(1)
  return bridge
}

const rpc = (code: number, message: string): string =>
  JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } })

const SPELLINGS: readonly { name: string; unknown: Handler }[] = [
  { name: '404 with a JSON-RPC error', unknown: GONE },
  { name: '404 with text', unknown: refuse(404, 'text/plain', 'session not found') },
  { name: '404 with nothing', unknown: refuse(404, 'text/plain', '') },
  ...[
    rpc(-32000, 'Bad Request: No valid session ID provided'),
    rpc(-32000, 'Bad Request: Server not initialized'),
    rpc(-32600, 'Session not found'),
    '{"error":"Invalid session ID"}',
  ].map((body) => ({ name: `400 ${body}`, unknown: refuse(400, 'application/json', body) })),
  {
    name: '400 with text',
    unknown: refuse(400, 'text/plain', 'Bad Request: No valid session ID provided'),
  },
]

test.each(SPELLINGS)('a session lost by $name is replaced unseen', async ({ unknown }) => {
  const server = await startSessionServer({ unknown })
  const bridge = await ready(server)
  server.forget()
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'x' } })
  expect(await bridge.answer(1)).toMatchObject({ result: {} })
  expect(server.opened).toEqual(['session-1', 'session-2'])
  expect(answerIds(bridge.messages())).toEqual([0, 1])
  expect(bridge.stderr()).toBe('')
})

test.each([
  { name: 'another 400', fault: refuse(400, 'application/json', rpc(-32602, 'no such tool')) },
  { name: 'an unknown method', fault: refuse(404, 'application/json', rpc(-32601, 'no method')) },
])('$name is an answer and no lost session', async ({ fault }) => {
  const server = await startSessionServer({ behaviour: { 'tools/call': fault } })
  const bridge = await ready(server)
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call' })
  expect(await bridge.answer(1)).toMatchObject({ error: { message: /no / } as object })
  expect(server.opened).toHaveLength(1)
})

test('what the host has set and subscribed to is there again, and its stream', async () => {
  const server = await startSessionServer()
  const bridge = await ready(server)
  const requests = [
    { method: 'logging/setLevel', params: { level: 'error' } },
    { method: 'logging/setLevel', params: { level: 'debug' } },
    { method: 'resources/subscribe', params: { uri: 'a://1' } },
    { method: 'resources/subscribe', params: { uri: 'a://2' } },
    { method: 'resources/unsubscribe', params: { uri: 'a://1' } },
  ]
  for (const [index, request] of requests.entries()) {
    bridge.write({ jsonrpc: '2.0', id: index + 1, ...request })
    await bridge.answer(index + 1)
  }
  const before = bridge.lines.length
  server.forget()
  // Nobody asks: the stream that ended finds it out.
  await expect.poll(() => server.streams.has('session-2'), { timeout: 5_000 }).toBe(true)
  const replayed = server.seen.filter(({ headers }) => headers['mcp-session-id'] === 'session-2')
  expect(replayed.slice(0, 3).map(({ message }) => message)).toMatchObject([
    { method: 'notifications/initialized' },
    { method: 'logging/setLevel', params: { level: 'debug' } },
    { method: 'resources/subscribe', params: { uri: 'a://2' } },
  ])
  const [first, second] = server.seen.filter(({ message }) => message?.method === 'initialize')
  expect(second?.message?.params).toEqual(first?.message?.params)
  expect(second?.headers['mcp-session-id']).toBeUndefined()
  // Of all that the host sees only that lists may have changed: those that said they would tell.
  await expect.poll(() => bridge.lines.length).toBe(before + 2)
  expect(bridge.messages().slice(before)).toEqual([
    { jsonrpc: '2.0', method: 'notifications/tools/list_changed' },
    { jsonrpc: '2.0', method: 'notifications/resources/list_changed' },
  ])
})

test('many requests that find the session lost share one new session', async () => {
  const server = await startSessionServer()
  const bridge = await ready(server)
  server.forget()
  const ids = Array.from({ length: 50 }, (_, index) => index + 1)
  for (const id of ids) bridge.write({ jsonrpc: '2.0', id, method: 'tools/call' })
  for (const id of ids) expect(await bridge.answer(id)).toMatchObject({ result: {} })
  expect(server.opened).toHaveLength(2)
  const calls = server.inSession('session-2').filter((method) => method === 'tools/call')
  expect(calls).toHaveLength(50)
  expect(answerIds(bridge.messages())).toHaveLength(51)
})

test('a request whose answer died with the session gets an error, also one that never ends', async () => {
  const held: ServerResponse[] = []
  const server = await startSessionServer({
    behaviour: {
      'tools/call': (request, response) => {
        if (request.message?.params?.['name'] === 'fast') return json(response, result(request))
        held.push(response)
        stream(response, ': thinking\n\n')
      },
    },
  })
  const bridge = await ready(server)
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'slow' } })
  await expect.poll(() => held.length).toBe(1)
  server.forget()
  bridge.write({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'fast' } })
  expect(await bridge.answer(2)).toMatchObject({ result: {} })
  expect(await bridge.answer(1, 8_000)).toMatchObject({
    error: {
      code: OURS,
      data: { phase: 'session', hint: expect.stringContaining('carried out') as string },
    },
  })
  held[0]!.write(event({ jsonrpc: '2.0', id: 1, result: { late: true } }))
  bridge.write({ jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'fast' } })
  await bridge.answer(3)
  expect(answerIds(bridge.messages())).toEqual([0, 2, 1, 3])
})

test("the server's open requests are taken back, and the host's late answers dropped", async () => {
  const server = await startSessionServer()
  const bridge = await ready(server)
  const question = { jsonrpc: '2.0', id: 5, method: 'roots/list' }
  server.streams.get('session-1')!.write(event(question))
  await bridge.message(({ method }) => method === 'roots/list')
  server.forget()
  const cancelled = await bridge.message(({ method }) => method === 'notifications/cancelled')
  expect(cancelled.params).toMatchObject({ requestId: 5 })
  await expect.poll(() => server.streams.has('session-2'), { timeout: 5_000 }).toBe(true)
  bridge.write({ jsonrpc: '2.0', id: 5, result: { roots: [] } })
  bridge.write({ jsonrpc: '2.0', id: 6, method: 'ping' })
  await bridge.answer(6)
  // The same id in the new session is another question.
  server.streams.get('session-2')!.write(event(question))
  await expect
    .poll(() => bridge.messages().filter(({ method }) => method === 'roots/list').length)
    .toBe(2)
  bridge.write({ jsonrpc: '2.0', id: 5, result: { roots: [] } })
  await expect.poll(() => server.inSession('session-2').at(-1)).toBe('POST')
  const answers = server.seen.filter(({ message }) => message?.id === 5)
  expect(answers).toHaveLength(1)
})

test.each([
  { name: 'another version', now: { protocolVersion: '2025-06-18', capabilities: CAPABILITIES } },
  {
    name: 'a capability less',
    now: { protocolVersion: '2025-11-25', capabilities: { ...CAPABILITIES, prompts: undefined } },
  },
  {
    name: 'no subscriptions',
    now: { protocolVersion: '2025-11-25', capabilities: { ...CAPABILITIES, resources: {} } },
  },
])('a new session with $name is refused in clear words', async ({ now }) => {
  const before = { protocolVersion: '2025-11-25', capabilities: CAPABILITIES }
  const server = await startSessionServer({ hello: (number) => (number === 1 ? before : now) })
  const bridge = await ready(server)
  server.forget()
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
  const { error } = await bridge.answer(1)
  expect(error).toMatchObject({ code: OURS, data: { phase: 'session' } })
  expect(error?.message).toMatch(/different|just been given/)
})

test('a server that loses every session gets one in five seconds, and errors in between', async () => {
  let known = true
  const server = await startSessionServer({
    behaviour: {
      GET: refuse(405, 'text/plain', ''),
      'tools/list': (request, response) =>
        known ? json(response, result(request)) : GONE(request, response),
    },
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write(INITIALIZED)
  known = false
  for (const id of [1, 2, 3]) {
    bridge.write({ jsonrpc: '2.0', id, method: 'tools/list' })
    expect(await bridge.answer(id)).toMatchObject({ error: {} })
  }
  expect(server.opened).toHaveLength(2)
  known = true
  await expect
    .poll(
      async () => {
        const id = `again-${Date.now()}`
        bridge.write({ jsonrpc: '2.0', id, method: 'tools/list' })
        return (await bridge.answer(id)).result
      },
      { timeout: 8_000, interval: 500 },
    )
    .toEqual({})
  expect(server.opened).toHaveLength(3)
})

test('HTTP+SSE: a lost stream is replaced in the background, with what the host had set', async () => {
  const server = await startSseServer()
  const bridge = startBridge(server.url, { args: ['--transport', 'sse'] })
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write(INITIALIZED)
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'logging/setLevel', params: { level: 'info' } })
  await bridge.answer(1)
  const before = server.seen.length
  server.streams[0]?.end()
  await expect.poll(() => server.seen.length, { timeout: 5_000 }).toBe(before + 4)
  const kinds = server.seen.slice(before).map(({ method, message }) => message?.method ?? method)
  expect(kinds).toEqual(['GET', 'initialize', 'notifications/initialized', 'logging/setLevel'])
  await bridge.message(({ method }) => method === 'notifications/tools/list_changed')
  bridge.write({ jsonrpc: '2.0', id: 2, method: 'ping' })
  expect(await bridge.answer(2)).toMatchObject({ result: {} })
  expect(answerIds(bridge.messages())).toEqual([0, 1, 2])
})

test('HTTP+SSE: an endpoint that does not know the session is left for a new stream', async () => {
  let refuseOnce = true
  const server = await startSseServer({
    'tools/list': (request, response) => {
      if (refuseOnce) {
        refuseOnce = false
        return refuse(404, 'text/plain', 'Could not find session')(request, response)
      }
      response.writeHead(202).end()
      server.say(result(request))
    },
  })
  const bridge = startBridge(server.url, { args: ['--transport', 'sse'] })
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write(INITIALIZED)
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
  expect(await bridge.answer(1)).toMatchObject({ result: {} })
  expect(server.streams).toHaveLength(2)
})
