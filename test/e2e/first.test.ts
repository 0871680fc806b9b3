import { expect, test } from 'vitest'
import { initialize, startBridge } from '../support/bridge.ts'
import { initializeResult, json, startServer } from '../support/http-server.ts'

test('a request comes back with its answer', async () => {
  const server = await startServer((request, response) => {
    json(response, initializeResult(request.message?.id))
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  expect(await bridge.answer(0)).toMatchObject({ result: { protocolVersion: '2025-11-25' } })
  bridge.end()
  expect(await bridge.exit()).toEqual({ code: 0, signal: null })
  expect(server.seen).toHaveLength(1)
})
