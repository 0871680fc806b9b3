import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { type BridgeProcess, initialize, type Message, startBridge } from '../support/bridge.ts'
import { json, type Seen } from '../support/http-server.ts'
import {
  event,
  type Handler,
  reset,
  result,
  startMcpServer,
  stream,
} from '../support/mcp-server.ts'
import { startSseServer } from '../support/sse-server.ts'

const VERSION = '2026-07-28'
const META = {
  'io.modelcontextprotocol/protocolVersion': VERSION,
  'io.modelcontextprotocol/clientCapabilities': {},
}

/** A bridge whose server is known to speak the stateless era: nothing is probed. */
function startModern(url: string): BridgeProcess {
  return startBridge(url, { args: ['--protocol', 'modern'] })
}

/** A request of the stateless era. */
function request(id: unknown, method: string, params: object = {}): object {
  return { jsonrpc: '2.0', id, method, params: { ...params, _meta: META } }
}

/** The `mcp-*` headers of a request. */
function mcpHeaders({ headers }: Seen): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('mcp-')))
}

/** A tool whose input schema carries these properties. */
function tool(name: string, properties: object): object {
  return { name, inputSchema: { type: 'object', properties } }
}

const REGION = { region: { type: 'string', 'x-mcp-header': 'Region' } }

function toolList(...tools: object[]): Handler {
  return (seen, response) => json(response, result(seen, { tools }))
}

const HEADER_MISMATCH = {
  code: -32020,
  message: 'Header mismatch',
  data: { header: 'Mcp-Param-Region' },
}

const mismatch: Handler = (seen, response) =>
  json(response, { jsonrpc: '2.0', id: seen.message?.id, error: HEADER_MISMATCH }, { status: 400 })

test.each<{ method: string; params: object; name?: string }>([
  { method: 'server/discover', params: {} },
  { method: 'tools/list', params: {} },
  { method: 'tools/call', params: { name: 'echo' }, name: 'echo' },
  { method: 'prompts/get', params: { name: 'Zürich' }, name: '=?base64?WsO8cmljaA==?=' },
  { method: 'resources/read', params: { uri: 'file:///a b' }, name: 'file:///a b' },
  { method: 'tasks/get', params: { taskId: ' t' }, name: '=?base64?IHQ=?=' },
  { method: 'tools/call', params: { name: '=?base64?x?=' }, name: '=?base64?PT9iYXNlNjQ/eD89?=' },
  { method: 'completion/complete', params: { name: 'no' } },
])('$method carries the headers of its version', async ({ method, params, name }) => {
  const server = await startMcpServer()
  const bridge = startModern(server.url)
  const message = request(1, method, params)
  bridge.write(message)
  expect(await bridge.answer(1)).toEqual({ jsonrpc: '2.0', id: 1, result: {} })
  expect(mcpHeaders(server.seen[0]!)).toEqual({
    'mcp-protocol-version': VERSION,
    'mcp-method': method,
    ...(name !== undefined && { 'mcp-name': name }),
  })
  expect(server.seen[0]?.body.toString()).toBe(JSON.stringify(message))
})

test('no session: a session id of the server is not kept, nothing is opened and nothing deleted', async () => {
  const server = await startMcpServer({
    'tools/list': (seen, response) => {
      json(response, result(seen, { tools: [] }), { headers: { 'mcp-session-id': 'unwanted' } })
    },
  })
  const bridge = startModern(server.url)
  for (const id of [1, 2]) {
    bridge.write(request(id, 'tools/list'))
    await bridge.answer(id)
  }
  bridge.end()
  expect(await bridge.exit()).toEqual({ code: 0, signal: null })
  expect(server.seen.map(({ method }) => method)).toEqual(['POST', 'POST'])
  expect(server.seen[1]?.headers).not.toHaveProperty('mcp-session-id')
})

test('annotated arguments of a listed tool travel as headers', async () => {
  const properties = {
    ...REGION,
    count: { type: 'integer', 'x-mcp-header': 'Count' },
    dry: { type: 'boolean', 'x-mcp-header': 'Dry-Run' },
    deep: { type: 'object', properties: { city: { type: 'string', 'x-mcp-header': 'City' } } },
    absent: { type: 'string', 'x-mcp-header': 'Absent' },
    nothing: { type: 'string', 'x-mcp-header': 'Nothing' },
    plain: { type: 'string' },
  }
  const server = await startMcpServer({ 'tools/list': toolList(tool('go', properties)) })
  const bridge = startModern(server.url)
  bridge.write(request(1, 'tools/list'))
  expect(await bridge.answer(1)).toMatchObject({ result: { tools: [{ name: 'go' }] } })
  const args = {
    region: 'eu-west',
    count: -7,
    dry: false,
    deep: { city: 'Zürich' },
    nothing: null,
    plain: 'x',
  }
  bridge.write(request(2, 'tools/call', { name: 'go', arguments: args }))
  await bridge.answer(2)
  expect(mcpHeaders(server.seen[1]!)).toEqual({
    'mcp-protocol-version': VERSION,
    'mcp-method': 'tools/call',
    'mcp-name': 'go',
    'mcp-param-region': 'eu-west',
    'mcp-param-count': '-7',
    'mcp-param-dry-run': 'false',
    'mcp-param-city': '=?base64?WsO8cmljaA==?=',
  })
})

test.each<{ name: string; properties: object }>([
  { name: 'an empty name', properties: { a: { type: 'string', 'x-mcp-header': '' } } },
  { name: 'a name that is no token', properties: { a: { type: 'string', 'x-mcp-header': 'a b' } } },
  {
    name: 'the same name twice',
    properties: {
      a: { type: 'string', 'x-mcp-header': 'A' },
      b: { type: 'string', 'x-mcp-header': 'a' },
    },
  },
  { name: 'a number', properties: { a: { type: 'number', 'x-mcp-header': 'A' } } },
  {
    name: 'a place that no path leads to',
    properties: { a: { type: 'array', items: { type: 'string', 'x-mcp-header': 'A' } } },
  },
])('a tool annotated with $name is left out of the list', async ({ properties }) => {
  const good = tool('good', REGION)
  const server = await startMcpServer({
    'tools/list': toolList(tool('first', {}), tool('bad', properties), good),
  })
  const bridge = startModern(server.url)
  bridge.write(request(1, 'tools/list'))
  const { result: list } = await bridge.answer(1)
  expect(list?.['tools']).toEqual([tool('first', {}), good])
  expect(bridge.stderr()).toMatch(/tool bad is left out/)
})

test('a call refused for its headers is repeated once, after a look at the tools', async () => {
  let calls = 0
  const server = await startMcpServer({
    'tools/call': (seen, response) => {
      calls++
      if (seen.headers['mcp-param-region'] === undefined) return mismatch(seen, response)
      json(response, result(seen, { called: true }))
    },
    'tools/list': (seen, response) => {
      // Two pages: the tool is on the second one.
      const params = seen.message?.params
      if (params?.['cursor'] === undefined) {
        return json(response, result(seen, { tools: [], nextCursor: 'page "2"' }))
      }
      return toolList(tool('go', REGION))(seen, response)
    },
  })
  const bridge = startModern(server.url)
  bridge.write(request(1, 'tools/call', { name: 'go', arguments: { region: 'eu' } }))
  expect(await bridge.answer(1)).toEqual({ jsonrpc: '2.0', id: 1, result: { called: true } })
  const methods = server.seen.map(({ message }) => message?.method)
  expect(methods).toEqual(['tools/call', 'tools/list', 'tools/list', 'tools/call'])
  expect(calls).toBe(2)
  expect(server.seen[2]?.message?.params).toEqual({ cursor: 'page "2"', _meta: META })
  for (const seen of server.seen) expect(seen.headers['mcp-protocol-version']).toBe(VERSION)
  expect(server.seen[3]?.body.equals(server.seen[0]!.body)).toBe(true)
  // The host sees none of this.
  expect(bridge.lines).toHaveLength(1)
  bridge.write(request(2, 'tools/call', { name: 'go', arguments: { region: 'us' } }))
  await bridge.answer(2)
  expect(server.seen).toHaveLength(5)
})

test('a call that is refused for its headers again is answered with that', async () => {
  const server = await startMcpServer({
    'tools/call': mismatch,
    'tools/list': toolList(tool('go', REGION)),
  })
  const bridge = startModern(server.url)
  bridge.write(request(1, 'tools/call', { name: 'go', arguments: { region: 'eu' } }))
  expect(await bridge.answer(1)).toEqual({ jsonrpc: '2.0', id: 1, error: HEADER_MISMATCH })
  const methods = server.seen.map(({ message }) => message?.method)
  expect(methods).toEqual(['tools/call', 'tools/list', 'tools/call'])
})

test.each<{ name: string; list: Handler }>([
  { name: 'with 500', list: (_seen, response) => void response.writeHead(500).end() },
  { name: 'with a reset', list: (_seen, response) => reset(response) },
])('a look at the tools that fails $name leaves the refusal of the call', async ({ list }) => {
  const server = await startMcpServer({ 'tools/call': mismatch, 'tools/list': list })
  const bridge = startModern(server.url)
  bridge.write(request(1, 'tools/call', { name: 'go', arguments: {} }))
  expect(await bridge.answer(1)).toEqual({ jsonrpc: '2.0', id: 1, error: HEADER_MISMATCH })
})

test.each([
  { name: 'a stream', head: true },
  { name: 'an answer that has not begun', head: false },
])('cancelling closes $name and POSTs nothing', async ({ head }) => {
  let closed = false
  const server = await startMcpServer({
    'tools/call': (_seen, response) => {
      response.on('close', () => (closed = true))
      if (head) stream(response, event({ jsonrpc: '2.0', method: 'notifications/progress' }))
    },
  })
  const bridge = startModern(server.url)
  bridge.write(request(0, 'server/discover'))
  await bridge.answer(0)
  bridge.write(request(1, 'tools/call', { name: 'x' }))
  await expect.poll(() => server.seen.length).toBe(2)
  if (head) await bridge.message(({ method }) => method === 'notifications/progress')
  expect(closed).toBe(false)
  const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }
  bridge.write(cancel)
  await expect.poll(() => closed).toBe(true)
  bridge.write(request(2, 'ping'))
  await bridge.answer(2)
  bridge.end()
  await bridge.exit()
  expect(server.seen.map(({ message }) => message?.method)).toEqual([
    'server/discover',
    'tools/call',
    'ping',
  ])
  // A cancelled request gets no answer.
  expect(bridge.messages().filter(({ id }) => id === 1)).toEqual([])
})

test('the very first request can be cancelled too, and holds nothing up', async () => {
  let closed = false
  const server = await startMcpServer({
    'tools/call': (_seen, response) => void response.on('close', () => (closed = true)),
  })
  const bridge = startModern(server.url)
  bridge.write(request(1, 'tools/call', { name: 'x' }))
  bridge.write(request(2, 'ping'))
  await bridge.answer(2)
  bridge.write({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } })
  await expect.poll(() => closed).toBe(true)
  expect(server.seen).toHaveLength(2)
})

test('a server that knows neither era nor transport is told apart once initialize comes', async () => {
  const server = await startSseServer()
  const bridge = startBridge(server.url)
  bridge.write(request(1, 'server/discover'))
  expect(await bridge.answer(1)).toMatchObject({ error: { code: -32601 } })
  bridge.write(initialize(2))
  expect(await bridge.answer(2)).toMatchObject({ result: { protocolVersion: '2024-11-05' } })
  bridge.write({ jsonrpc: '2.0', id: 3, method: 'ping' })
  expect(await bridge.answer(3)).toMatchObject({ result: {} })
  expect(server.seen.filter(({ method }) => method === 'GET')).toHaveLength(1)
})

test('a stream that is cut costs an error: nothing is resumed and nothing sent again', async () => {
  const server = await startMcpServer({
    'tools/call': (_seen, response) => {
      stream(response, event({ jsonrpc: '2.0', method: 'notifications/progress' }, 'id-1'))
      setImmediate(() => response.socket?.resetAndDestroy())
    },
  })
  const bridge = startModern(server.url)
  bridge.write(request(1, 'tools/call', { name: 'x' }))
  expect(await bridge.answer(1)).toMatchObject({
    error: { code: -31001, data: { phase: 'stream' } },
  })
  expect(server.seen).toHaveLength(1)
})

test('subscriptions/listen stays open beside everything else, until it is cancelled', async () => {
  let listening: ServerResponse | undefined
  let closed = false
  const ids = { 'io.modelcontextprotocol/subscriptionId': 'L' }
  const acknowledged = {
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: { _meta: ids },
  }
  const server = await startMcpServer({
    'subscriptions/listen': (_seen, response) => {
      listening = response
      response.on('close', () => (closed = true))
      stream(response, event(acknowledged))
    },
  })
  const bridge = startModern(server.url)
  // As the very first message: nothing else may wait for its end.
  bridge.write(request('L', 'subscriptions/listen', { notifications: { toolsListChanged: true } }))
  bridge.write(request(1, 'tools/list'))
  await bridge.answer(1)
  const changed = {
    jsonrpc: '2.0',
    method: 'notifications/tools/list_changed',
    params: { _meta: ids },
  }
  listening?.write(`: keep-alive\n\n${event(changed)}`)
  await bridge.message(({ method }) => method === changed.method)
  const notes = (): Message[] => bridge.messages().filter(({ method }) => method !== undefined)
  expect(notes()).toEqual([acknowledged, changed])
  bridge.write({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'L' } })
  await expect.poll(() => closed).toBe(true)
  expect(server.seen).toHaveLength(2)
})

test('a subscription that the server ends is answered with its result', async () => {
  const server = await startMcpServer({
    'subscriptions/listen': (seen, response) => {
      stream(response, event(result(seen, { resultType: 'complete' })))
      response.end()
    },
  })
  const bridge = startModern(server.url)
  bridge.write(request('L', 'subscriptions/listen'))
  expect(await bridge.answer('L')).toMatchObject({ result: { resultType: 'complete' } })
})

test('a notification of the stateless era carries the version and its method', async () => {
  const server = await startMcpServer()
  const bridge = startModern(server.url)
  bridge.write(request(1, 'server/discover'))
  await bridge.answer(1)
  bridge.write({ jsonrpc: '2.0', method: 'notifications/own' })
  await expect.poll(() => server.seen.length).toBe(2)
  expect(mcpHeaders(server.seen[1]!)).toEqual({
    'mcp-protocol-version': VERSION,
    'mcp-method': 'notifications/own',
  })
})
