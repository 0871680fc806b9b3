import type { ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { initialize, type Message, startBridge } from '../support/bridge.ts'
import { event, startMcpServer, stream } from '../support/mcp-server.ts'

const SAMPLING = 'sampling/createMessage'

/** The answers of the host that reached the server. */
function answersOf(server: {
  readonly seen: readonly { readonly message: Message | undefined }[]
}) {
  return server.seen
    .map(({ message }) => message)
    .filter((message) => message !== undefined && message.method === undefined)
}

/** A server that asks the host these requests while it works on `tools/call`. */
function askingServer(...asked: object[]) {
  return startMcpServer({
    'tools/call': (_request, response) => stream(response, ...asked.map((one) => event(one))),
  })
}

test('a request of the server gets the one answer of the host, byte for byte', async () => {
  const server = await askingServer({ jsonrpc: '2.0', id: 's1', method: SAMPLING, params: {} })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call' })
  await bridge.message(({ method }) => method === SAMPLING)
  const answer = '{"id":"s1", "jsonrpc":"2.0","result":{"n":1.0}}'
  bridge.write(answer)
  bridge.write('{"jsonrpc":"2.0","id":"s1","result":{"second":true}}')
  bridge.write('{"jsonrpc":"2.0","id":"never-asked","result":{}}')
  bridge.write({ jsonrpc: '2.0', id: 2, method: 'ping' })
  await bridge.answer(2)
  expect(answersOf(server)).toHaveLength(1)
  expect(server.seen.find(({ message }) => message?.id === 's1')?.body.toString()).toBe(answer)
  expect(bridge.stderr()).toContain('never-asked')
})

test('ids of the server and of the host do not get in each other’s way', async () => {
  const server = await askingServer({ jsonrpc: '2.0', id: 1, method: 'roots/list' })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call' })
  await bridge.message(({ method }) => method === 'roots/list')
  bridge.write({ jsonrpc: '2.0', id: 1, result: { roots: [] } })
  await expect.poll(() => answersOf(server).length).toBe(1)
  bridge.end()
  await bridge.exit()
  // The host's own request 1 is still open when the bridge ends.
  expect(await bridge.answer(1)).toMatchObject({ error: { data: { phase: 'shutdown' } } })
})

test('a second open request of the server with the same id is refused, the first one counts', async () => {
  const first = { jsonrpc: '2.0', id: 5, method: SAMPLING, params: { n: 1 } }
  const server = await askingServer(first, { ...first, params: { n: 2 } })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call' })
  await expect.poll(() => answersOf(server)).toMatchObject([{ id: 5, error: { code: -32600 } }])
  bridge.write({ jsonrpc: '2.0', id: 5, result: {} })
  await expect.poll(() => answersOf(server)).toMatchObject([{ error: {} }, { id: 5, result: {} }])
  expect(bridge.messages().filter(({ method }) => method === SAMPLING)).toEqual([first])
})

test.each(['SIGTERM', 'SIGHUP', 'end of input'] as const)(
  'an open request of the server is answered when the host goes: %s',
  async (how) => {
    const server = await askingServer({ jsonrpc: '2.0', id: 's1', method: SAMPLING })
    const bridge = startBridge(server.url)
    bridge.write(initialize(0))
    await bridge.answer(0)
    bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call' })
    await bridge.message(({ method }) => method === SAMPLING)
    if (how === 'end of input') bridge.end()
    else bridge.child.kill(how)
    await bridge.exit()
    const data = { phase: 'shutdown' }
    expect(answersOf(server)).toMatchObject([{ id: 's1', error: { code: -31001, data } }])
    // The session ends after the answer.
    expect(server.seen.at(-1)?.method).toBe('DELETE')
  },
)

test('a server that hangs on the last answers still gets its session deleted', async () => {
  const server = await startMcpServer({
    'tools/call': (_request, response) => {
      stream(response, event({ jsonrpc: '2.0', id: 's1', method: SAMPLING }))
    },
    response: () => {},
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call' })
  await bridge.message(({ method }) => method === SAMPLING)
  bridge.child.kill('SIGTERM')
  expect(await bridge.exit(2_000)).toEqual({ code: 143, signal: null })
  expect(server.seen.at(-1)?.method).toBe('DELETE')
})

test('the first call reaches a server that asks over its own stream when that is open', async () => {
  let own: ServerResponse | undefined
  const server = await startMcpServer({
    // As slow as a new connection through a far proxy: calls on the old one are faster.
    GET: async (_request, response) => {
      await setTimeout(100)
      stream(response)
      own = response
    },
    'tools/call': (_request, response) => {
      own?.write(event({ jsonrpc: '2.0', id: 's1', method: 'elicitation/create', params: {} }))
      stream(response)
    },
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
  await bridge.answer(1)
  expect(own).toBeUndefined() // a list does not wait
  bridge.write({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'ask' } })
  await bridge.message(({ method }) => method === 'elicitation/create')
})

test('a server that answers the request for its stream with its first message only is called all the same', async () => {
  const server = await startMcpServer({ GET: () => {} })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'any' } })
  expect(await bridge.answer(1)).toMatchObject({ result: {} })
})
