import { expect, test } from 'vitest'
import type { HttpSend } from '../../src/http/client.ts'
import { MAX_RESUMES_WITHOUT_PROGRESS } from '../../src/limits.ts'
import { event, result, startMcpServer, stream } from '../support/mcp-server.ts'
import { INITIALIZE, openHost } from '../support/remote.ts'

test('the stream of a call is read on when the server is there again', async () => {
  const first = await startMcpServer({
    'tools/call': (_request, response) => stream(response, `retry: 10\n${event({}, 'a')}`),
  })
  let refused = 0
  const counting =
    (next: HttpSend): HttpSend =>
    (request) =>
      next(request).catch((error: unknown) => {
        refused++
        throw error
      })
  const host = await openHost(first.url, { wrap: counting })
  await host.ask(0, 'initialize', INITIALIZE)
  host.write({ id: 1, method: 'tools/call', params: { name: 'slow' } })
  await expect.poll(() => first.seen.at(-1)?.message?.method).toBe('tools/call')
  await first.close()
  // A server that restarts is away for longer than a stream that does not go on is asked for.
  await expect.poll(() => refused).toBeGreaterThan(MAX_RESUMES_WITHOUT_PROGRESS)
  const { port } = new URL(first.url)
  const second = await startMcpServer(
    { GET: (_request, response) => stream(response, event({ id: 1, result: { done: true } })) },
    { port: Number(port) },
  )
  expect(await host.answer(1)).toMatchObject({ result: { done: true } })
  expect(second.seen.map(({ headers }) => headers['last-event-id'])).toEqual(['a'])
})

test('the stream of a call that is cancelled meanwhile is not read on', async () => {
  const server = await startMcpServer({
    'tools/call': ({ message }, response) => {
      stream(response, `retry: 100\n${event({}, `of ${String(message?.id)}`)}`)
      response.end()
    },
    GET: (request, response) => {
      const last = request.headers['last-event-id']
      if (last === undefined) return void response.writeHead(405).end()
      stream(response, event(result({ ...request, message: { id: 2 } })))
    },
  })
  const host = await openHost(server.url)
  await host.ask(0, 'initialize', INITIALIZE)
  for (const id of [1, 2]) host.write({ id, method: 'tools/call' })
  host.write({ method: 'notifications/cancelled', params: { requestId: 1 } })
  expect(await host.answer(2)).toMatchObject({ result: {} })
  const resumed = server.seen.map(({ headers }) => headers['last-event-id'])
  expect(resumed.filter((id) => id !== undefined)).toEqual(['of 2'])
})
