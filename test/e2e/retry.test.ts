import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { initialize, startBridge } from '../support/bridge.ts'
import { json, type Seen } from '../support/http-server.ts'
import { type Handler, refuse, reset, result, startMcpServer } from '../support/mcp-server.ts'

const OURS = -31001

/** Fails the first requests, then answers. */
function first(times: number, fault: Handler): Handler {
  let left = times
  return (request, response) => {
    if (left-- > 0) return fault(request, response)
    return json(response, result(request, { tools: TOOLS }))
  }
}

const TOOLS = [
  { name: 'look', annotations: { readOnlyHint: true } },
  { name: 'set', annotations: { idempotentHint: true } },
  { name: 'add', annotations: { idempotentHint: false } },
]

const FAULTS: readonly { name: string; fault: () => Handler; atLeastMs?: number }[] = [
  { name: '502', fault: () => refuse(502, 'text/html', '<html>') },
  { name: '504', fault: () => refuse(504, 'text/html', '<html>') },
  { name: '503', fault: () => refuse(503, 'text/plain', '') },
  {
    name: '429 with seconds',
    fault: () => refuse(429, 'text/plain', '', { 'retry-after': '1' }),
    atLeastMs: 950,
  },
  {
    name: '503 with a date',
    fault: () => (request, response) => {
      const date = new Date(Date.now() + 2_000).toUTCString() // whole seconds only
      return refuse(503, 'text/plain', '', { 'retry-after': date })(request, response)
    },
    atLeastMs: 900,
  },
  { name: 'a reset', fault: () => (_request, response) => reset(response) },
]

const SAFE = ['tools/list', 'prompts/get', 'resources/read', 'completion/complete', 'ping']

test.each(FAULTS)(
  'what only reads is asked again after $name',
  async ({ fault, atLeastMs = 0 }) => {
    const server = await startMcpServer(
      Object.fromEntries(SAFE.map((method) => [method, first(1, fault())])),
    )
    const bridge = startBridge(server.url)
    bridge.write(initialize(0))
    await bridge.answer(0)
    const begun = Date.now()
    for (const method of SAFE) bridge.write({ jsonrpc: '2.0', id: method, method })
    for (const method of SAFE) expect(await bridge.answer(method)).toMatchObject({ result: {} })
    expect(Date.now() - begun).toBeGreaterThanOrEqual(atLeastMs)
    expect(server.seen).toHaveLength(1 + 2 * SAFE.length)
    expect(bridge.stderr()).toBe('')
  },
)

test('a tool is called again only when it says that this does no harm', async () => {
  const calls: unknown[] = []
  const outcomes: string[] = []
  const server = await startMcpServer({
    'tools/list': (request, response) => json(response, result(request, { tools: TOOLS })),
    'tools/call': (request, response) => {
      const name = request.message?.params?.['name']
      calls.push(name)
      if (calls.filter((call) => call === name).length === 1) reset(response)
      else json(response, result(request))
    },
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
  await bridge.answer(1)
  for (const name of ['look', 'set', 'add', 'unknown']) {
    bridge.write({ jsonrpc: '2.0', id: name, method: 'tools/call', params: { name } })
    const answer = await bridge.answer(name)
    outcomes.push(answer.error?.message.replace(/^.*: the connection was reset\. /, '') ?? 'done')
  }
  const lost = 'The tool may have run; it was not called again.'
  expect(outcomes).toEqual(['done', 'done', lost, lost])
  expect(calls).toEqual(['look', 'look', 'set', 'set', 'add', 'unknown'])
})

test('a call that was refused for now is told so, with the time to come back', async () => {
  const server = await startMcpServer({
    'tools/call': refuse(503, 'text/plain', 'busy', { 'retry-after': '7' }),
    'tools/list': refuse(503, 'text/plain', 'busy', { 'retry-after': '7000' }),
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  await bridge.answer(0)
  for (const method of ['tools/call', 'tools/list']) {
    bridge.write({ jsonrpc: '2.0', id: method, method })
    // The list would have to wait for longer than it is tried.
    const retryAfterMs = method === 'tools/call' ? 7_000 : 7_000_000
    expect(await bridge.answer(method)).toMatchObject({
      error: { code: OURS, data: { httpStatus: 503, retryAfterMs } },
    })
  }
  expect(server.seen).toHaveLength(3)
})

test('a call that never reached the server is made once the server is back', async () => {
  const server = await startMcpServer()
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  await bridge.answer(0)
  const port = Number(new URL(server.url).port)
  await server.close()
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'add' } })
  await bridge.state('"retry":{"what":"again","why":"ECONNREFUSED"')
  const later = await startMcpServer({}, { port })
  expect(await bridge.answer(1)).toMatchObject({ result: {} })
  expect(later.seen.map(({ message }) => message?.method)).toEqual(['tools/call'])
})

/** Answers, and ends the connection after this much silence. */
function idleFor(ms: number, value?: object): Handler {
  return (request: Seen, response: ServerResponse) => {
    const { socket } = response
    response.setHeader('connection', 'keep-alive')
    response.once('finish', () => {
      const timer = setTimeout(() => socket?.end(), ms)
      socket?.once('data', () => clearTimeout(timer))
    })
    json(response, result(request, value))
  }
}

test('a server that closes idle connections at 60 ms costs none of 100 calls', async () => {
  // From the first answer on: the bridge learns from every silence that a connection has outlived.
  const initialized = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    serverInfo: { name: 'brief', version: '1' },
  }
  const server = await startMcpServer({
    initialize: idleFor(60, initialized),
    'tools/call': idleFor(60),
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  await bridge.answer(0)
  for (let id = 1; id <= 100; id++) {
    bridge.write({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'add' } })
    await bridge.answer(id)
    // The pauses are what is tested: all around the moment in which the server closes.
    await new Promise((resolve) => {
      setTimeout(resolve, 55 + (id % 8))
    })
  }
  expect(bridge.messages().filter(({ error }) => error !== undefined)).toEqual([])
  expect(server.seen).toHaveLength(101)
})
