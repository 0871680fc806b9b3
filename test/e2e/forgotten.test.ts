import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { initialize, startBridge } from '../support/bridge.ts'
import { startSessionServer } from '../support/session-server.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

test('a router that forgets costs a list a moment and no failure, and the stream is opened again', async () => {
  const server = await startSessionServer()
  const router = await startTcpProxy(Number(new URL(server.url).port))
  const bridge = startBridge(`http://127.0.0.1:${router.port}/mcp`)
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
  await expect.poll(() => server.streams.size).toBe(1)
  const stream = server.streams.get('session-1')
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
  await bridge.answer(1)
  // Idle for long enough to be doubted.
  await sleep(100)
  router.forget()
  bridge.write({ jsonrpc: '2.0', id: 2, method: 'tools/list' })
  expect(await bridge.answer(2)).toHaveProperty('result')
  await expect
    .poll(() => server.streams.get('session-1') !== stream, { timeout: 10_000 })
    .toBe(true)
  expect(bridge.stderr()).toBe('')
})
