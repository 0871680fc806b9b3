import { expect, test } from 'vitest'
import { type BridgeProcess, initialize, startBridge } from '../support/bridge.ts'
import { json } from '../support/http-server.ts'
import { result, startMcpServer } from '../support/mcp-server.ts'
import { startSseServer } from '../support/sse-server.ts'
import { until } from '../support/until.ts'

const COUNT = 10_000
const REQUESTS = Array.from({ length: COUNT }, (_, id) => ({ jsonrpc: '2.0', id, method: 'x/y' }))

/** From now on the host takes a piece, does something else for a while, and takes the next one. */
function readSlowly({ child: { stdout } }: BridgeProcess, pauseMs: number): void {
  stdout.on('data', () => {
    stdout.pause()
    setTimeout(() => stdout.resume(), pauseMs)
  })
}

/** Every open request has been answered, each of them once. */
function expectAnswers(bridge: BridgeProcess): void {
  const messages = bridge.messages().filter(({ id }) => id !== 'first')
  expect(messages).toHaveLength(COUNT)
  expect(new Set(messages.map(({ id }) => id)).size).toBe(COUNT)
  for (const { error } of messages) expect(error?.data).toMatchObject({ phase: 'shutdown' })
}

test('SIGTERM: a slow host gets the errors of all its 10,000 open requests', async () => {
  let held = 0
  // Accepted and never answered: what is open needs no connection each.
  const server = await startSseServer({
    'x/y': (_request, response) => {
      held++
      response.writeHead(202).end()
    },
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize('first'))
  await bridge.answer('first')
  for (const request of REQUESTS) bridge.write(request)
  await until('all requests at the server', () => held === COUNT, { ms: 50_000 })
  readSlowly(bridge, 25)
  bridge.child.kill('SIGTERM')
  expect(await bridge.exit()).toEqual({ code: 143, signal: null })
  expectAnswers(bridge)
})

test('end of input: a slow host gets the errors of a batch of 10,000 requests', async () => {
  let held = 0
  const server = await startMcpServer({
    initialize: (request, response) => {
      const serverInfo = { name: 'test-server', version: '1' }
      const said = { protocolVersion: '2025-03-26', capabilities: {}, serverInfo }
      json(response, result(request, said))
    },
    // A batch is no single message, and so no request with a method.
    response: () => void held++,
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize('first', '2025-03-26'))
  await bridge.answer('first')
  bridge.write(JSON.stringify(REQUESTS))
  await until('the batch at the server', () => held === 1)
  readSlowly(bridge, 25)
  bridge.end()
  expect(await bridge.exit()).toEqual({ code: 0, signal: null })
  expectAnswers(bridge)
})
