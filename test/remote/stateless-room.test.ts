import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Delivery, Outcome, Remote, RemoteEvents } from '../../src/channel.ts'
import { RelayError } from '../../src/errors.ts'
import { type Frame, readFrame } from '../../src/frame.ts'
import { INITIALIZE_PATIENCE_MS, LIST_PATIENCE_MS } from '../../src/limits.ts'
import { withSignIn } from '../../src/remote/signing-in.ts'
// Here, so that it is there at once when it is wanted.
import '../../src/era/modern-to-legacy/results.ts'
import type { Message } from '../support/bridge.ts'
import { keptLog } from '../support/log.ts'

const LINK = 'https://as.example/authorize?x=1'
const MODERN = '2026-07-28'
const META = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientCapabilities': {},
}
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId'

// The answers are a chunk of their own: their arrival is real.
const toFake = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] as const
beforeEach(() => void vi.useFakeTimers({ toFake: [...toFake] }))
afterEach(() => void vi.useRealTimers())

function request(id: unknown, method: string, params: object = {}): Frame {
  return readFrame(
    JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta: META } }),
  )!
}

/** Time passes, and everything that it brings about has happened. */
async function pass(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

/** A server that answers when the test says so, behind the waiting room; somebody has to sign in. */
function setUp() {
  const sent: { frame: Frame; settle(outcome: Outcome): void; fail(error: Error): void }[] = []
  const said: Message[] = []
  const outcomes: string[] = []
  const log = keptLog()
  let events: RemoteEvents | undefined
  let pending: { link: string } | undefined = { link: LINK }
  let started: Promise<void> = Promise.resolve()
  const inner: Remote = {
    send(frame): Delivery {
      const done = new Promise<Outcome>((settle, fail) => sent.push({ frame, settle, fail }))
      return { started, done }
    },
    acceptsBatches: () => false,
    close: () => Promise.resolve(),
  }
  const remote = withSignIn(
    (given) => {
      events = given
      return inner
    },
    {
      host: 'mcp.example',
      events: {
        frame(frame) {
          said.push(JSON.parse(Buffer.concat([...frame.chunks]).toString('utf8')) as Message)
          return undefined
        },
        lost: () => {},
        forgotten: () => {},
      },
      log,
      pending: () => pending,
      remembered: () => undefined,
      remember: () => {},
    },
  )
  return {
    said,
    outcomes,
    log,
    /** What is at the server, by id and method. */
    wire: () => sent.map(({ frame }) => `${frame.id ?? ''} ${frame.method}`),
    async send(frame: Frame): Promise<void> {
      remote.send(frame).done.then(
        (outcome) => outcomes.push(`${frame.id} ${outcome}`),
        (error: Error) => outcomes.push(`${frame.id} ${error.message}`),
      )
      await pass()
    },
    /** The server answers a request that has reached it. */
    async answer(id: string, result: object) {
      const text = JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(id) as unknown, result })
      void events!.frame(readFrame(text)!, id)
      sent.findLast(({ frame }) => frame.id === id)!.settle('complete')
      await pass()
    },
    /** The server says something; `owner` is the request in whose response it does. */
    async say(message: object, owner?: string) {
      void events!.frame(readFrame(JSON.stringify({ jsonrpc: '2.0', ...message }))!, owner)
      await pass()
    },
    /** The answer to a request that has reached the server will come on a stream of all of them. */
    async accept(id: string) {
      sent.findLast(({ frame }) => frame.id === id)!.settle('elsewhere')
      await pass()
    },
    async fail(id: string, error: Error) {
      sent.findLast(({ frame }) => frame.id === id)!.fail(error)
      await pass()
    },
    /** What is sent from now on is not on the wire before this settles. */
    startsAfter(wait: Promise<void>) {
      started = wait
    },
    signInIs(link: string | undefined) {
      pending = link === undefined ? undefined : { link }
    },
    /** The person has signed in, and it is noticed. */
    async signedIn() {
      pending = undefined
      await pass(500)
    },
  }
}

function cancellation(requestId: unknown): Frame {
  const params = { requestId }
  return readFrame(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params }))!
}

/** A host that has asked for the versions before anybody knew that a sign-in is needed. */
async function waiting() {
  const all = setUp()
  all.signInIs(undefined)
  await all.send(request(1, 'server/discover'))
  all.signInIs(LINK)
  await pass(INITIALIZE_PATIENCE_MS + 500)
  return all
}

test('server/discover is answered with the link, and the server’s own answer is kept back', async () => {
  const { said, wire, answer, outcomes, log } = await waiting()
  expect(said).toMatchObject([
    {
      id: 1,
      result: {
        resultType: 'complete',
        supportedVersions: [MODERN],
        capabilities: { tools: { listChanged: true } },
        ttlMs: 0,
        cacheScope: 'private',
        _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'mcp.example' } },
      },
    },
  ])
  expect(said[0]!.result!['instructions']).toContain(LINK)
  expect(log.lines).toEqual([expect.stringContaining('waits for a sign-in')])
  expect(outcomes).toEqual(['1 complete'])
  await answer('1', { supportedVersions: [MODERN] })
  expect(said).toHaveLength(1)
  expect(wire()).toEqual(['1 server/discover'])
})

test('the tool with the link is there at once, a list after a while', async () => {
  const { said, send, wire } = await waiting()
  await send(request(2, 'tools/list'))
  await send(request(3, 'tools/call', { name: 'sign_in' }))
  await send(request(4, 'tools/call', { name: 'real' }))
  expect(said[1]).toMatchObject({ id: 3, result: { resultType: 'complete', isError: false } })
  expect(JSON.stringify(said[1]!.result)).toContain(LINK)
  await pass(LIST_PATIENCE_MS - 1_000)
  expect(said).toHaveLength(2)
  await pass(2_000)
  expect(said[2]).toMatchObject({
    id: 2,
    result: { tools: [{ name: 'sign_in' }], ttlMs: 0, resultType: 'complete' },
  })
  expect(said[3]).toMatchObject({ id: 4, error: { data: { phase: 'authorization' } } })
  expect(wire()).toEqual(['1 server/discover'])
})

test('what waits is sent in order once the person has signed in', async () => {
  const { said, send, wire, signedIn, answer } = await waiting()
  await send(request(2, 'tools/call', { name: 'a' }))
  await send(request(3, 'tools/call', { name: 'b' }))
  await signedIn()
  expect(wire()).toEqual(['1 server/discover', '2 tools/call', '3 tools/call'])
  await answer('2', { content: [] })
  expect(said.map(({ id }) => id)).toEqual([1, 2])
  await send(request(4, 'tools/list'))
  expect(wire()).toHaveLength(4)
})

test('what waits is sent in order although the first of it is slow to start', async () => {
  const { send, wire, signedIn, startsAfter } = await waiting()
  await send(request(2, 'tools/call', { name: 'a' }))
  await send(request(3, 'tools/call', { name: 'b' }))
  let start = (): void => {}
  startsAfter(new Promise((resolve) => (start = resolve)))
  await signedIn()
  await pass(2_000)
  expect(wire()).toEqual(['1 server/discover', '2 tools/call'])
  start()
  await pass()
  expect(wire()).toEqual(['1 server/discover', '2 tools/call', '3 tools/call'])
})

test('a notification that is no cancellation does not wait', async () => {
  const { send, wire } = await waiting()
  await send(readFrame('{"jsonrpc":"2.0","method":"notifications/x"}')!)
  expect(wire()).toEqual(['1 server/discover', ' notifications/x'])
})

test('a subscription is acknowledged at once, and tells of the sign-in', async () => {
  const { said, send, wire, signedIn, say } = await waiting()
  const notifications = { toolsListChanged: true, promptsListChanged: true }
  await send(request(2, 'subscriptions/listen', { notifications }))
  const acknowledged = 'notifications/subscriptions/acknowledged'
  expect(said[1]).toMatchObject({
    method: acknowledged,
    params: { notifications, _meta: { [SUBSCRIPTION]: 2 } },
  })
  await signedIn()
  expect(wire()).toEqual(['1 server/discover', '2 subscriptions/listen'])
  const params = { notifications: { toolsListChanged: true }, _meta: { [SUBSCRIPTION]: 2 } }
  await say({ method: acknowledged, params })
  expect(said.slice(2)).toEqual([
    {
      jsonrpc: '2.0',
      method: 'notifications/tools/list_changed',
      params: { _meta: { [SUBSCRIPTION]: 2 } },
    },
  ])
})

test('a subscription to nothing is acknowledged as one, whatever the server says', async () => {
  const { said, send, signedIn, say } = await waiting()
  await send(request(2, 'subscriptions/listen'))
  const acknowledged = 'notifications/subscriptions/acknowledged'
  expect(said[1]).toMatchObject({ method: acknowledged, params: { notifications: {} } })
  await signedIn()
  await say({ method: acknowledged, params: { _meta: { [SUBSCRIPTION]: 2 } } })
  expect(said).toHaveLength(2)
})

test('a subscription that the server acknowledges shows that nobody has to sign in', async () => {
  const { said, send, signInIs, say, wire } = setUp()
  signInIs(undefined)
  await send(request(1, 'subscriptions/listen', { notifications: { toolsListChanged: true } }))
  const params = { notifications: { toolsListChanged: true }, _meta: { [SUBSCRIPTION]: 1 } }
  await say({ method: 'notifications/subscriptions/acknowledged', params })
  expect(said).toMatchObject([{ params }])
  // Another sign-in, for one operation, holds nothing else up.
  signInIs(LINK)
  await send(request(2, 'tools/list'))
  expect(wire()).toEqual(['1 subscriptions/listen', '2 tools/list'])
})

test('a subscription outlasts the patience of its request', async () => {
  const all = await waiting()
  all.signInIs(undefined)
  await all.send(request(2, 'subscriptions/listen', { notifications: { toolsListChanged: true } }))
  all.signInIs(LINK)
  expect(all.wire()).toHaveLength(2)
  await all.fail('2', new RelayError('sign in', { phase: 'authorization' }))
  expect(all.outcomes).toEqual(['1 complete'])
  expect(all.said[1]).toMatchObject({ method: 'notifications/subscriptions/acknowledged' })
  await all.signedIn()
  expect(all.wire()).toHaveLength(3)
})

test('requests that were under way are answered as well, under whatever the sign-in ends with', async () => {
  const all = setUp()
  all.signInIs(undefined)
  await all.send(request(1, 'tools/list'))
  await all.send(request(2, 'resources/read', { uri: 'a://b' }))
  all.signInIs(LINK)
  await all.fail('2', new RelayError('sign in', { phase: 'authorization' }))
  expect(all.said[0]).toMatchObject({ id: 2, error: { data: { phase: 'authorization' } } })
  await pass(LIST_PATIENCE_MS + 500)
  expect(all.said[1]).toMatchObject({ id: 1, result: { tools: [{ name: 'sign_in' }] } })
  await all.fail('1', new RelayError('declined', { phase: 'authorization' }))
  expect(all.outcomes).toEqual(['2 complete', '1 complete'])
})

test('a sign-in that failed is tried again by the tool', async () => {
  const all = await waiting()
  all.signInIs(undefined)
  await all.fail('1', new RelayError('declined', { phase: 'authorization' }))
  await all.send(request(2, 'tools/call', { name: 'sign_in' }))
  expect(all.wire()).toEqual(['1 server/discover', '2 tools/call'])
  all.signInIs('https://as.example/again')
  await pass(500)
  expect(JSON.stringify(all.said.at(-1))).toContain('https://as.example/again')
  expect(all.outcomes).toEqual(['1 complete', '2 complete'])
})

test('what is cancelled while it waits is never sent', async () => {
  const { send, wire, signedIn, said } = await waiting()
  await send(request(2, 'tools/call', { name: 'a' }))
  await send(request(3, 'subscriptions/listen', { notifications: { toolsListChanged: true } }))
  await send(cancellation(2))
  await send(cancellation(3))
  await signedIn()
  expect(wire()).toEqual(['1 server/discover'])
  expect(said).toHaveLength(2)
})

test('a cancellation that crosses the answer in the server’s place stays here', async () => {
  const { send, wire } = await waiting()
  await send(cancellation(1))
  expect(wire()).toEqual(['1 server/discover'])
})

test('an answer under another id is that of the request in whose response it comes', async () => {
  const { said, say } = await waiting()
  await say({ id: 98, result: {} })
  expect(said[1]).toMatchObject({ id: 98 })
  await say({ id: 99, result: { supportedVersions: [MODERN] } }, '1')
  expect(said).toHaveLength(2)
})

test('an id that is used again waits until the answer before it is out of the way', async () => {
  const { send, wire, signedIn, accept, answer, said } = await waiting()
  await send(request(1, 'tools/list'))
  await signedIn()
  await accept('1')
  expect(wire()).toEqual(['1 server/discover'])
  await answer('1', { supportedVersions: [MODERN] })
  expect(wire()).toEqual(['1 server/discover', '1 tools/list'])
  await answer('1', { tools: [] })
  expect(said[1]).toEqual({ jsonrpc: '2.0', id: 1, result: { tools: [] } })
})

test('the bridge’s own refusal of a probe is no sign that the server is there', async () => {
  const { send, signedIn, say, wire, said } = await waiting()
  await send(request(2, 'tools/list'))
  await signedIn()
  await say({ id: 1, error: { code: -32601, message: 'send initialize' } })
  expect(said).toHaveLength(1)
  expect(wire()).toEqual(['1 server/discover', '2 tools/list'])
})

test('a host that has only probed goes on with its initialize', async () => {
  const { send, signInIs, say, said } = setUp()
  signInIs(undefined)
  await send(request(1, 'server/discover'))
  await say({ id: 1, error: { code: -32601, message: 'send initialize' } })
  const params = { protocolVersion: '2025-11-25', capabilities: {} }
  await send(readFrame(JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'initialize', params }))!)
  signInIs(LINK)
  await pass(INITIALIZE_PATIENCE_MS + 500)
  expect(said[1]).toMatchObject({ id: 2, result: { protocolVersion: '2025-11-25' } })
})
