import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { startWorker, type RunningWorker } from '../dev/serve.mjs'
import { withGateway } from '../src/gateway.ts'
import type { Env } from '../src/env.ts'
import { eventsOf, messagesIn, openSession, postHeaders, readEvents, rpc } from './support/raw.ts'

let worker: RunningWorker
let mcp: string
beforeAll(async () => {
  worker = await startWorker({ flavour: 'public' })
  mcp = `${worker.url}/mcp`
})
afterAll(() => worker.stop())

const hook = (path: string) => fetch(`${worker.url}/__test/${path}`, { method: 'POST' })
beforeEach(async () => {
  await hook('reset')
})

const ask = (body = rpc(1, 'tools/list'), path = '/mcp') =>
  fetch(worker.url + path, { method: 'POST', headers: postHeaders, body })
const statuses = async (times: number) => {
  const list: number[] = []
  for (let index = 0; index < times; index += 1) list.push((await ask()).status)
  return list
}

describe('fail', () => {
  test.each([
    ['401', { 'www-authenticate': 'Bearer error="invalid_token"' }],
    ['403', {}],
    ['404', {}],
    ['429', { 'retry-after': '1' }],
    ['500', {}],
    ['503', { 'retry-after': '1' }],
  ])('%s for the next two requests, then all is well', async (code, headers) => {
    await hook(`fail?with=${code}&next=2`)
    const first = await ask()
    expect(first.status).toBe(Number(code))
    expect(Object.fromEntries(first.headers)).toMatchObject(headers)
    expect(await statuses(2)).toEqual([Number(code), 200])
  })

  test('several orders are served one after the other', async () => {
    await hook('fail?with=500')
    await hook('fail?with=429')
    expect(await statuses(3)).toEqual([500, 429, 200])
  })

  test('an order may be for one path, one verb or one JSON-RPC method', async () => {
    await hook('fail?with=503&path=/stateless/mcp')
    await hook('fail?with=500&rpc=tools/call')
    await hook('fail?with=404&verb=GET')
    expect((await ask()).status).toBe(200)
    expect((await ask(rpc(1, 'tools/list'), '/stateless/mcp')).status).toBe(503)
    expect((await ask(rpc(2, 'tools/call', { name: 'whoami' }))).status).toBe(500)
    expect((await fetch(mcp)).status).toBe(404)
    expect((await fetch(mcp)).status).toBe(405)
  })

  test('slow waits, then answers', async () => {
    await hook('fail?with=slow&ms=300')
    const started = Date.now()
    expect((await ask()).status).toBe(200)
    expect(Date.now() - started).toBeGreaterThanOrEqual(300)
  })

  test('cut does the work and loses the answer; the session has it', async () => {
    const session = await openSession(mcp)
    await hook('fail?with=cut&rpc=tools/call')
    const response = await session.post(rpc(4, 'tools/call', { name: 'whoami', arguments: {} }))
    const events = eventsOf(response)
    const priming = await events.next()
    expect(priming?.id).toBeDefined()
    await expect(events.next()).rejects.toThrow(/terminated/)
    const resumed = await session.get({ 'last-event-id': priming?.id ?? '' })
    expect(messagesIn(await readEvents(resumed))).toMatchObject([{ id: 4, result: {} }])
  })

  test('cut loses half of a plain answer', async () => {
    await hook('fail?with=cut')
    await expect(ask().then((response) => response.text())).rejects.toThrow(
      /terminated|fetch failed/,
    )
  })

  test.each([
    'fail?with=418',
    'fail?with=500&next=0',
    'fail?with=500&next=many',
    'list-changed?kind=all',
    'nonsense',
  ])('%s is refused', async (path) => {
    expect((await hook(path)).status).toBe(400)
  })
})

test('sessions that were seen are listed', async () => {
  const { id } = await openSession(mcp)
  expect(await (await hook('sessions')).json()).toContain(id)
})

describe('are impossible', () => {
  const names = [
    'evict',
    'expire',
    'drop-streams',
    'fail?with=500',
    'list-changed',
    'sessions',
    'reset',
  ]

  test('where TEST_HOOKS is not 1', async () => {
    const closed = await startWorker({ flavour: 'public', vars: { TEST_HOOKS: undefined } })
    for (const name of names) {
      const response = await fetch(`${closed.url}/__test/${name}`, { method: 'POST' })
      expect(response.status).toBe(404)
    }
    await closed.stop()
  })

  test('outside loopback, even with TEST_HOOKS=1', async () => {
    vi.spyOn(console, 'info').mockImplementation(() => undefined)
    const env = { TEST_HOOKS: '1', RATE_LIMITER: { limit: async () => ({ success: true }) } }
    const handler = withGateway(async () => new Response('the handler'), {
      flavour: 'public',
      hooks: { mine: async () => new Response('a hook') },
    })
    for (const name of [...names, 'mine']) {
      const request = new Request(`https://mcp.example.com/__test/${name}`, { method: 'POST' })
      const response = await handler(request, env as unknown as Env, {} as ExecutionContext)
      expect(await response.text()).toBe('the handler')
    }
    vi.restoreAllMocks()
  })
})
