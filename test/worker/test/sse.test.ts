import { afterAll, beforeAll, expect, test } from 'vitest'
import { startWorker, type RunningWorker } from '../dev/serve.mjs'
import { eventsOf, postHeaders, rpc } from './support/raw.ts'
import { until } from './support/until.ts'

let worker: RunningWorker
beforeAll(async () => {
  worker = await startWorker({ flavour: 'public' })
})
afterAll(() => worker.stop())

const initialize = rpc(1, 'initialize', {
  protocolVersion: '2024-11-05',
  capabilities: {},
  clientInfo: { name: 'raw', version: '1' },
})

async function openStream() {
  const stream = await fetch(`${worker.url}/sse`, { headers: { accept: 'text/event-stream' } })
  expect(stream.headers.get('content-type')).toBe('text/event-stream')
  const events = eventsOf(stream)
  const endpoint = await events.next()
  expect(endpoint?.event).toBe('endpoint')
  return { events, url: new URL(endpoint?.data ?? '', worker.url) }
}

const post = (url: URL, body: string) => fetch(url, { method: 'POST', headers: postHeaders, body })

test('the stream names the address to post to, and carries the answers', async () => {
  const { events, url } = await openStream()
  expect(url.pathname).toBe('/sse/message')
  const accepted = await post(url, initialize)
  expect(accepted.status).toBe(202)
  const answer = await events.next()
  expect(answer?.event).toBe('message')
  expect(JSON.parse(answer?.data ?? '')).toMatchObject({
    id: 1,
    result: { protocolVersion: '2024-11-05' },
  })
  await events.cancel()
})

test('a message that is no JSON-RPC is refused', async () => {
  const { events, url } = await openStream()
  expect((await post(url, '{"hello":1}')).status).toBe(400)
  expect((await post(url, '{')).status).toBe(400)
  await events.cancel()
})

test('when the client leaves, the session ends', async () => {
  const { events, url } = await openStream()
  await post(url, initialize)
  await events.next()
  await events.cancel()
  await until('gone', async () => (await post(url, rpc(2, 'ping'))).status === 404)
  const ended = await until('log line', () => worker.logs.find(({ reason }) => reason === 'closed'))
  expect(ended).toMatchObject({ event: 'session_ended' })
})

test.each(['evict', 'expire', 'drop-streams'])('after %s the session is gone', async (hook) => {
  const { events, url } = await openStream()
  const session = url.searchParams.get('sessionId') ?? ''
  await fetch(`${worker.url}/__test/${hook}?session=${session}`, { method: 'POST' })
  expect((await post(url, initialize)).status).toBe(404)
  // Whether the stream ends in order or is cut is the runtime's affair: it must end.
  expect(await events.next().catch(() => undefined)).toBeUndefined()
})
