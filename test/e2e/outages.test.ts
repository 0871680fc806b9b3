import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { answerIds, initialize, startBridge } from '../support/bridge.ts'
import { initializeResult, json, startServer } from '../support/http-server.ts'
import {
  event,
  events,
  type Handler,
  refuse,
  reset,
  startMcpServer,
  stream,
} from '../support/mcp-server.ts'

import { startSseServer } from '../support/sse-server.ts'

const OURS = -31001

/** A port on which nobody listens. */
async function freePort(): Promise<{ port: number; url: string; origin: string }> {
  const { url, origin, close } = await startServer((_request, response) => void response.end())
  await close()
  return { url, origin, port: Number(new URL(url).port) }
}

test('a server that comes up late is simply used', async () => {
  const { url, port } = await freePort()
  const bridge = startBridge(url)
  bridge.write(initialize(0))
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'ping' })
  await new Promise((resolve) => {
    setTimeout(resolve, 2_500) // the delay is what is tested
  })
  await startMcpServer({}, { port })
  expect(await bridge.answer(0, 8_000)).toMatchObject({ result: {} })
  expect(await bridge.answer(1)).toMatchObject({ result: {} })
  expect(bridge.stderr()).toBe('')
})

test('a server that stays away costs an error after a while, and works once it is there', async () => {
  const { url, origin, port } = await freePort()
  const bridge = startBridge(url, { args: ['--retry-for', '1s'] })
  const begun = Date.now()
  bridge.write(initialize(0))
  const { error } = await bridge.answer(0)
  const message = `No connection to ${origin}: nothing listens there.`
  expect(error).toEqual({ code: OURS, message, data: { phase: 'connect' } })
  expect(Date.now() - begun).toBeGreaterThan(400)
  await startMcpServer({}, { port })
  bridge.write(initialize(1))
  expect(await bridge.answer(1)).toMatchObject({ result: { protocolVersion: '2025-11-25' } })
})

test('a server that goes away during calls answers each of them with an error', async () => {
  const held: ServerResponse[] = []
  const server = await startMcpServer({
    'tools/call': (request, response) => {
      held.push(response)
      if (request.message?.id === 2) stream(response, ': alive\n\n')
    },
  })
  const bridge = startBridge(server.url, { args: ['--retry-for', '1s'] })
  bridge.write(initialize(0))
  await bridge.answer(0)
  for (const id of [1, 2, 3]) bridge.write({ jsonrpc: '2.0', id, method: 'tools/call' })
  await expect.poll(() => held.length).toBe(3)
  await server.close()
  for (const id of [1, 2, 3]) {
    expect(await bridge.answer(id, 3_000)).toMatchObject({ error: { code: OURS } })
  }
  bridge.write({ jsonrpc: '2.0', id: 4, method: 'ping' })
  expect(await bridge.answer(4, 3_000)).toMatchObject({ error: { data: { phase: 'connect' } } })
  await startMcpServer({}, { port: Number(new URL(server.url).port) })
  bridge.write({ jsonrpc: '2.0', id: 5, method: 'ping' })
  expect(await bridge.answer(5, 3_000)).toMatchObject({ result: {} })
  expect(answerIds(bridge.messages()).sort()).toEqual([0, 1, 2, 3, 4, 5])
})

test('answers to requests never made are dropped on the stream that nobody asked for', async () => {
  let opened = false
  const server = await startMcpServer({
    GET: (_request, response) => {
      stream(response, event({ jsonrpc: '2.0', id: 999, result: {} }), event({ id: 7, result: {} }))
      const note = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' }
      response.write(event(note))
      opened = true
    },
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
  await bridge.message(({ method }) => method === 'notifications/tools/list_changed')
  expect(opened).toBe(true)
  bridge.write({ jsonrpc: '2.0', id: 7, method: 'ping' })
  await bridge.answer(7)
  expect(answerIds(bridge.messages())).toEqual([0, 7])
})

test.each(['SIGTERM', 'end of input'] as const)(
  'open requests are answered at shutdown by %s, before stdout closes',
  async (how) => {
    const server = await startMcpServer({
      'tools/call': (request, response) => {
        if (request.message?.id === 2) stream(response, ': alive\n\n')
      },
    })
    const bridge = startBridge(server.url)
    bridge.write(initialize(0))
    await bridge.answer(0)
    for (const id of [1, 2]) bridge.write({ jsonrpc: '2.0', id, method: 'tools/call' })
    await expect.poll(() => server.seen.length).toBe(3)
    if (how === 'SIGTERM') bridge.child.kill('SIGTERM')
    else bridge.end()
    await bridge.exit()
    const message = 'The bridge is shutting down.'
    const error = { code: OURS, message, data: { phase: 'shutdown' } }
    expect(bridge.messages().slice(1)).toEqual([
      { jsonrpc: '2.0', id: 1, error },
      { jsonrpc: '2.0', id: 2, error },
    ])
  },
)

test('requests that still wait behind initialize are answered at shutdown too', async () => {
  const server = await startMcpServer({ initialize: () => {} })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  bridge.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
  bridge.write({ jsonrpc: '2.0', id: 2, method: 'ping' })
  await expect.poll(() => server.seen.length).toBe(1)
  bridge.child.kill('SIGTERM')
  await bridge.exit()
  expect(answerIds(bridge.messages())).toEqual([0, 1, 2])
  for (const { error } of bridge.messages()) expect(error?.data).toEqual({ phase: 'shutdown' })
  expect(server.seen).toHaveLength(1)
})

test('a refused or broken initialize costs an error and nothing else', async () => {
  const faults: Handler[] = [
    (_request, response) => reset(response),
    refuse(500, 'text/html', '<html>'),
    refuse(400, 'application/json', '{"id":null,"error":{"code":-32600,"message":"no"}}'),
    refuse(200, 'text/html', '<html>'),
    events(() => []),
  ]
  const server = await startMcpServer({
    initialize: (request, response) => {
      const fault = faults.shift()
      if (fault !== undefined) return fault(request, response)
      json(response, initializeResult(request.message?.id))
    },
  })
  const bridge = startBridge(server.url, { args: ['--retry-for', '0'] })
  for (const id of [0, 1, 2, 3, 4]) {
    bridge.write(initialize(id))
    expect(await bridge.answer(id)).toMatchObject({ error: {} })
  }
  bridge.write(initialize(5))
  expect(await bridge.answer(5)).toMatchObject({ result: {} })
  expect(answerIds(bridge.messages())).toEqual([0, 1, 2, 3, 4, 5])
})

test('HTTP+SSE: a lost stream costs every open request its answer, and the next one reconnects', async () => {
  const server = await startSseServer({
    'tools/call': (_request, response) => void response.writeHead(202).end(),
  })
  const bridge = startBridge(server.url, { args: ['--transport', 'sse'] })
  bridge.write(initialize(0))
  await bridge.answer(0)
  for (const id of [1, 2]) bridge.write({ jsonrpc: '2.0', id, method: 'tools/call' })
  await expect.poll(() => server.seen.length).toBe(4)
  server.streams[0]?.socket?.resetAndDestroy()
  for (const id of [1, 2]) {
    expect(await bridge.answer(id, 3_000)).toMatchObject({
      error: { code: OURS, data: { phase: 'stream' } },
    })
  }
  bridge.write({ jsonrpc: '2.0', id: 3, method: 'ping' })
  expect(await bridge.answer(3)).toMatchObject({ result: {} })
  expect(server.streams).toHaveLength(2)
  expect(answerIds(bridge.messages()).sort()).toEqual([0, 1, 2, 3])
})

test.each<{ name: string; fault: Handler; sees: object }>([
  {
    name: 'reset',
    fault: (_request, response) => reset(response),
    sees: { code: OURS, data: { phase: 'request' } },
  },
  {
    name: '500 with HTML',
    fault: refuse(500, 'text/html', '<html>'),
    sees: { code: OURS, data: { phase: 'response', httpStatus: 500 } },
  },
  {
    name: "400 with the server's own error",
    fault: refuse(400, 'application/json', '{"error":{"code":-32602,"message":"own","data":[1]}}'),
    sees: { code: -32602, message: 'own', data: [1] },
  },
])('HTTP+SSE: a POST refused by $name is answered', async ({ fault, sees }) => {
  const server = await startSseServer({ 'tools/call': fault })
  const bridge = startBridge(server.url, { args: ['--transport', 'sse'] })
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write({ jsonrpc: '2.0', id: 7, method: 'tools/call' })
  expect(await bridge.answer(7, 3_000)).toMatchObject({ error: sees })
  server.say({ jsonrpc: '2.0', id: 7, result: { late: true } })
  server.say('not JSON')
  bridge.write({ jsonrpc: '2.0', id: 8, method: 'ping' })
  expect(await bridge.answer(8)).toMatchObject({ result: {} })
  expect(answerIds(bridge.messages())).toEqual([0, 7, 8])
})
