import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { startAuthority } from '../auth/authority.ts'
import { visit } from '../auth/browser-stub.ts'
import { printedLink, startHost } from '../auth/host.ts'
import { startProtected } from '../auth/protected.ts'
import { type BridgeProcess, initialize, type Message, startBridge } from '../support/bridge.ts'
import { json, type TestServer } from '../support/http-server.ts'
import {
  type Behaviour,
  event,
  type Handler,
  refuse,
  result,
  startMcpServer,
  stream,
} from '../support/mcp-server.ts'
import { connectV1 } from '../support/peers.ts'
import { until } from '../support/until.ts'

/** A busy machine needs longer than the second that is the default. */
const PATIENT = { timeout: 20_000 }

const VERSION = '2026-07-28'
const META = {
  'io.modelcontextprotocol/protocolVersion': VERSION,
  'io.modelcontextprotocol/clientCapabilities': {},
}
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId'

const DISCOVERED = {
  resultType: 'complete',
  supportedVersions: [VERSION],
  capabilities: { tools: { listChanged: true }, resources: { subscribe: true } },
  ttlMs: 0,
  cacheScope: 'private',
}

/** A JSON-RPC error in an HTTP error, under the id that many servers use for it. */
function rejects(status: number, code: number, data?: object): Handler {
  const body = { jsonrpc: '2.0', id: null, error: { code, message: 'No', data } }
  return refuse(status, 'application/json', JSON.stringify(body))
}

/** A server that has dropped the initialize era. */
function startModernOnly(behaviour: Behaviour = {}): Promise<TestServer> {
  return startMcpServer({
    initialize: rejects(400, -32022, { supported: [VERSION] }),
    'server/discover': (seen, response) => json(response, result(seen, DISCOVERED)),
    'subscriptions/listen': acknowledge(() => {}),
    ...behaviour,
  })
}

/** Acknowledges a subscription with what was asked for, and hands over its stream. */
function acknowledge(opened: (response: ServerResponse, id: unknown) => void): Handler {
  return ({ message }, response) => {
    const notifications = message?.params?.['notifications']
    const params = { notifications, _meta: { [SUBSCRIPTION]: message?.id } }
    const method = 'notifications/subscriptions/acknowledged'
    stream(response, event({ jsonrpc: '2.0', method, params }))
    opened(response, message?.id)
  }
}

async function open(server: TestServer, options = {}): Promise<BridgeProcess> {
  const bridge = startBridge(server.url, options)
  bridge.write(initialize(0))
  expect(await bridge.answer(0)).toMatchObject({ result: { protocolVersion: '2025-11-25' } })
  bridge.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
  return bridge
}

const methods = (server: TestServer): (string | undefined)[] =>
  server.seen.map(({ message }) => message?.method)

test.each([
  ['400 -32022 that names them', rejects(400, -32022, { supported: [VERSION] })],
  ['404 -32601', rejects(404, -32601)],
  ['400 -32020', rejects(400, -32020)],
  ['400 -32602', rejects(400, -32602)],
])('a server that answers initialize with %s costs one question more, once', async (_, handler) => {
  const server = await startModernOnly({ initialize: handler })
  const first = await open(server)
  first.end()
  await first.exit()
  const opening = methods(server).filter((method) => method !== 'subscriptions/listen')
  expect(opening).toEqual(['initialize', 'server/discover'])
  const second = await open(server, { home: first.home })
  second.end()
  await second.exit()
  expect(methods(server).filter((method) => method === 'initialize')).toHaveLength(1)
})

test('a server that gave its verdict up is asked the old way again', async () => {
  const modern = await startModernOnly()
  const first = await open(modern)
  first.end()
  await first.exit()
  await modern.close()
  const port = Number(new URL(modern.url).port)
  const legacy = await startMcpServer({ 'server/discover': rejects(400, -32000) }, { port })
  const second = await open(legacy, { home: first.home })
  second.end()
  await second.exit()
  const third = await open(legacy, { home: first.home })
  await until('its session', () => methods(legacy).length >= 6)
  const opening = methods(legacy).filter((method) => method?.startsWith('notifications/') === false)
  expect(opening).toEqual(['server/discover', 'initialize', 'initialize'])
  expect(third.messages()).toHaveLength(1)
})

test('a host that only asks for the versions is answered from memory the second time', async () => {
  const server = await startMcpServer({ 'server/discover': rejects(400, -32000) })
  const probe = { jsonrpc: '2.0', id: 'p', method: 'server/discover', params: { _meta: META } }
  const first = startBridge(server.url)
  first.write(probe)
  expect(await first.answer('p')).toMatchObject({ error: { code: -32601 } })
  // As SDK v2 does: the process was only there for the probe.
  first.child.kill('SIGTERM')
  await first.exit()
  const second = startBridge(server.url, { home: first.home })
  second.write(probe)
  expect(await second.answer('p')).toMatchObject({ error: { code: -32601 } })
  expect(methods(server)).toEqual(['server/discover'])
  second.write(initialize(1))
  expect(await second.answer(1)).toMatchObject({ result: { protocolVersion: '2025-11-25' } })
})

test('SDK v1 takes tools whose output is no object, and calls them', async () => {
  const array = { name: 'array', inputSchema: { type: 'object' }, outputSchema: { type: 'array' } }
  const object = { ...array, name: 'object', outputSchema: { type: 'object' } }
  const server = await startModernOnly({
    'tools/list': (seen, response) =>
      json(response, result(seen, { resultType: 'complete', tools: [array, object], ttlMs: 1 })),
    'tools/call': (seen, response) => {
      const structuredContent = [1, 2]
      json(response, result(seen, { resultType: 'complete', content: [], structuredContent }))
    },
  })
  const { client } = await connectV1(server.url)
  const { tools } = await client.listTools()
  expect(tools.map(({ name, outputSchema }) => [name, outputSchema])).toEqual([
    ['array', undefined],
    ['object', { type: 'object' }],
  ])
  expect(await client.callTool({ name: 'array', arguments: {} })).toEqual({
    structuredContent: { result: [1, 2] },
    content: [{ type: 'text', text: '[1,2]' }],
  })
})

test('numbers, order and unknown members survive the translation in both directions', async () => {
  const text =
    '{"x":1.0,"content":[],"structuredContent":{"n":12345678901234567890,"f":1e400},"resultType":"complete","z":-0}'
  const server = await startModernOnly({
    'tools/call': ({ message }, response) =>
      json(response, `{"jsonrpc":"2.0","id":${String(message?.id)},"result":${text}}`),
  })
  const bridge = await open(server)
  bridge.write(
    '{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"name":"t","arguments":{"n":12345678901234567890,"f":1.0,"g":1e400}}}',
  )
  const line = await until('the answer', () => bridge.lines.find((raw) => raw.includes('"x":1.0')))
  expect(line.toString()).toBe(
    '{"jsonrpc":"2.0","id":9007199254740993,"result":{"x":1.0,"content":[],"structuredContent":{"n":12345678901234567890,"f":1e400},"z":-0}}',
  )
  const call = server.seen.find(({ message }) => message?.method === 'tools/call')!
  expect(call.body.toString()).toContain('"arguments":{"n":12345678901234567890,"f":1.0,"g":1e400}')
  expect(call.headers).toMatchObject({ 'mcp-protocol-version': VERSION, 'mcp-name': 't' })
})

test('an error under no id reaches the request that it is for', async () => {
  const server = await startModernOnly({ 'resources/read': rejects(400, -32602) })
  const bridge = await open(server)
  bridge.write({ jsonrpc: '2.0', id: 'r', method: 'resources/read', params: { uri: 'x' } })
  expect(await bridge.answer('r')).toEqual({
    jsonrpc: '2.0',
    id: 'r',
    error: { code: -32602, message: 'No' },
  })
})

test('cancelling a translated call closes its stream and POSTs nothing', async () => {
  let closed = false
  const server = await startModernOnly({
    'tools/call': (_seen, response) => {
      response.on('close', () => (closed = true))
      stream(response, event({ jsonrpc: '2.0', method: 'notifications/message', params: {} }))
    },
  })
  const bridge = await open(server)
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 't' } })
  await bridge.message(({ method }) => method === 'notifications/message')
  bridge.write({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } })
  await expect.poll(() => closed, PATIENT).toBe(true)
  bridge.write({ jsonrpc: '2.0', id: 2, method: 'ping' })
  await bridge.answer(2)
  expect(methods(server)).not.toContain('notifications/cancelled')
  expect(bridge.messages().filter(({ id }) => id === 1)).toEqual([])
})

const CHANGED = 'notifications/tools/list_changed'

test('a translated host hears of changes, also of those that a broken stream may have hidden', async () => {
  const streams: ServerResponse[] = []
  const server = await startModernOnly({
    'subscriptions/listen': acknowledge((response) => void streams.push(response)),
  })
  const bridge = await open(server)
  const changes = (): Message[] => bridge.messages().filter(({ method }) => method === CHANGED)
  await until('the stream', () => streams.length === 1)
  streams[0]?.write(
    event({ jsonrpc: '2.0', method: CHANGED, params: { _meta: { [SUBSCRIPTION]: 1 } } }),
  )
  await expect.poll(changes, PATIENT).toEqual([{ jsonrpc: '2.0', method: CHANGED, params: {} }])
  streams[0]?.destroy()
  await until('the second stream', () => streams.length === 2)
  await expect.poll(() => changes().length, PATIENT).toBe(2)
  // It ends in good order: another one is opened as well.
  const { message } = server.seen.findLast(
    (seen) => seen.message?.method === 'subscriptions/listen',
  )!
  streams[1]?.end(event({ jsonrpc: '2.0', id: message?.id, result: { resultType: 'complete' } }))
  await until('the third stream', () => streams.length === 3)
  await expect.poll(() => changes().length, PATIENT).toBe(3)
  for (const { params } of changes()) expect(params?.['_meta']).toBeUndefined()
})

test('a host of the stateless era keeps its subscription through a broken stream', async () => {
  const streams: ServerResponse[] = []
  const ids: unknown[] = []
  const server = await startModernOnly({
    'subscriptions/listen': acknowledge((response, id) => {
      streams.push(response)
      ids.push(id)
    }),
  })
  const bridge = startBridge(server.url)
  const notifications = { toolsListChanged: true, resourceSubscriptions: ['note://1'] }
  const params = { notifications, _meta: META }
  bridge.write({ jsonrpc: '2.0', id: 'L', method: 'subscriptions/listen', params })
  await until('the stream', () => streams.length === 1)
  streams[0]?.destroy()
  await bridge.message(({ method }) => method === 'notifications/resources/updated')
  expect(ids).toEqual(['L', 'L'])
  const meta = { [SUBSCRIPTION]: 'L' }
  expect(bridge.messages()).toEqual([
    {
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: { notifications, _meta: meta },
    },
    { jsonrpc: '2.0', method: CHANGED, params: { _meta: meta } },
    {
      jsonrpc: '2.0',
      method: 'notifications/resources/updated',
      params: { uri: 'note://1', _meta: meta },
    },
  ])
  // The cancellation of the host still ends it.
  let closed = false
  streams[1]?.on('close', () => (closed = true))
  bridge.write({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'L' } })
  await expect.poll(() => closed, PATIENT).toBe(true)
})

test('a subscription that the server refuses the second time is over', async () => {
  const streams: ServerResponse[] = []
  const server = await startModernOnly({
    'subscriptions/listen': (seen, response) => {
      if (streams.length > 0) return rejects(404, -32601)(seen, response)
      return acknowledge((opened) => void streams.push(opened))(seen, response)
    },
  })
  const bridge = startBridge(server.url)
  const params = { notifications: { toolsListChanged: true }, _meta: META }
  bridge.write({ jsonrpc: '2.0', id: 'L', method: 'subscriptions/listen', params })
  await until('the stream', () => streams.length === 1)
  streams[0]?.destroy()
  await bridge.message(({ method }) => method === 'notifications/cancelled')
  expect(bridge.messages().slice(1)).toEqual([
    { jsonrpc: '2.0', id: 'L', error: { code: -32601, message: 'No' } },
    { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'L' } },
  ])
})

test('a batch of a host is answered as one, request by request', async () => {
  const server = await startModernOnly()
  const bridge = await open(server)
  bridge.write([
    { jsonrpc: '2.0', id: 1, method: 'ping' },
    { jsonrpc: '2.0', id: 2, method: 'x/y' },
  ])
  const line = await until('the batch', () => bridge.lines.find((raw) => raw[0] === 0x5b))
  const answers = JSON.parse(line.toString()) as Message[]
  expect(answers.map(({ id }) => id).sort()).toEqual([1, 2])
  expect(methods(server)).not.toContain('ping')
})

test('the end of the host ends the subscription, and nothing is deleted', async () => {
  let closed = false
  const server = await startModernOnly({
    'subscriptions/listen': acknowledge((response) => response.on('close', () => (closed = true))),
  })
  const bridge = await open(server)
  await until('the stream', () => methods(server).includes('subscriptions/listen'))
  bridge.end()
  expect(await bridge.exit()).toEqual({ code: 0, signal: null })
  await expect.poll(() => closed, PATIENT).toBe(true)
  expect(server.seen.map(({ method }) => method)).not.toContain('DELETE')
})

test('a sign-in before and in the middle of a translated connection', async () => {
  const authority = await startAuthority()
  const tool = { name: 'real', inputSchema: { type: 'object' } }
  const answers: Behaviour = {
    initialize: rejects(400, -32022, { supported: [VERSION] }),
    'server/discover': (seen, response) => json(response, result(seen, DISCOVERED)),
    'tools/list': (seen, response) =>
      json(response, result(seen, { resultType: 'complete', tools: [tool], ttlMs: 1 })),
    'subscriptions/listen': acknowledge(() => {}),
  }
  const server = await startProtected({
    metadata: (resource) => ({ resource, authorization_servers: [authority.issuer] }),
    judge: (token) =>
      authority.scopeOf(token) === undefined ? { status: 401, challenge: 'Bearer' } : 'accept',
    async also(request, response) {
      const handler = answers[request.message?.method ?? '']
      const token = request.headers.authorization?.replace('Bearer ', '')
      if (handler === undefined || authority.scopeOf(token) === undefined) return false
      await handler(request, response)
      return true
    },
  })
  const host = startHost(server.url)
  host.write(initialize(0))
  // The host is answered while the person is still signing in.
  const link = await printedLink(host)
  expect((await host.answer(0, 30_000)).result?.['instructions']).toContain(link)
  host.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
  host.write({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
  await visit(link)
  expect(await host.answer(1)).toEqual({ jsonrpc: '2.0', id: 1, result: { tools: [tool] } })
  await host.message(({ method }) => method === CHANGED)
  // The token is renewed without anybody, and the request is sent again.
  authority.expireAccess()
  host.write({ jsonrpc: '2.0', id: 2, method: 'tools/list' })
  expect(await host.answer(2)).toEqual({ jsonrpc: '2.0', id: 2, result: { tools: [tool] } })
  expect(host.messages().filter(({ id }) => id === 0)).toHaveLength(1)
  const home = host.home
  const second = startHost(server.url, { home })
  second.write(initialize(0))
  expect(await second.answer(0)).toMatchObject({
    result: { capabilities: DISCOVERED.capabilities },
  })
})
