import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorker, type RunningWorker } from '../dev/serve.mjs'
import { connectV2 } from './support/clients.ts'
import { eventsOf, messagesIn, openSession, readEvents, rpc } from './support/raw.ts'
import { until } from './support/until.ts'

let worker: RunningWorker
let mcp: string
beforeAll(async () => {
  worker = await startWorker({ flavour: 'public' })
  mcp = `${worker.url}/mcp`
})
afterAll(() => worker.stop())

const hook = async (path: string) => {
  const response = await fetch(`${worker.url}/__test/${path}`, { method: 'POST' })
  expect(response.ok).toBe(true)
  return response.json()
}

const callTool = (id: number, name: string, args: unknown = {}, meta: unknown = {}) =>
  rpc(id, 'tools/call', { name, arguments: args, _meta: meta })

describe('eviction', () => {
  test('a session goes on where it was', async () => {
    const client = await connectV2(mcp, 'legacy')
    await hook('evict')
    const answer = await client.callTool({ name: 'whoami', arguments: {} })
    expect(answer.structuredContent).toMatchObject({ session: true, era: 'legacy' })
    await client.close()
  })

  test('the log level survives', async () => {
    const session = await openSession(mcp)
    await (await session.post(rpc(1, 'logging/setLevel', { level: 'error' }))).text()
    await hook(`evict?session=${session.id}`)
    const events = messagesIn(await readEvents(await session.post(callTool(2, 'log'))))
    const levels = events.flatMap(({ method, params }) =>
      method === 'notifications/message' ? [(params as { level: string }).level] : [],
    )
    expect(levels).toEqual(['error', 'critical', 'alert', 'emergency'])
  })

  test('an event that was stored before is replayed after', async () => {
    const session = await openSession(mcp)
    const events = await readEvents(
      await session.post(callTool(1, 'progress', { steps: 3 }, { progressToken: 9 })),
    )
    expect(messagesIn(events).map(({ method, id }) => method ?? id)).toEqual([
      'notifications/progress',
      'notifications/progress',
      'notifications/progress',
      1,
    ])
    await hook(`evict?session=${session.id}`)
    const resumed = await session.get({ 'last-event-id': events[1]?.id ?? '' })
    const replayed = messagesIn(await readEvents(resumed))
    expect(replayed).toEqual(messagesIn(events).slice(1))
  })

  test('a call that ran gets an error on the resumed stream', async () => {
    const session = await openSession(mcp)
    const response = await session.post(callTool(5, 'sleep', { ms: 60_000 }))
    const [priming] = await readEvents(response, 1)
    expect(priming).toMatchObject({ data: '', id: expect.any(String) })
    await hook(`evict?session=${session.id}`)
    const resumed = await session.get({ 'last-event-id': priming?.id ?? '' })
    expect(messagesIn(await readEvents(resumed))).toEqual([
      {
        jsonrpc: '2.0',
        id: 5,
        error: { code: -32603, message: expect.stringContaining('interrupted') },
      },
    ])
  })
})

describe('resumption', () => {
  test('a stream that was dropped goes on with what followed', async () => {
    const session = await openSession(mcp)
    const response = await session.post(callTool(1, 'sleep', { ms: 300 }))
    const before = await readEvents(response, 1)
    await hook(`drop-streams?session=${session.id}`)
    const resumed = await session.get({ 'last-event-id': before[0]?.id ?? '' })
    const messages = messagesIn(await readEvents(resumed))
    expect(messages).toMatchObject([{ id: 1, result: { structuredContent: { slept_ms: 300 } } }])
  })

  test('a large result comes back whole', async () => {
    const session = await openSession(mcp)
    const events = await readEvents(await session.post(callTool(1, 'big', { bytes: 5_000_000 })))
    await hook(`evict?session=${session.id}`)
    const resumed = await session.get({ 'last-event-id': events[0]?.id ?? '' })
    expect(messagesIn(await readEvents(resumed))).toEqual(messagesIn(events))
  })

  test('what is kept has a bound: the oldest events go first', async () => {
    const session = await openSession(mcp)
    const results = []
    for (const id of [1, 2, 3]) {
      results.push(await readEvents(await session.post(callTool(id, 'big', { bytes: 7_000_000 }))))
    }
    const statuses = []
    for (const [priming] of results) {
      const resumed = await session.get({ 'last-event-id': priming?.id ?? '' })
      statuses.push(resumed.status)
      await resumed.body?.cancel()
    }
    expect(statuses).toEqual([400, 200, 200])
  })

  test('a client that lost its stream and comes back gets the stream, not a conflict', async () => {
    const session = await openSession(mcp)
    const first = await session.get()
    const second = await session.get()
    expect(second.status).toBe(200)
    await hook('list-changed?kind=tools')
    const [event] = messagesIn(await readEvents(second, 1))
    expect(event).toMatchObject({ method: 'notifications/tools/list_changed' })
    expect(await readEvents(first)).toEqual([])
  })

  test('a call’s stream that the server believes in is taken over by the client’s new one', async () => {
    const session = await openSession(mcp)
    const old = eventsOf(await session.post(callTool(1, 'sleep', { ms: 500 })))
    const priming = await old.next()
    const resumed = await session.get({ 'last-event-id': priming?.id ?? '' })
    expect(resumed.status).toBe(200)
    expect(await old.next()).toBeUndefined()
    expect(messagesIn(await readEvents(resumed))).toMatchObject([{ id: 1, result: {} }])
  })

  test('asking again for a finished call leaves the stream for notifications alone', async () => {
    const session = await openSession(mcp)
    const [priming] = await readEvents(await session.post(callTool(1, 'whoami')))
    const notifications = eventsOf(await session.get())
    const replayed = await session.get({ 'last-event-id': priming?.id ?? '' })
    expect(messagesIn(await readEvents(replayed))).toMatchObject([{ id: 1, result: {} }])
    await hook('list-changed?kind=tools')
    expect((await notifications.next())?.data).toContain('notifications/tools/list_changed')
    await notifications.cancel()
  })

  test('an unknown event id is refused', async () => {
    const session = await openSession(mcp)
    const response = await session.get({ 'last-event-id': '4711' })
    expect(response.status).toBe(400)
  })

  test('the SDK client resumes by itself when its call’s stream is dropped', async () => {
    const client = await connectV2(mcp, 'legacy')
    const call = client.callTool({ name: 'sleep', arguments: { ms: 700 } })
    await until('call runs', () =>
      worker.logs.some(({ event, rpc: method }) => event === 'rpc' && method === 'tools/call'),
    )
    await hook('drop-streams')
    expect((await call).structuredContent).toEqual({ slept_ms: 700 })
    await client.close()
  })
})

describe('end', () => {
  test('an initialize that is refused begins no session', async () => {
    const headers = { 'content-type': 'application/json', accept: 'application/json' }
    const body = rpc(1, 'initialize', {})
    const response = await fetch(mcp, { method: 'POST', headers, body })
    expect(response.status).toBe(406)
    const seen = (await hook('sessions')) as string[]
    const id = seen.at(-1) ?? ''
    const again = await fetch(mcp, {
      method: 'POST',
      headers: { ...headers, 'mcp-session-id': id },
      body,
    })
    expect(again.status).toBe(404)
  })

  test('an expired session is a 404, and the client may start anew', async () => {
    const session = await openSession(mcp)
    await hook(`expire?session=${session.id}`)
    const response = await session.post(rpc(1, 'ping'))
    expect(response.status).toBe(404)
    await openSession(mcp)
  })

  test('a session nobody uses expires by its alarm', async () => {
    const brief = await startWorker({ flavour: 'public', vars: { SESSION_TTL_S: '1' } })
    const session = await openSession(`${brief.url}/mcp`)
    expect((await session.post(rpc(1, 'ping'))).status).toBe(200)
    await until('expiry logged', () =>
      brief.logs.find(({ event, reason }) => event === 'session_ended' && reason === 'expired'),
    )
    expect((await session.post(rpc(2, 'ping'))).status).toBe(404)
    await brief.stop()
  })

  test('expiry ends the open stream', async () => {
    const session = await openSession(mcp)
    const stream = await session.get()
    await hook(`expire?session=${session.id}`)
    expect(await readEvents(stream)).toEqual([])
  })
})

describe('cancellation', () => {
  const cancelled = () =>
    worker.logs.filter(({ tool, outcome }) => tool === 'sleep' && outcome === 'cancelled').length

  test('a notification cancels a call of a session', async () => {
    const before = cancelled()
    const session = await openSession(mcp)
    const response = await session.post(callTool(3, 'sleep', { ms: 60_000 }))
    const notice = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 3 } }
    expect((await session.post(JSON.stringify(notice))).status).toBe(202)
    await until('cancelled', () => cancelled() > before)
    await response.body?.cancel()
  })

  test('in the modern era, leaving cancels the call', async () => {
    const before = cancelled()
    const client = await connectV2(mcp, 'modern')
    const leave = new AbortController()
    const call = client.callTool(
      { name: 'sleep', arguments: { ms: 60_000 } },
      { signal: leave.signal, onprogress: () => leave.abort() },
    )
    await expect(call).rejects.toThrow(/abort/i)
    await until('cancelled', () => cancelled() > before)
    await client.close()
  })
})
