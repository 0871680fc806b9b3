import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type BridgeProcess, initialize, startBridge } from '../support/bridge.ts'
import { type Handler, startMcpServer, stream } from '../support/mcp-server.ts'
import { until } from '../support/until.ts'

const MIB = 1024 * 1024

/** A figure of the bridge's own process in bytes (Linux, proc_pid_status(5)). */
function memory(bridge: BridgeProcess, figure: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${bridge.child.pid}/status`, 'utf8')
  return Number(new RegExp(`^${figure}:\\s+(\\d+) kB$`, 'm').exec(status)![1]) * 1024
}

/** A bridge that has said hello. */
async function greeted(url: string): Promise<BridgeProcess> {
  const bridge = startBridge(url)
  bridge.write(initialize('first'))
  await bridge.answer('first')
  return bridge
}

const PUSHED = 20_000
const NOTIFICATION = Buffer.from(
  `data: {"jsonrpc":"2.0","method":"notifications/message","params":{"data":"${'x'.repeat(10_000)}"}}\n\n`,
)

/** Pushes 200 MB as fast as the bridge takes them. */
async function push(response: ServerResponse): Promise<void> {
  stream(response)
  for (let i = 0; i < PUSHED; i++) if (!response.write(NOTIFICATION)) await once(response, 'drain')
}

const pushers: [string, Record<string, Handler>][] = [
  ['the GET stream', { GET: (_request, response) => push(response) }],
  [
    'the stream of a request',
    {
      'tools/call': async (request, response) => {
        await push(response)
        response.end(`data: {"jsonrpc":"2.0","id":${String(request.message?.id)},"result":{}}\n\n`)
      },
    },
  ],
]

test.each(pushers)(
  'a host that does not read for 5 s stops a server that pushes 200 MB on %s',
  async (_, behaviour) => {
    const server = await startMcpServer(behaviour)
    const bridge = await greeted(server.url)
    const before = memory(bridge, 'VmRSS')
    bridge.child.stdout.pause()
    bridge.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
    bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'talk' } })
    await sleep(5_000) // the length of the silence is what is tested
    expect(memory(bridge, 'VmHWM') - before).toBeLessThan(64 * MIB)
    bridge.child.stdout.resume()
    // Both answers and everything that was pushed.
    await until('everything pushed', () => bridge.lines.length === PUSHED + 2, { ms: 40_000 })
  },
)

/** A message of exactly this size around a long string. */
function message(size: number, head: string, tail: string): Buffer {
  const text = Buffer.alloc(size, 'x')
  text.write(head)
  text.write(tail, size - tail.length)
  return text
}

const results: [string, (response: ServerResponse, result: Buffer) => void][] = [
  [
    'JSON',
    (response, result) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(result)
    },
  ],
  [
    'an event',
    (response, result) => {
      stream(response, 'data: ')
      response.write(result)
      response.end('\n\n')
    },
  ],
]

test.each(results)('a result of 128 MiB as %s needs 2.5 times that at most', async (_, respond) => {
  const size = 128 * MIB
  const result = message(size, '{"jsonrpc":"2.0","id":1,"result":{"text":"', '"}}')
  const server = await startMcpServer({
    'tools/call': (_request, response) => respond(response, result),
  })
  const bridge = await greeted(server.url)
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'big' } })
  await until('the result', () => bridge.lines.length === 2, { ms: 40_000 })
  expect(bridge.lines[1]!.equals(result)).toBe(true)
  expect(memory(bridge, 'VmHWM')).toBeLessThan(2.5 * size)
})

test('a request of 64 MiB needs 2.5 times that at most', async () => {
  const size = 64 * MIB
  const request = message(
    size,
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"text":"',
    '"}}',
  )
  const server = await startMcpServer()
  const bridge = await greeted(server.url)
  bridge.write(request)
  await until('the answer', () => bridge.lines.length === 2, { ms: 40_000 })
  expect(server.seen.at(-1)!.body.equals(request)).toBe(true)
  expect(memory(bridge, 'VmHWM')).toBeLessThan(2.5 * size)
})
