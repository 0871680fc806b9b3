import { expect, test } from 'vitest'
import { stubBrowser, visit } from '../auth/browser-stub.ts'
import { startOidcWorld } from '../auth/oidc.ts'
import { initialize, startBridge } from '../support/bridge.ts'

test('A-04: a person signs in, and the request that waited gets its answer', async () => {
  const world = await startOidcWorld()
  const browser = stubBrowser()
  const bridge = startBridge(world.mcp.url, { env: browser.env })
  bridge.write(initialize(0))
  const link = await browser.opened()
  expect(bridge.stderr()).toContain(link)
  const page = await visit(link)
  expect(page.status).toBe(200)
  expect(await bridge.answer(0)).toMatchObject({ result: { protocolVersion: '2025-11-25' } })
  expect(browser.calls()).toEqual([[link]])
  bridge.end()
  expect(await bridge.exit()).toEqual({ code: 0, signal: null })
})
