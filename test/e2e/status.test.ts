import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { initialize, startBridge } from '../support/bridge.ts'
import { startSessionServer } from '../support/session-server.ts'
import { until } from '../support/until.ts'

const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' }

test('the state of the link is told on request and kept in a private file, without secrets', async () => {
  const server = await startSessionServer({
    behaviour: { 'tools/call': () => {} },
  })
  const bridge = startBridge(`${server.url}?key=secret`)
  const folder = join(bridge.home, 'cache', 'running')
  // What a bridge that was killed has left; no process has this id (proc(5), pid_max).
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(join(folder, '4194305.json'), '{}')
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write(INITIALIZED)
  await expect.poll(() => server.streams.size).toBe(1)
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call' })
  server.forget()
  await expect.poll(() => server.streams.size, { timeout: 5_000 }).toBe(1)
  const state = await bridge.state('"stream.opened":2')
  expect(state).toMatchObject({
    server: server.url,
    connectedSince: expect.any(String) as string,
    transport: { what: 'chosen', transport: 'http' },
    session: { what: 'reopened', session: expect.stringMatching(/^[\da-f]{8}$/) as string },
    stream: { what: 'opened' },
    lastHttpStatus: 200,
    counts: { 'session.lost': 1, 'session.opened': 1, 'session.reopened': 1 },
  })
  const file = join(folder, `${bridge.child.pid}.json`)
  const text = await until('the file', () => {
    const now = existsSync(file) && readFileSync(file, 'utf8')
    return now && now.includes('reopened') ? now : undefined
  })
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(Object.keys(JSON.parse(text) as object)).toEqual(
    expect.arrayContaining(Object.keys(state)),
  )
  for (const told of [text, bridge.stderr()]) expect(told).not.toMatch(/session-\d|secret/)
  await expect.poll(() => readdirSync(folder)).toEqual([`${bridge.child.pid}.json`])
  bridge.end()
  await bridge.exit()
  expect(readdirSync(folder)).toEqual([])
})
