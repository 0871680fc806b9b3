import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type BridgeProcess, initialize, startBridge } from '../support/bridge.ts'
import { startMcpServer } from '../support/mcp-server.ts'
import { until } from '../support/until.ts'

const MIB = 1024 * 1024

/** Resident memory of the bridge's process in bytes (Linux, proc_pid_status(5)). */
function resident(bridge: BridgeProcess): number {
  const status = readFileSync(`/proc/${bridge.child.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1024
}

test('1,000 requests in flight at a server that never answers are each answered when it goes', async () => {
  let held = 0
  const server = await startMcpServer({ 'tools/call': () => void held++ })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  await bridge.answer(0)
  const count = 1_000
  const lines = Array.from({ length: count }, (_, index) =>
    JSON.stringify({ jsonrpc: '2.0', id: index + 1, method: 'tools/call' }),
  )
  bridge.write(lines.join('\n'))
  await until('all requests', () => held === count, { ms: 30_000 })
  expect(resident(bridge)).toBeLessThan(400 * MIB)
  await server.close()
  await until('all answers', () => bridge.lines.length === count + 1)
  const ids = new Set(bridge.messages().map(({ id }) => id))
  expect(ids.size).toBe(count + 1)
})

test('what goes through leaves nothing behind', async () => {
  const server = await startMcpServer()
  const bridge = startBridge(server.url)
  bridge.write(initialize('first'))
  await bridge.answer('first')
  let sent = 0
  const round = async (count: number): Promise<number> => {
    const from = sent
    sent += count
    for (let at = from; at < sent; at += 50) {
      const lines = Array.from({ length: 50 }, (_, index) =>
        JSON.stringify({ jsonrpc: '2.0', id: at + index, method: 'tools/call', params: {} }),
      )
      bridge.write(lines.join('\n'))
      await until('the answers', () => bridge.lines.length === at + 51)
    }
    return resident(bridge)
  }
  const warm = await round(8_000)
  expect((await round(4_000)) - warm).toBeLessThan(15 * MIB)
})
