import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { answerIds, type BridgeProcess, initialize, startBridge } from '../support/bridge.ts'
import { json } from '../support/http-server.ts'
import { type Behaviour, event, refuse, result, stream } from '../support/mcp-server.ts'
import { GONE, type SessionServer, startSessionServer } from '../support/session-server.ts'
import { type SseServer, startSseServer } from '../support/sse-server.ts'

/** What becomes of messages that meet a session which is lost or is being replaced. */

const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' }
const CHANGED = { jsonrpc: '2.0', method: 'notifications/roots/list_changed' }

const call = (id: number): object => ({ jsonrpc: '2.0', id, method: 'tools/call', params: {} })
const ping = (id: number): object => ({ jsonrpc: '2.0', id, method: 'ping' })
const cancel = (requestId: number): object => ({
  jsonrpc: '2.0',
  method: 'notifications/cancelled',
  params: { requestId },
})

/** A server without a stream of its own: only messages can find out that their session is lost. */
function startQuiet(behaviour: Behaviour = {}): Promise<SessionServer> {
  return startSessionServer({ behaviour: { GET: refuse(405, 'text/plain', ''), ...behaviour } })
}

async function ready(url: string, ...args: string[]): Promise<BridgeProcess> {
  const bridge = startBridge(url, { args })
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write(INITIALIZED)
  return bridge
}

/** Its host, once the server has refused the stream: from then on nothing asks but the host. */
async function readyQuiet(server: SessionServer): Promise<BridgeProcess> {
  const bridge = await ready(server.url)
  await expect.poll(() => server.inSession('session-1')).toContain('GET')
  return bridge
}

/** Holds the second session up until it is released. */
function secondHeld(): { behaviour: Behaviour; release: () => void; isHeld: () => boolean } {
  let held: ServerResponse | undefined
  let count = 0
  return {
    behaviour: {
      'notifications/initialized': (_request, response) => {
        if (++count === 2) held = response
        else response.writeHead(202).end()
      },
    },
    isHeld: () => held !== undefined,
    release: () => void held?.writeHead(202).end(),
  }
}

/** Makes a call that finds the session lost, and one that waits for the next; both are cancelled meanwhile. */
async function cancelWhileHeld(
  bridge: BridgeProcess,
  gate: ReturnType<typeof secondHeld>,
): Promise<void> {
  bridge.write(call(1))
  await expect.poll(gate.isHeld).toBe(true)
  bridge.write(call(2))
  bridge.write(cancel(1))
  bridge.write(cancel(2))
  bridge.write('not JSON, which is answered at once')
  await bridge.message(({ error }) => error !== undefined)
  bridge.write(ping(3))
  gate.release()
  await bridge.answer(3)
  expect(answerIds(bridge.messages())).toEqual([0, null, 3])
}

test('a notification that finds the session lost is sent in the next one', async () => {
  const server = await startQuiet()
  const bridge = await readyQuiet(server)
  server.forget()
  bridge.write(CHANGED)
  const notifications = (): string[] =>
    server.inSession('session-2').filter((method) => method.startsWith('notifications/'))
  await expect.poll(notifications).toEqual([INITIALIZED.method, CHANGED.method])
  expect(bridge.stderr()).toBe('')
})

test('notifications/initialized that finds the session lost is said once in the next one', async () => {
  const server = await startQuiet()
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  await bridge.answer(0)
  server.forget()
  bridge.write(INITIALIZED)
  bridge.write(ping(1))
  await bridge.answer(1)
  expect(server.opened).toHaveLength(2)
  const said = server.inSession('session-2').filter((method) => method === INITIALIZED.method)
  expect(said).toHaveLength(1)
})

test.each([
  { what: 'an answer', message: { jsonrpc: '2.0', id: 7, result: { roots: [] } } },
  { what: 'a cancellation', message: cancel(1) },
])('$what that finds the session lost is not said in the next one', async ({ message }) => {
  const server = await startQuiet({
    'tools/call': (_request, response) =>
      stream(response, event({ jsonrpc: '2.0', id: 7, method: 'roots/list' })),
  })
  const bridge = await readyQuiet(server)
  bridge.write(call(1))
  await bridge.message(({ method }) => method === 'roots/list')
  server.forget()
  const before = server.seen.length
  bridge.write(message)
  await expect.poll(() => server.opened.length).toBe(2)
  bridge.write(ping(2))
  await bridge.answer(2)
  const said = server.seen.slice(before).filter((seen) => seen.body.toString().includes('"ping"'))
  expect(said).toHaveLength(1)
  const again = server.seen
    .slice(before)
    .filter((seen) => seen.body.toString() === JSON.stringify(message))
  expect(again.map(({ headers }) => headers['mcp-session-id'])).toEqual(['session-1'])
})

test('a request that is cancelled while the session is replaced does not reach the new one', async () => {
  const gate = secondHeld()
  const server: SessionServer = await startQuiet(gate.behaviour)
  const bridge = await readyQuiet(server)
  server.forget()
  await cancelWhileHeld(bridge, gate)
  const calls = server.seen.filter(({ message }) => message?.method === 'tools/call')
  expect(calls.map(({ headers }) => headers['mcp-session-id'])).toEqual(['session-1'])
})

test.each([
  { what: 'a session that is lost again', refused: GONE, sessions: 2 },
  { what: 'a refusal', refused: refuse(403, 'text/plain', 'no'), sessions: 1 },
])('a notification that meets $what is given up, and said so', async ({ refused, sessions }) => {
  const server = await startQuiet({ [CHANGED.method]: refused })
  const bridge = await readyQuiet(server)
  bridge.write(CHANGED)
  await expect.poll(() => bridge.stderr()).toContain(CHANGED.method)
  bridge.write(ping(1))
  await bridge.answer(1)
  expect(server.opened).toHaveLength(sessions)
})

test('what the server says beside its answer to a replayed request reaches the host', async () => {
  const note = { jsonrpc: '2.0', method: 'notifications/message', params: { data: 'replayed' } }
  const server = await startQuiet({
    'logging/setLevel': (request, response) => {
      if (server.opened.length === 1) return json(response, result(request))
      stream(response, event(note), event(result(request)))
      return void response.end()
    },
  })
  const bridge = await readyQuiet(server)
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'logging/setLevel', params: { level: 'info' } })
  await bridge.answer(1)
  server.forget()
  bridge.write(ping(2))
  await bridge.answer(2)
  await bridge.message(({ method }) => method === note.method)
  expect(answerIds(bridge.messages())).toEqual([0, 1, 2])
})

test('a new session that does not take notifications/initialized is no session', async () => {
  const server: SessionServer = await startQuiet({
    [INITIALIZED.method]: (request, response) => {
      const status = server.opened.length === 1 ? 202 : 422
      return refuse(status, 'text/plain', '')(request, response)
    },
  })
  const bridge = await readyQuiet(server)
  server.forget()
  bridge.write(ping(1))
  const { error } = await bridge.answer(1)
  expect(error?.message).toMatch(/lost the session; no new one: .* answered 422/)
})

test('a ping that finds the session lost replaces it; one that is refused otherwise does not', async () => {
  let refused = 0
  const server: SessionServer = await startQuiet({
    ping: (request, response) => {
      refused++
      return refuse(500, 'text/plain', '')(request, response)
    },
  })
  const bridge = startBridge(server.url, { args: ['--ping-interval', '100ms'] })
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write(INITIALIZED)
  await expect.poll(() => refused).toBeGreaterThan(1)
  expect(server.opened).toHaveLength(1)
  server.forget()
  await expect.poll(() => server.inSession('session-2')).toContain(INITIALIZED.method)
})

test('HTTP+SSE: messages that find the session lost together share the next one', async () => {
  const server: SseServer = await startSseServer({
    'tools/call': (request, response) => {
      if (server.streams.length === 1) {
        return refuse(404, 'text/plain', 'Could not find session')(request, response)
      }
      response.writeHead(202).end()
      server.say(result(request))
      return undefined
    },
  })
  const bridge = await ready(server.url, '--transport', 'sse')
  const ids = [1, 2, 3]
  for (const id of ids) bridge.write(call(id))
  for (const id of ids) expect(await bridge.answer(id)).toMatchObject({ result: {} })
  expect(server.streams).toHaveLength(2)
})

test.each([
  { what: 'An answer', message: { jsonrpc: '2.0', id: 7, result: { roots: [] } }, sent: 1 },
  { what: 'A notification', message: CHANGED, sent: 2 },
])('HTTP+SSE: $what that finds the session lost is sent $sent times', async (row) => {
  let lost = true
  const once: Behaviour[string] = (request, response) => {
    if (!lost) return void response.writeHead(202).end()
    lost = false
    return refuse(404, 'text/plain', 'Could not find session')(request, response)
  }
  const server = await startSseServer({ response: once, [CHANGED.method]: once })
  const bridge = await ready(server.url, '--transport', 'sse')
  server.say({ jsonrpc: '2.0', id: 7, method: 'roots/list' })
  await bridge.message(({ method }) => method === 'roots/list')
  bridge.write(row.message)
  await expect.poll(() => server.streams.length).toBe(2)
  bridge.write(ping(1))
  await bridge.answer(1)
  const sent = server.seen.filter((seen) => seen.body.toString() === JSON.stringify(row.message))
  expect(sent).toHaveLength(row.sent)
})

test.each<{ when: string; late: (response: ServerResponse) => unknown }>([
  { when: 'never', late: () => undefined },
  { when: 'after its stream has ended', late: (response) => response.writeHead(202).end() },
])('HTTP+SSE: a call that is accepted $when gets an error', async ({ late }) => {
  let posted: ServerResponse | undefined
  const server = await startSseServer({
    'tools/call': (_request, response) => {
      posted = response
    },
  })
  const bridge = await ready(server.url, '--transport', 'sse')
  bridge.write(call(1))
  await expect.poll(() => posted).toBeDefined()
  server.streams[0]!.end()
  await expect.poll(() => server.streams.length).toBe(2)
  late(posted!)
  const { error } = await bridge.answer(1)
  expect(error).toMatchObject({ code: -31001 })
})

test('HTTP+SSE: a request that is cancelled while the session is replaced is not sent in it', async () => {
  const gate = secondHeld()
  let lost = true
  const server: SseServer = await startSseServer({
    ...gate.behaviour,
    'tools/call': (request, response) => {
      if (lost) {
        lost = false
        return refuse(404, 'text/plain', 'Could not find session')(request, response)
      }
      return json(response, {}, { status: 202 })
    },
  })
  const bridge = await ready(server.url, '--transport', 'sse')
  await cancelWhileHeld(bridge, gate)
  const calls = server.seen.filter(({ message }) => message?.method === 'tools/call')
  expect(calls).toHaveLength(1)
})
