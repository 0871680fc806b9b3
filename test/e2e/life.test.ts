import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { constants } from 'node:os'
import { expect, onTestFinished, test } from 'vitest'
import { answerIds, type BridgeProcess, initialize, startBridge } from '../support/bridge.ts'
import { json, type TestServer } from '../support/http-server.ts'
import { deletions, event, result, SESSION, startMcpServer, stream } from '../support/mcp-server.ts'
import { atThisPace } from '../support/pace.ts'
import { until } from '../support/until.ts'

const require = createRequire(import.meta.url)
const ready = require.resolve('../support/preload/ready.cjs')

/** The limits that hosts may rely on. */
const EXIT_AFTER_INPUT_MS = 1_500
const EXIT_AFTER_SIGNAL_MS = 2_000

/** A bridge that has its session. */
async function connected(server: TestServer, args: readonly string[] = []): Promise<BridgeProcess> {
  const bridge = startBridge(server.url, { args })
  bridge.write(initialize(0))
  await bridge.answer(0)
  return bridge
}

test('printf … | bridge url prints all its answers', async () => {
  let slowest = 0
  const server = await startMcpServer({
    'tools/call': (request, response) => {
      slowest += 100
      setTimeout(() => json(response, result(request)), slowest)
    },
  })
  const bridge = startBridge(server.url)
  const call = (id: number): string => JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call' })
  const note = '{"jsonrpc":"2.0","method":"notifications/initialized"}'
  const lines = [JSON.stringify(initialize(0)), note, call(1), call(2), call(3)]
  bridge.child.stdin.end(lines.join('\n'))
  expect(await bridge.exit()).toEqual({ code: 0, signal: null })
  expect(answerIds(bridge.messages()).sort()).toEqual([0, 1, 2, 3])
  for (const { error } of bridge.messages()) expect(error).toBeUndefined()
  expect(deletions(server)).toBe(1)
})

test('an idle bridge exits at once when stdin ends, and deletes its session', async () => {
  const server = await startMcpServer()
  const bridge = await connected(server)
  bridge.end()
  expect(await bridge.exit(1_000)).toEqual({ code: 0, signal: null })
  expect(deletions(server)).toBe(1)
})

test('a last notification arrives before the session ends', async () => {
  let arrived = false
  const server = await startMcpServer({
    'notifications/last': (_request, response) => {
      setTimeout(() => {
        arrived = true
        response.writeHead(202).end()
      }, 150) // sooner than a second try would come
    },
    DELETE: (_request, response) => void response.writeHead(arrived ? 204 : 500).end(),
  })
  const bridge = await connected(server)
  bridge.write({ jsonrpc: '2.0', method: 'notifications/last' })
  bridge.end()
  await bridge.exit()
  expect(arrived).toBe(true)
  expect(server.seen.map(({ method }) => method)).toEqual(['POST', 'POST', 'DELETE'])
})

test('a request that is never answered holds the end of input for a second only', async () => {
  const server = await startMcpServer({ 'tools/call': () => {} })
  const bridge = await connected(server)
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call' })
  await expect.poll(() => server.seen.length).toBe(2)
  const since = Date.now()
  bridge.end()
  expect(await bridge.exit()).toEqual({ code: 0, signal: null })
  expect(Date.now() - since).toBeLessThan(await atThisPace(EXIT_AFTER_INPUT_MS))
  expect(await bridge.answer(1)).toMatchObject({ error: { data: { phase: 'shutdown' } } })
  expect(deletions(server)).toBe(1)
})

test.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
  ['SIGHUP', 129],
] as const)('%s ends the bridge with exit code %i', async (signal, code) => {
  const server = await startMcpServer({
    GET: (_request, response) => stream(response, ': open\n\n'),
  })
  const bridge = await connected(server)
  bridge.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
  await expect.poll(() => server.seen.at(-1)?.method).toBe('GET')
  bridge.child.kill(signal)
  expect(await bridge.exit(EXIT_AFTER_SIGNAL_MS)).toEqual({ code, signal: null })
  expect(deletions(server)).toBe(1)
})

test('a host that no longer reads ends the bridge', async () => {
  const server = await startMcpServer({
    GET: (_request, response) => {
      stream(response)
      const timer = setInterval(() => {
        response.write(event({ jsonrpc: '2.0', method: 'notifications/x' }))
      }, 10)
      response.on('close', () => clearInterval(timer))
    },
  })
  const bridge = await connected(server)
  bridge.child.stdout.destroy()
  bridge.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
  await until('the end of the bridge', () => bridge.child.exitCode !== null, {
    ms: EXIT_AFTER_SIGNAL_MS,
  })
  expect(bridge.child.exitCode).toBe(0)
  expect(deletions(server)).toBe(1)
})

test('a signal ends the bridge also while the host does not read', async () => {
  const server = await startMcpServer({
    'tools/call': (request, response) => {
      json(response, result(request, { big: 'x'.repeat(8 * 1024 * 1024) }))
    },
  })
  const bridge = await connected(server)
  bridge.child.stdout.pause()
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call' })
  await expect.poll(() => server.seen.length).toBe(2)
  bridge.child.kill('SIGTERM')
  await until('the end of the bridge', () => bridge.child.exitCode !== null, {
    ms: EXIT_AFTER_SIGNAL_MS,
  })
  expect(bridge.child.exitCode).toBe(143)
  expect(deletions(server)).toBe(1)
})

test('a session whose initialize is not answered yet is deleted too', async () => {
  const server = await startMcpServer({
    initialize: (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'mcp-session-id': SESSION })
      response.write(': working\n\n')
    },
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  await expect.poll(() => server.seen.length).toBe(1)
  bridge.end()
  expect(await bridge.exit()).toEqual({ code: 0, signal: null })
  expect(answerIds(bridge.messages())).toEqual([0])
  expect(deletions(server)).toBe(1)
})

test('a server that hangs on DELETE does not hold the end', async () => {
  const server = await startMcpServer({ DELETE: () => {} })
  const bridge = await connected(server)
  bridge.end()
  expect(await bridge.exit(EXIT_AFTER_INPUT_MS)).toEqual({ code: 0, signal: null })
  expect(deletions(server)).toBe(1)
})

/** Servers that leave a request hanging somewhere on its way. */
const HANGS: readonly { name: string; url: () => Promise<string> }[] = [
  { name: 'while nothing listens', url: async () => `http://127.0.0.1:${await closedPort()}/mcp` },
  {
    name: 'while the server hangs before headers',
    url: async () => (await startMcpServer({ initialize: () => {} })).url,
  },
  {
    name: 'during a TLS handshake that never ends',
    url: async () => `https://127.0.0.1:${await silentPort()}/mcp`,
  },
  {
    name: 'during a TCP connect that never ends',
    url: async () => `http://127.0.0.1:${await fullPort()}/mcp`,
  },
]

test.each(
  HANGS.flatMap((hang) => [
    { ...hang, args: [] },
    { ...hang, name: `${hang.name} (HTTP+SSE)`, args: ['--transport', 'sse'] },
  ]),
)('the bridge goes with its host $name', async ({ url, args }) => {
  const target = await url()
  for (const how of ['end', 'SIGTERM'] as const) {
    const bridge = startBridge(target, { args, nodeArgs: ['--require', ready] })
    bridge.write(initialize(0))
    bridge.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
    bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
    await until('the start of the bridge', () => bridge.stderr().includes('ready'))
    const since = Date.now()
    if (how === 'end') bridge.end()
    else bridge.child.kill(how)
    const code = how === 'end' ? 0 : 143
    expect(await bridge.exit()).toEqual({ code, signal: null })
    expect(Date.now() - since).toBeLessThan(await atThisPace(EXIT_AFTER_INPUT_MS))
    expect(answerIds(bridge.messages())).toEqual([0, 1])
  }
})

test.each([0, 5, 10, 20, 40, 80, 160])('a signal %i ms after the start ends it', async (ms) => {
  const server = await startMcpServer()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    const bridge = startBridge(server.url)
    bridge.write(initialize(0))
    await new Promise((resolve) => {
      setTimeout(resolve, ms)
    })
    bridge.child.kill(signal)
    const ended = await bridge.exit(EXIT_AFTER_SIGNAL_MS)
    // Before the first instruction it is the system that ends the process.
    expect([ended.signal, ended.code]).toContain(
      ended.signal === null ? 128 + constants.signals[signal] : signal,
    )
  }
  const sessions = server.seen.filter(({ method }) => method === 'POST').length
  expect(deletions(server)).toBeLessThanOrEqual(sessions)
})

test('a host that closes stdin at once gets an exit at once', async () => {
  const server = await startMcpServer()
  const bridge = startBridge(server.url)
  bridge.end()
  expect(await bridge.exit()).toEqual({ code: 0, signal: null })
  expect(server.seen).toHaveLength(0)
  expect(bridge.lines).toHaveLength(0)
})

/** A port where nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A port that accepts connections and never says anything. */
async function silentPort(): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** A port whose queue of connections is full: the system leaves every further one waiting. */
async function fullPort(): Promise<number> {
  const script =
    "require('net').createServer().listen({port:0,host:'127.0.0.1',backlog:1},function(){console.log(this.address().port)})"
  const listener = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const sockets: Socket[] = []
  onTestFinished(() => {
    listener.kill('SIGKILL')
    for (const socket of sockets) socket.destroy()
  })
  const [chunk] = (await once(listener.stdout, 'data')) as [Buffer]
  const port = Number(chunk.toString())
  listener.kill('SIGSTOP') // it never accepts; the system fills the queue
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    sockets.push(socket)
    const accepted = await Promise.race([
      once(socket, 'connect').then(() => true),
      new Promise((resolve) => {
        setTimeout(resolve, 300, false)
      }),
    ])
    if (accepted === false) return port
  }
}
