import { afterEach, expect, test, vi } from 'vitest'
import { noAuthorizer } from '../../src/auth/index.ts'
import type { HttpSend } from '../../src/http/client.ts'
import { withAuth } from '../../src/http/with-auth.ts'
import { REOPEN_MAX_MS } from '../../src/limits.ts'
import { json } from '../support/http-server.ts'
import {
  event,
  type Handler,
  refuse,
  reset,
  result,
  startMcpServer,
  stream,
} from '../support/mcp-server.ts'
import { modern, openHost, type RemoteHost } from '../support/remote.ts'

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged'
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId'
const FILTER = { toolsListChanged: true }

afterEach(() => void vi.useRealTimers())

/** A subscription that the server acknowledges, with this filter. */
const acknowledge =
  (notifications: object | undefined): Handler =>
  ({ message }, response) => {
    const params = {
      ...(notifications && { notifications }),
      _meta: { [SUBSCRIPTION]: message?.id },
    }
    stream(response, event({ jsonrpc: '2.0', method: ACKNOWLEDGED, params }))
  }

/** One that is over at once, as the connection is. */
const cutOff: Handler = (request, response) => {
  void acknowledge(FILTER)(request, response)
  response.end()
}

/** A sign-in that ends with this. */
const failing =
  (message: string) =>
  (next: HttpSend): HttpSend =>
    withAuth(
      { ...noAuthorizer(), renew: () => Promise.resolve({ ok: false, hint: undefined, message }) },
      next,
    )

/** A server that treats the requests for a subscription so, one after the other, and its host. */
async function subscribed(handlers: readonly Handler[], signIn?: string) {
  let asked = 0
  const server = await startMcpServer({
    'subscriptions/listen': (request, response) => handlers[asked++]!(request, response),
  })
  const host = await openHost(server.url, signIn === undefined ? {} : { wrap: failing(signIn) })
  host.write({ id: 1, method: 'subscriptions/listen', params: modern({ notifications: FILTER }) })
  return { server, host, asked: () => asked }
}

const methods = ({ said }: RemoteHost) => said.map(({ method }) => method ?? 'answer')

test.each<{ name: string; refusal: Handler; sees: object; signIn?: string }>([
  {
    name: 'an error of its own',
    refusal: ({ message }, response) => {
      const error = { code: -32000, message: 'No more.' }
      json(response, { jsonrpc: '2.0', id: message?.id, error }, { status: 400 })
    },
    sees: { code: -32000, message: 'No more.' },
  },
  {
    name: 'a refusal',
    refusal: refuse(404, 'text/plain', 'gone'),
    sees: { code: -31001, data: { phase: 'response', httpStatus: 404 } },
  },
  {
    name: 'something that is no stream',
    refusal: refuse(200, 'application/json', '{}'),
    sees: { code: -31001, data: { phase: 'response', httpStatus: 200 } },
  },
  {
    name: 'a sign-in that nobody makes',
    refusal: refuse(401, 'text/plain', ''),
    signIn: 'You did not agree.',
    sees: { code: -31001, message: 'You did not agree.', data: { phase: 'authorization' } },
  },
])('a broken subscription that meets $name is over', async ({ refusal, sees, signIn }) => {
  const { host } = await subscribed([cutOff, refusal], signIn)
  expect((await host.answer(1)).error).toMatchObject(sees)
  await expect
    .poll(() => methods(host))
    .toEqual([ACKNOWLEDGED, 'answer', 'notifications/cancelled'])
})

test.each<{ name: string; fault: Handler }>([
  { name: 'fails', fault: refuse(500, 'text/plain', '') },
  { name: 'takes too long', fault: refuse(408, 'text/plain', '') },
  { name: 'is asked too often', fault: refuse(429, 'text/plain', '', { 'retry-after': '60' }) },
  { name: 'cuts the connection', fault: (_request, response) => reset(response) },
])('a broken subscription is opened again although the server $name', async ({ fault }) => {
  const ends: Handler = (request, response) => {
    void acknowledge(FILTER)(request, response)
    response.end(event(result(request)))
  }
  const { host, asked } = await subscribed([cutOff, fault, fault, ends])
  expect(await host.answer(1)).toMatchObject({ result: {} })
  expect(methods(host)).toEqual([ACKNOWLEDGED, 'notifications/tools/list_changed', 'answer'])
  expect(asked()).toBe(4)
})

test('a subscription that is acknowledged again without a filter announces nothing', async () => {
  const { host } = await subscribed([cutOff, acknowledge(undefined)])
  await host.changed('stream', 'reopened')
  expect(await host.ask(2, 'ping')).toMatchObject({ result: {} })
  expect(methods(host)).toEqual([ACKNOWLEDGED, 'answer'])
})

test('a subscription that held for a while is opened again soon, whatever was before', async () => {
  let end = (): void => {}
  const steady: Handler = (request, response) => {
    end = () => void response.end()
    void acknowledge(FILTER)(request, response)
  }
  const { host, asked } = await subscribed([
    cutOff,
    ...Array.from({ length: 4 }, () => refuse(500, 'text/plain', '')),
    steady,
    acknowledge(FILTER),
  ])
  await host.changed('stream', 'reopened')
  await expect.poll(() => methods(host)).toHaveLength(2)
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + REOPEN_MAX_MS + 1 })
  const since = performance.now()
  end()
  await vi.waitUntil(() => asked() === 7, { timeout: 20_000, interval: 10 })
  // The sixth pause in a row has 1.6 s at least, the first 0.1 s at most.
  expect(performance.now() - since).toBeLessThan(1_500)
})
