import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openLegacyToModern } from '../../src/era/legacy-to-modern/index.ts'
import { RelayError, ServerError } from '../../src/errors.ts'
import { ACKNOWLEDGE_MS, REOPEN_MAX_MS } from '../../src/limits.ts'
import { keptLog } from '../support/log.ts'
import { type Arrived, createFakeHost, createFakeServer, frameOf, settle } from './fake-server.ts'

const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A host that has said `initialized` to a server that announces changes of its tools. */
async function setUp(capabilities: object = { tools: { listChanged: true } }) {
  const server = createFakeServer()
  const host = createFakeHost()
  const log = keptLog()
  const context = {
    server: server.remote,
    events: host.events,
    log,
    host: 'mcp.example',
    now: Date.now,
    random: () => 'r',
    standsFor: () => {},
  }
  const discovered = { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities }
  const result = Buffer.from(JSON.stringify(discovered))
  const translator = openLegacyToModern(context, { result, at: Date.now() })
  server.connect({ frame: translator.fromServer, lost: translator.lost, forgotten: () => {} })
  const send = async (message: object): Promise<void> => {
    translator.send(frameOf({ jsonrpc: '2.0', ...message })).done.catch(() => {})
    await settle()
  }
  await send({ id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25' } })
  await send({ method: 'notifications/initialized' })
  return {
    server,
    log,
    send,
    subscribe: (id: number, uri: string, verb = 'subscribe') =>
      send({ id, method: `resources/${verb}`, params: { uri } }),
    /** The filters of all `subscriptions/listen` so far. */
    filters: () => server.arrived.map(({ message }) => message.params?.['notifications']),
    /** What the host was told after the InitializeResult. */
    told: () => host.said().slice(1),
  }
}

/** The server takes the subscription, for all or for less than was asked. */
async function acknowledge(listen: Arrived, notifications?: object): Promise<void> {
  const filter = notifications ?? listen.message.params?.['notifications']
  const params = { notifications: filter, _meta: { [SUBSCRIPTION]: listen.message.id } }
  const method = 'notifications/subscriptions/acknowledged'
  listen.say({ jsonrpc: '2.0', method, params })
  await settle()
}

const CHANGED = 'notifications/tools/list_changed'

test('what the server announces is listened to, and reaches the host as it used to', async () => {
  const { server, filters, told } = await setUp({
    tools: { listChanged: true },
    prompts: { listChanged: false },
    resources: {},
  })
  expect(filters()).toEqual([{ toolsListChanged: true }])
  await acknowledge(server.last())
  server.last().say({
    jsonrpc: '2.0',
    method: CHANGED,
    params: { _meta: { [SUBSCRIPTION]: 1, 'x.example/y': 2 } },
  })
  server.last().say({ jsonrpc: '2.0', method: CHANGED, params: { _meta: { [SUBSCRIPTION]: 1 } } })
  expect(told()).toEqual([
    { jsonrpc: '2.0', method: CHANGED, params: { _meta: { 'x.example/y': 2 } } },
    { jsonrpc: '2.0', method: CHANGED, params: {} },
  ])
})

test('nothing is listened to when nothing is announced', async () => {
  const { server } = await setUp({ tools: {}, resources: { subscribe: true } })
  expect(server.arrived).toEqual([])
})

describe('a stream that ends', () => {
  test('is opened again; what may have changed is told once', async () => {
    const { server, told } = await setUp()
    await acknowledge(server.last())
    server.last().fail(new RelayError('cut', { phase: 'stream' }))
    await settle()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(server.arrived).toHaveLength(2)
    expect(told()).toEqual([])
    await acknowledge(server.last())
    expect(told()).toEqual([{ jsonrpc: '2.0', method: CHANGED }])
  })

  test.each([
    { status: 429, again: true },
    { status: 503, again: true },
    { status: 400, again: false },
  ])('with HTTP $status is opened again: $again', async ({ status, again }) => {
    const { server } = await setUp()
    server.last().fail(new ServerError(Buffer.from('{"code":-32000,"message":"No"}'), status))
    await settle()
    await vi.advanceTimersByTimeAsync(REOPEN_MAX_MS)
    expect(server.arrived.length > 1).toBe(again)
  })

  test('without an acknowledgement is closed, and tried again', async () => {
    const { server } = await setUp()
    await vi.advanceTimersByTimeAsync(ACKNOWLEDGE_MS + 1_000)
    expect(server.closed).toEqual([1])
    expect(server.arrived).toHaveLength(2)
  })
})

describe('a resource', () => {
  test('is subscribed to by a stream that takes the place of the one before', async () => {
    const { server, filters, told, subscribe } = await setUp()
    await acknowledge(server.last())
    await subscribe(7, 'a://b')
    expect(filters()[1]).toEqual({ toolsListChanged: true, resourceSubscriptions: ['a://b'] })
    expect(server.closed).toEqual([])
    await acknowledge(server.last())
    expect(server.closed).toEqual([1])
    expect(told()).toEqual([{ jsonrpc: '2.0', id: 7, result: {} }])
    await subscribe(8, 'a://b', 'unsubscribe')
    expect(filters()[2]).toEqual({ toolsListChanged: true })
  })

  test.each([
    ['leaves it out', (listen: Arrived) => acknowledge(listen, { toolsListChanged: true })],
    ['refuses', (listen: Arrived) => Promise.resolve(listen.refuse({ code: 1, message: 'No' }))],
  ])('that the server %s is refused', async (_, answer) => {
    const { server, told, subscribe } = await setUp()
    await acknowledge(server.last())
    await subscribe(7, 'a://b')
    await answer(server.last())
    await settle()
    expect(told()).toMatchObject([{ id: 7, error: { code: -32602 } }])
    // The next one is not asked for in its company.
    await subscribe(8, 'c://d')
    expect(server.last().message.params?.['notifications']).toMatchObject({
      resourceSubscriptions: ['c://d'],
    })
  })
})
