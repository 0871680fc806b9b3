import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { initialize, startBridge } from '../support/bridge.ts'
import { json } from '../support/http-server.ts'
import { event, refuse, result, stream } from '../support/mcp-server.ts'
import { startSessionServer } from '../support/session-server.ts'
import { startSseServer } from '../support/sse-server.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

const OURS = -31001
const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' }
const portOf = (url: string): number => Number(new URL(url).port)

test('after a sleep the stream is opened again at once and the session is checked', async () => {
  let gets = 0
  const server = await startSessionServer({
    behaviour: {
      GET: (_request, response) => {
        gets++
        stream(response, event({ jsonrpc: '2.0', method: 'notifications/n' }, `id-${gets}`))
      },
    },
  })
  const proxy = await startTcpProxy(portOf(server.url))
  const env = { BRIDGE_WAKE_AFTER: '1s' }
  const bridge = startBridge(`http://127.0.0.1:${proxy.port}/mcp`, { env })
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write(INITIALIZED)
  await bridge.message(({ method }) => method === 'notifications/n')
  const before = proxy.count
  bridge.child.kill('SIGSTOP')
  proxy.forget() // what routers do with the connections of a machine that sleeps
  await new Promise((resolve) => {
    setTimeout(resolve, 3_000) // the length of the sleep is what is tested
  })
  bridge.child.kill('SIGCONT')
  await expect.poll(() => gets, { timeout: 3_000 }).toBe(2)
  const again = server.seen.findLast(({ method }) => method === 'GET')
  expect(again?.headers['last-event-id']).toBe('id-1')
  await expect.poll(() => server.inSession('session-1')).toContain('ping')
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call' })
  expect(await bridge.answer(1, 3_000)).toMatchObject({ result: {} })
  expect(proxy.count).toBeGreaterThan(before)
  expect(bridge.messages().filter(({ id }) => String(id).startsWith('bridge'))).toEqual([])
  expect(await bridge.state()).toMatchObject({ counts: { 'network.woke': 1 } })
})

test('a call whose stream has ids is read on after a sleep', async () => {
  let call: unknown
  const server = await startSessionServer({
    behaviour: {
      'tools/call': (request, response) => {
        call = request.message?.id
        const note = { jsonrpc: '2.0', method: 'notifications/message', params: { data: 'begun' } }
        stream(response, event(note, 'call-1'))
      },
      GET: (request, response) => {
        if (request.headers['last-event-id'] === 'call-1') {
          stream(response, event({ jsonrpc: '2.0', id: call, result: { resumed: true } }))
          response.end()
        } else refuse(405, 'text/plain', '')(request, response)
      },
    },
  })
  const proxy = await startTcpProxy(portOf(server.url))
  const env = { BRIDGE_WAKE_AFTER: '1s' }
  const bridge = startBridge(`http://127.0.0.1:${proxy.port}/mcp`, { env })
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call' })
  // Once the id is known at this end.
  await bridge.message(({ method }) => method === 'notifications/message')
  bridge.child.kill('SIGSTOP')
  proxy.forget()
  await new Promise((resolve) => {
    setTimeout(resolve, 2_500)
  })
  bridge.child.kill('SIGCONT')
  expect(await bridge.answer(1, 5_000)).toMatchObject({ result: { resumed: true } })
})

test('a router that forgets the connections is found out by a ping; calls get an error', async () => {
  const held: ServerResponse[] = []
  const server = await startSessionServer({
    behaviour: { 'tools/call': (_request, response) => void held.push(response) },
  })
  const proxy = await startTcpProxy(portOf(server.url))
  const bridge = startBridge(`http://127.0.0.1:${proxy.port}/mcp`, {
    args: ['--ping-interval', '1s'],
  })
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write(INITIALIZED)
  await expect.poll(() => server.streams.size).toBe(1)
  const first = server.streams.get('session-1')
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call' })
  await expect.poll(() => held.length).toBe(1)
  // The ping leaves a third connection in the pool: what the next one finds out about.
  await expect.poll(() => server.inSession('session-1'), { timeout: 5_000 }).toContain('ping')
  proxy.forget()
  expect(await bridge.answer(1, 10_000)).toMatchObject({
    error: { code: OURS, message: expect.stringContaining('may have run') as string },
  })
  await expect.poll(() => server.streams.get('session-1') !== first, { timeout: 5_000 }).toBe(true)
  await bridge.message(({ method }) => method === 'notifications/tools/list_changed')
  bridge.write({ jsonrpc: '2.0', id: 2, method: 'tools/list' })
  expect(await bridge.answer(2, 3_000)).toMatchObject({ result: {} })
})

test('a busy server that answers nothing for a while loses no call', async () => {
  let busy = false
  const waiting: (() => void)[] = []
  const later = (answer: () => void): void => void (busy ? waiting.push(answer) : answer())
  const server = await startSessionServer({
    behaviour: {
      ping: (request, response) => later(() => json(response, result(request))),
      'tools/call': (request, response) => {
        busy = true
        later(() => json(response, result(request, { done: true })))
      },
    },
  })
  const bridge = startBridge(server.url, { args: ['--ping-interval', '500ms'] })
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write(INITIALIZED)
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call' })
  await expect.poll(() => waiting.length, { timeout: 5_000 }).toBe(4) // two tries of two pings at least
  busy = false
  for (const answer of waiting) answer()
  expect(await bridge.answer(1)).toMatchObject({ result: { done: true } })
})

test('a server that does not know ping is not asked again, and no answer reaches the host', async () => {
  const server = await startSessionServer({
    behaviour: {
      ping: (request, response) => {
        const error = { code: -32601, message: 'Method not found' }
        json(response, { jsonrpc: '2.0', id: request.message?.id, error })
      },
    },
  })
  const bridge = startBridge(server.url, { args: ['--ping-interval', '100ms'] })
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write(INITIALIZED)
  await bridge.state('"network.no-ping":1')
  await new Promise((resolve) => {
    setTimeout(resolve, 500) // five more would have come
  })
  expect(server.inSession('session-1').filter((method) => method === 'ping')).toHaveLength(1)
  expect(bridge.lines).toHaveLength(1)
})

test('a server that moves behind its name is found where it is now', async () => {
  const hello = { protocolVersion: '2025-11-25', capabilities: { tools: { listChanged: true } } }
  const old = await startSessionServer({ hello: () => hello })
  const proxy = await startTcpProxy(portOf(old.url))
  const bridge = startBridge(`http://127.0.0.1:${proxy.port}/mcp`)
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write(INITIALIZED)
  await expect.poll(() => old.streams.size).toBe(1)
  const moved = await startSessionServer({ hello: () => hello })
  proxy.target(portOf(moved.url))
  await old.close()
  await expect.poll(() => moved.streams.size, { timeout: 10_000 }).toBe(1)
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call' })
  expect(await bridge.answer(1)).toMatchObject({ result: {} })
  expect(moved.inSession('session-1')).toContain('tools/call')
  expect(bridge.stderr()).toBe('')
})

test('HTTP+SSE: a stream that is forgotten is found out by a ping', async () => {
  const server = await startSseServer({
    'tools/call': (_request, response) => void response.writeHead(202).end(),
  })
  const proxy = await startTcpProxy(portOf(server.url))
  const bridge = startBridge(`http://127.0.0.1:${proxy.port}/sse`, {
    args: ['--transport', 'sse', '--ping-interval', '1s'],
  })
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write(INITIALIZED)
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call' })
  await expect.poll(() => server.seen.length).toBeGreaterThanOrEqual(4)
  proxy.forget()
  expect(await bridge.answer(1, 10_000)).toMatchObject({ error: { code: OURS } })
  await expect.poll(() => server.streams.length, { timeout: 8_000 }).toBe(2)
  bridge.write({ jsonrpc: '2.0', id: 2, method: 'tools/list' })
  expect(await bridge.answer(2, 8_000)).toMatchObject({ result: {} })
})
