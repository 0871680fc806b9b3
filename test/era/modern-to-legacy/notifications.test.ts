import { describe, expect, test } from 'vitest'
import { RelayError } from '../../../src/errors.ts'
import { until } from '../../support/until.ts'
import { type Message, OFFERED, startWorld, type World } from './world.ts'

const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId'
const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged'

const note = (method: string, params?: object): object => ({ jsonrpc: '2.0', method, params })

async function listen(world: World, id: unknown, notifications: object): Promise<Message> {
  world.ask(id, 'subscriptions/listen', { notifications })
  return until(
    'the acknowledgement',
    () =>
      world.toHost.find(({ method, params }) => method === ACKNOWLEDGED && metaId(params) === id),
    { ms: 2_000 },
  )
}

const metaId = (params: Message['params']): unknown =>
  (params?.['_meta'] as Record<string, unknown> | undefined)?.[SUBSCRIPTION]

const cancel = (world: World, requestId: unknown): void =>
  world.say(note('notifications/cancelled', { requestId }))

/** What listens were told, by the id of the listen. */
const changes = (world: World): unknown[] =>
  world.toHost
    .filter(({ method, params }) => metaId(params) !== undefined && method !== ACKNOWLEDGED)
    .map(({ method, params }) => [metaId(params), method, params?.['uri']])

describe('subscriptions/listen', () => {
  const SUBSCRIBING = { 'resources/subscribe': {}, 'resources/unsubscribe': {} }

  test.each<[string, object, object, object]>([
    [
      'everything',
      OFFERED,
      {
        toolsListChanged: true,
        promptsListChanged: true,
        resourcesListChanged: true,
        resourceSubscriptions: ['a:1'],
      },
      {
        toolsListChanged: true,
        promptsListChanged: true,
        resourcesListChanged: true,
        resourceSubscriptions: ['a:1'],
      },
    ],
    [
      'what the server does not offer',
      { tools: {}, resources: {} },
      { toolsListChanged: true, promptsListChanged: true, resourceSubscriptions: ['a:1'] },
      { resourceSubscriptions: [] },
    ],
    ['nothing', OFFERED, { toolsListChanged: false }, {}],
  ])('acknowledges %s first', async (_name, capabilities, wish, honoured) => {
    const world = startWorld({ capabilities, results: SUBSCRIBING })
    const { params } = await listen(world, 'l', wish)
    expect(params).toEqual({ notifications: honoured, _meta: { [SUBSCRIPTION]: 'l' } })
    expect(world.toHost).toHaveLength(1)
  })

  test('nothing is promised in the name of a server without a stream of its own', async () => {
    const world = startWorld({ mute: true })
    const wish = { toolsListChanged: true, resourceSubscriptions: ['a:1'] }
    const { params } = await listen(world, 1, wish)
    expect(params).toMatchObject({ notifications: { resourceSubscriptions: [] } })
    expect(world.toServer.map(({ method }) => method)).not.toContain('resources/subscribe')
  })

  test('a resource that the server refuses is left out', async () => {
    const subscribe = ({ params }: Message): object =>
      params?.['uri'] === 'a:1' ? {} : { code: -32602, message: 'no' }
    const world = startWorld({ results: { ...SUBSCRIBING, 'resources/subscribe': subscribe } })
    const { params } = await listen(world, 1, { resourceSubscriptions: ['a:1', 'a:2'] })
    expect(params).toMatchObject({ notifications: { resourceSubscriptions: ['a:1'] } })
  })

  test('without a filter it is refused', async () => {
    const world = startWorld({ lawless: true })
    world.ask(1, 'subscriptions/listen')
    expect(await world.answer(1)).toMatchObject({ error: { code: -32602 } })
  })

  test('a change goes once to each that asked for it', async () => {
    const world = startWorld({ results: SUBSCRIBING })
    await listen(world, 1, { toolsListChanged: true, resourceSubscriptions: ['a:1', 'b://c'] })
    await listen(world, '1', { toolsListChanged: true, promptsListChanged: true })
    world.tell(note('notifications/tools/list_changed'))
    world.tell(note('notifications/prompts/list_changed', { _meta: { mine: 1 } }))
    world.tell(note('notifications/resources/list_changed'))
    world.tell(note('notifications/resources/updated', { uri: 'a:1' }))
    world.tell(note('notifications/resources/updated', { uri: 'b://c/part' }))
    world.tell(note('notifications/resources/updated', { uri: 'b://cd' }))
    expect(changes(world)).toEqual([
      [1, 'notifications/tools/list_changed', undefined],
      ['1', 'notifications/tools/list_changed', undefined],
      ['1', 'notifications/prompts/list_changed', undefined],
      [1, 'notifications/resources/updated', 'a:1'],
      [1, 'notifications/resources/updated', 'b://c/part'],
    ])
    expect(world.toHost.at(-3)?.params).toEqual({ _meta: { mine: 1, [SUBSCRIPTION]: '1' } })
  })

  test('what happens before the acknowledgement comes after it', async () => {
    const world = startWorld()
    const listening = listen(world, 1, { resourceSubscriptions: ['a:1'] })
    const subscribe = await world.served('resources/subscribe')
    world.tell(note('notifications/resources/updated', { uri: 'a:1' }))
    world.tell(note('notifications/resources/updated', { uri: 'a:1' }))
    world.reply(subscribe, {})
    await listening
    expect(world.toHost.map(({ method }) => method)).toEqual([
      ACKNOWLEDGED,
      'notifications/resources/updated',
    ])
    cancel(world, 1)
    world.reply(await world.served('resources/unsubscribe'), {})
  })

  test('a resource is subscribed to once, and until the last one goes', async () => {
    const world = startWorld({ results: SUBSCRIBING })
    await listen(world, 1, { resourceSubscriptions: ['a:1', 'a:2'] })
    await listen(world, 2, { resourceSubscriptions: ['a:1'] })
    const uris = (method: string): unknown[] =>
      world.toServer
        .filter((message) => message.method === method)
        .map((one) => one.params?.['uri'])
    expect(uris('resources/subscribe')).toEqual(['a:1', 'a:2'])
    cancel(world, 1)
    await world.served('resources/unsubscribe')
    expect(uris('resources/unsubscribe')).toEqual(['a:2'])
    cancel(world, 2)
    await world.served('resources/unsubscribe', 1)
    expect(uris('resources/unsubscribe')).toEqual(['a:2', 'a:1'])
    world.tell(note('notifications/resources/updated', { uri: 'a:1' }))
    expect(changes(world)).toEqual([])
  })

  test('subscribing again waits for the end of the last subscription', async () => {
    const world = startWorld({ results: { 'resources/subscribe': {} } })
    await listen(world, 1, { resourceSubscriptions: ['a:1'] })
    cancel(world, 1)
    const unsubscribe = await world.served('resources/unsubscribe')
    const again = listen(world, 2, { resourceSubscriptions: ['a:1'] })
    await Promise.resolve()
    const subscribes = (): number =>
      world.toServer.filter(({ method }) => method === 'resources/subscribe').length
    expect(subscribes()).toBe(1)
    world.reply(unsubscribe, {})
    await again
    expect(subscribes()).toBe(2)
    cancel(world, 2)
    world.reply(await world.served('resources/unsubscribe', 1), {})
  })

  test('one that is cancelled before the acknowledgement gets none', async () => {
    const world = startWorld({ results: { 'resources/unsubscribe': {} } })
    world.ask(1, 'subscriptions/listen', { notifications: { resourceSubscriptions: ['a:1'] } })
    const subscribe = await world.served('resources/subscribe')
    cancel(world, 1)
    world.reply(subscribe, {})
    await world.served('resources/unsubscribe')
    expect(world.toHost).toEqual([])
  })

  test('ends with an empty result when the host goes', async () => {
    const world = startWorld()
    await listen(world, 7, { toolsListChanged: true })
    await world.end()
    expect(world.toHost.slice(1)).toMatchObject([
      { id: 7, result: { resultType: 'complete', _meta: { [SUBSCRIPTION]: 7 } } },
      { method: 'notifications/cancelled', params: { requestId: 7 } },
    ])
  })

  test('a lost stream is opened again by a word of ours; without one it ends', async () => {
    const world = startWorld({ shared: true })
    await listen(world, 7, { toolsListChanged: true })
    const lost = new RelayError('gone', { phase: 'stream' })
    world.translator.lost(lost)
    world.reply(await world.served('ping'), {})
    expect(world.toHost).toHaveLength(1)
    world.translator.lost(lost)
    world.fail(await world.served('ping', 1), lost)
    expect(await world.answer(7)).toMatchObject({ result: { resultType: 'complete' } })
  })
})

describe('log messages', () => {
  const LEVEL = 'io.modelcontextprotocol/logLevel'
  const said = (level: string): object => note('notifications/message', { level, data: level })
  const heard = (world: World): unknown[] =>
    world.toHost
      .filter(({ method }) => method === 'notifications/message')
      .map(({ params }) => params?.['data'])

  test('go to a request that wants them, when they are loud enough', async () => {
    const world = startWorld({ results: { 'logging/setLevel': {} } })
    world.ask(1, 'tools/call', { name: 'a' }, { [LEVEL]: 'warning' })
    world.ask(2, 'tools/list')
    const call = await world.served('tools/call')
    const list = await world.served('tools/list')
    world.tell(said('info'), call.id)
    world.tell(said('error'), call.id)
    world.tell(said('critical'), list.id)
    world.tell(said('alert'))
    expect(heard(world)).toEqual(['error', 'alert'])
    world.reply(call, { content: [] })
    await world.answer(1)
    world.tell(said('emergency'))
    expect(heard(world)).toEqual(['error', 'alert'])
  })

  test('the session has the most verbose level of the open requests', async () => {
    const world = startWorld({ results: { 'logging/setLevel': {} } })
    const levels = (): unknown[] =>
      world.toServer
        .filter(({ method }) => method === 'logging/setLevel')
        .map(({ params }) => params?.['level'])
    world.ask(1, 'tools/call', { name: 'a' }, { [LEVEL]: 'info' })
    const first = await world.served('tools/call')
    world.ask(2, 'tools/call', { name: 'b' }, { [LEVEL]: 'error' })
    world.ask(3, 'tools/call', { name: 'c' })
    await world.served('tools/call', 2)
    expect(levels()).toEqual(['info'])
    world.ask(4, 'tools/call', { name: 'd' }, { [LEVEL]: 'debug' })
    const fourth = await world.served('tools/call', 3)
    expect(levels()).toEqual(['info', 'debug'])
    world.reply(first, { content: [] })
    world.reply(fourth, { content: [] })
    world.ask(5, 'tools/call', { name: 'e' }, { [LEVEL]: 'error' })
    await world.served('tools/call', 4)
    expect(levels()).toEqual(['info', 'debug', 'error'])
    // The level is set before the request that wants it is sent.
    const methods = world.toServer.map(({ method }) => method)
    expect(methods.slice(-2)).toEqual(['logging/setLevel', 'tools/call'])
  })

  test('no level is set at a server that does not log', async () => {
    const world = startWorld({ capabilities: { tools: {} } })
    world.ask(1, 'tools/call', { name: 'a' }, { [LEVEL]: 'info' })
    await world.served('tools/call')
    expect(world.toServer.map(({ method }) => method)).not.toContain('logging/setLevel')
  })
})

describe('progress', () => {
  const progress = (progressToken: unknown, value: number): object =>
    note('notifications/progress', { progressToken, progress: value, total: 10 })
  const tokens = (world: World): unknown[] =>
    world.toHost
      .filter(({ method }) => method === 'notifications/progress')
      .map(({ params }) => params?.['progressToken'])

  test.each(['"7"', '7', '12345678901234567890'])(
    'has the token of the host: %s',
    async (token) => {
      const world = startWorld({ lawless: true })
      const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }
      const rest = `"io.modelcontextprotocol/clientCapabilities":{},"progressToken":${token}`
      const text = `${JSON.stringify(meta).slice(0, -1)},${rest}}`
      world.say(
        `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","_meta":${text}}}`,
      )
      const call = await world.served('tools/call')
      world.tell(progress(call.id, 1), call.id)
      expect(world.lines.at(-1)).toContain(`"progressToken":${token}`)
    },
  )

  test('is for an open request that asked for it', async () => {
    const world = startWorld()
    world.ask(1, 'tools/call', { name: 'a' }, { progressToken: 'p' })
    world.ask(2, 'tools/call', { name: 'b' })
    const first = await world.served('tools/call')
    const second = await world.served('tools/call', 1)
    expect(second.params).not.toHaveProperty('_meta')
    world.tell(progress(first.id, 1))
    world.tell(progress(second.id, 1))
    world.tell(progress('nobody', 1))
    world.reply(first, { content: [] })
    world.tell(progress(first.id, 2))
    expect(tokens(world)).toEqual(['p'])
  })
})

test('what else a server says goes nowhere, except in the response to a request', async () => {
  const world = startWorld({ lawless: true })
  world.ask(1, 'tools/call', { name: 'a' })
  const call = await world.served('tools/call')
  world.tell(note('notifications/tasks/status', { taskId: 't' }), call.id)
  world.tell(note('com.example/note', { n: 1 }))
  world.tell(note('com.example/note', { n: 2 }), call.id)
  world.tell(
    JSON.stringify([
      note('com.example/note', { n: 3 }),
      { jsonrpc: '2.0', id: call.id, result: {} },
    ]),
    call.id,
  )
  world.tell('7')
  expect(world.toHost).toMatchObject([{ params: { n: 2 } }, { params: { n: 3 } }, { id: 1 }])
})

describe('a tool that runs only as a task', () => {
  const TASKS = { ...OFFERED, tasks: { cancel: {}, requests: { tools: { call: {} } } } }
  const required = {
    name: 'slow',
    inputSchema: { type: 'object' },
    execution: { taskSupport: 'required' },
  }
  const plain = {
    name: 'fast',
    inputSchema: { type: 'object' },
    execution: { taskSupport: 'optional' },
  }
  const related = { _meta: { 'io.modelcontextprotocol/related-task': { taskId: 't-1' } } }
  const task = {
    taskId: 't-1',
    status: 'working',
    ttl: null,
    createdAt: '2026-01-01T00:00:00Z',
    lastUpdatedAt: '2026-01-01T00:00:00Z',
  }
  const pages = ({ params }: Message): object =>
    params?.['cursor'] === undefined ? { tools: [plain], nextCursor: '2' } : { tools: [required] }

  async function start(world: World): Promise<{ call: Message; result: Message }> {
    world.ask('c', 'tools/call', { name: 'slow', arguments: {} }, { progressToken: 'p' })
    const call = await world.served('tools/call')
    expect(call.params).toMatchObject({ name: 'slow', task: {} })
    world.reply(call, { task })
    const result = await world.served('tasks/result')
    expect(result.params).toEqual({ taskId: 't-1' })
    return { call, result }
  }

  test('is called as one; the host sees a call like any other', async () => {
    const world = startWorld({
      capabilities: TASKS,
      results: { 'tools/list': pages },
      lawless: true,
    })
    const { call, result } = await start(world)
    const params = { progressToken: call.id, progress: 1, ...related }
    world.tell(note('notifications/progress', params))
    expect(world.toHost.at(-1)?.params).toEqual({ progressToken: 'p', progress: 1, _meta: {} })
    world.reply(result, { content: [], ...related })
    const answer = await world.answer('c')
    expect(answer).toMatchObject({ result: { resultType: 'complete', content: [] } })
    expect(JSON.stringify(answer)).not.toContain('related-task')
  })

  test('its questions are found by their task, and so are the answers', async () => {
    const world = startWorld({
      capabilities: TASKS,
      results: { 'tools/list': pages },
      lawless: true,
    })
    const { result } = await start(world)
    const params = { message: 'm', requestedSchema: { type: 'object', properties: {} }, ...related }
    world.tell({ jsonrpc: '2.0', id: 's', method: 'elicitation/create', params })
    const round = (await world.answer('c')).result as {
      inputRequests: object
      requestState: string
    }
    const inputResponses = { [Object.keys(round.inputRequests)[0]!]: { action: 'cancel' } }
    const { requestState } = round
    world.ask('d', 'tools/call', { name: 'slow', arguments: {}, requestState, inputResponses })
    await until('the answer', () => world.toServer.find(({ id }) => id === 's'))
    expect(world.toServer.at(-1)?.result).toEqual({ action: 'cancel', ...related })
    world.reply(result, { content: [], isError: true })
    expect(await world.answer('d')).toMatchObject({ result: { isError: true } })
  })

  test('cancelling it cancels the task', async () => {
    const world = startWorld({
      capabilities: TASKS,
      results: { 'tools/list': pages },
      lawless: true,
    })
    await start(world)
    cancel(world, 'c')
    expect((await world.served('tasks/cancel')).params).toEqual({ taskId: 't-1' })
  })

  test('others, and those of servers without tasks, are called as they are', async () => {
    const world = startWorld({
      capabilities: TASKS,
      results: { 'tools/list': pages },
      lawless: true,
    })
    world.ask(1, 'tools/call', { name: 'fast' })
    expect((await world.served('tools/call')).params).toEqual({ name: 'fast' })
    const simple = startWorld()
    simple.ask(1, 'tools/call', { name: 'slow' })
    await simple.served('tools/call')
    expect(simple.toServer.map(({ method }) => method)).not.toContain('tools/list')
  })
})
