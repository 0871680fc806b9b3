import { afterEach, describe, expect, test, vi } from 'vitest'
import { createParking } from '../../../src/era/modern-to-legacy/parking.ts'
import { RelayError } from '../../../src/errors.ts'
import { readFrame } from '../../../src/frame.ts'
import { MAX_PARKED_CALLS, PAGE_VISIT_MS, PARKED_MS } from '../../../src/limits.ts'
import { until } from '../../support/until.ts'
import { CAPABILITIES, type Message, metaOf, startWorld, type World } from './world.ts'

const CALL = { name: 'ask', arguments: { a: 1 } }
const FORM = {
  message: 'Who?',
  requestedSchema: { type: 'object' as const, properties: { name: { type: 'string' } } },
}
const SAMPLE = {
  messages: [{ role: 'user', content: { type: 'text', text: 'hi' } }],
  maxTokens: 5,
}
const ADA = { action: 'accept', content: { name: 'Ada' } }
const DONE = { content: [{ type: 'text', text: 'done' }] }

/** A result that asks. */
interface Asking {
  readonly resultType: string
  readonly inputRequests: Record<string, { method: string; params?: object }>
  readonly requestState: string
}

const asking = ({ result }: Message): Asking => result as unknown as Asking

/** Opens a call; settles with it as the server sees it. */
async function open(world: World, id: unknown = 'c', nth = 0): Promise<Message> {
  world.ask(id, 'tools/call', CALL, { progressToken: `token of ${String(id)}` })
  return world.served('tools/call', nth)
}

function question(id: unknown, method = 'elicitation/create', params: object = FORM): object {
  return { jsonrpc: '2.0', id, method, params }
}

/** The host comes back with these answers, by the position of their questions. */
function retry(world: World, id: unknown, round: Asking, answers: readonly object[]): void {
  const keys = Object.keys(round.inputRequests)
  const inputResponses = Object.fromEntries(answers.map((answer, index) => [keys[index], answer]))
  world.ask(
    id,
    'tools/call',
    { ...CALL, inputResponses, requestState: round.requestState },
    { progressToken: `token of ${String(id)}` },
  )
}

/** The answers of the host that the server was sent. */
const answersOf = (world: World): Message[] =>
  world.toServer.filter(({ method }) => method === undefined)

const answered = (world: World, id: unknown): Promise<Message> =>
  until('the answer at the server', () => answersOf(world).find((message) => message.id === id), {
    ms: 2_000,
  })

afterEach(() => {
  vi.useRealTimers()
})

describe.each([false, true])('a question (on a stream that answers share: %s)', (shared) => {
  test.each<[string, object, object, object]>([
    ['elicitation/create', FORM, FORM, ADA],
    [
      'elicitation/create',
      { mode: 'url', url: 'https://a.example/', message: 'Open', elicitationId: 'e1' },
      { mode: 'url', url: 'https://a.example/', message: 'Open' },
      { action: 'accept' },
    ],
    [
      'sampling/createMessage',
      { ...SAMPLE, _meta: { a: 1 } },
      SAMPLE,
      { model: 'm', role: 'assistant', content: { type: 'text', text: 'ho' } },
    ],
    ['roots/list', {}, {}, { roots: [{ uri: 'file:///home' }] }],
  ])(
    '%s becomes a result that asks, and its answer the response',
    async (method, params, asked, response) => {
      const world = startWorld({ shared })
      const call = await open(world)
      world.tell(question('s-1', method, params), shared ? undefined : call.id)
      const round = asking(await world.answer('c'))
      expect(round).toMatchObject({ resultType: 'input_required', requestState: 'token-1' })
      expect(Object.values(round.inputRequests)).toEqual([{ method, params: asked }])
      retry(world, 'd', round, [response])
      expect(await answered(world, 's-1')).toEqual({ jsonrpc: '2.0', id: 's-1', result: response })
      world.reply(call, DONE)
      expect(await world.answer('d')).toMatchObject({ result: { resultType: 'complete', ...DONE } })
      expect(world.toServer.filter((message) => message.method === 'tools/call')).toHaveLength(1)
    },
  )

  test('several at once are one round, further ones the next', async () => {
    const world = startWorld({ shared })
    const call = await open(world)
    const owner = shared ? undefined : call.id
    world.tell(question('s-1'), owner)
    world.tell(question('s-2', 'roots/list', {}), owner)
    const first = asking(await world.answer('c'))
    expect(Object.values(first.inputRequests).map(({ method }) => method)).toEqual([
      'elicitation/create',
      'roots/list',
    ])
    world.tell(question('s-3'), owner)
    retry(world, 'd', first, [ADA, { roots: [] }])
    const second = asking(await world.answer('d'))
    expect(Object.keys(second.inputRequests)).toHaveLength(1)
    expect(Object.keys(first.inputRequests)).not.toContain(Object.keys(second.inputRequests)[0])
    expect(second.requestState).not.toBe(first.requestState)
    retry(world, 'e', second, [{ action: 'decline' }])
    await answered(world, 's-3')
    expect(answersOf(world)).toEqual([
      { jsonrpc: '2.0', id: 's-1', result: ADA },
      { jsonrpc: '2.0', id: 's-2', result: { roots: [] } },
      { jsonrpc: '2.0', id: 's-3', result: { action: 'decline' } },
    ])
    world.reply(call, DONE)
    expect(await world.answer('e')).toMatchObject({ result: DONE })
  })
})

describe('a round', () => {
  test('that is answered in part is asked again for the rest', async () => {
    const world = startWorld()
    const call = await open(world)
    world.tell(question('s-1'), call.id)
    world.tell(question('s-2', 'roots/list', {}), call.id)
    retry(world, 'd', asking(await world.answer('c')), [ADA])
    const rest = asking(await world.answer('d'))
    expect(Object.values(rest.inputRequests)).toEqual([{ method: 'roots/list', params: {} }])
    retry(world, 'e', rest, [{ roots: [] }])
    await answered(world, 's-2')
    world.reply(call, DONE)
    expect(await world.answer('e')).toMatchObject({ result: DONE })
  })

  test('fits in whatever order the host writes its parameters', async () => {
    const world = startWorld()
    const call = await open(world)
    world.tell(question('s-1'), call.id)
    const { inputRequests, requestState } = asking(await world.answer('c'))
    const inputResponses = { [Object.keys(inputRequests)[0]!]: ADA }
    world.ask('d', 'tools/call', { inputResponses, arguments: { a: 1 }, requestState, name: 'ask' })
    expect(await answered(world, 's-1')).toMatchObject({ result: ADA })
  })

  test.each<[string, (round: Asking) => [string, object]]>([
    ['a state that nobody gave', () => ['tools/call', { ...CALL, requestState: 'made up' }]],
    ['other parameters', (round) => ['tools/call', { ...round, name: 'ask', arguments: { a: 2 } }]],
    ['another method', (round) => ['prompts/get', { ...round, ...CALL }]],
  ])('%s is refused', async (_name, make) => {
    const world = startWorld({ lawless: true })
    const call = await open(world)
    world.tell(question('s-1'), call.id)
    const { requestState } = asking(await world.answer('c'))
    const [method, params] = make({ requestState } as Asking)
    world.ask('d', method, params)
    expect(await world.answer('d')).toMatchObject({ error: { code: -32602 } })
    expect(answersOf(world)).toEqual([])
  })

  test('answers without a state belong to nothing: it is another call', async () => {
    const world = startWorld({ lawless: true })
    const call = await open(world)
    world.tell(question('s-1'), call.id)
    await world.answer('c')
    world.ask('d', 'tools/call', { ...CALL, inputResponses: { made: ADA } })
    await until('the call', () => world.toServer.at(-1)!.id !== call.id)
    const { method, params } = world.toServer.at(-1)!
    expect({ method, params }).toMatchObject({ method: 'tools/call', params: CALL })
    expect(params).not.toHaveProperty('inputResponses')
    expect(answersOf(world)).toEqual([])
  })

  test('can be answered once', async () => {
    const world = startWorld()
    const call = await open(world)
    world.tell(question('s-1'), call.id)
    const round = asking(await world.answer('c'))
    retry(world, 'd', round, [ADA])
    retry(world, 'e', round, [ADA])
    expect(await world.answer('e')).toMatchObject({ error: { code: -32602 } })
    expect(answersOf(world)).toHaveLength(1)
  })

  test('waits no longer than its deadline; then server and host are told', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const world = startWorld()
    world.ask('c', 'tools/call', CALL)
    await vi.advanceTimersByTimeAsync(0)
    const call = world.toServer.at(-1)!
    world.tell(question('s-1'), call.id)
    world.tell(question('s-2', 'sampling/createMessage', SAMPLE), call.id)
    await vi.advanceTimersByTimeAsync(1_000)
    const round = asking(world.toHost[0]!)
    await vi.advanceTimersByTimeAsync(PARKED_MS)
    expect(world.toServer.slice(-3)).toMatchObject([
      { method: 'notifications/cancelled', params: { requestId: call.id } },
      { id: 's-1', result: { action: 'cancel' } },
      { id: 's-2', error: { code: -32603 } },
    ])
    retry(world, 'd', round, [ADA])
    await vi.advanceTimersByTimeAsync(0)
    expect(world.toHost.at(-1)).toMatchObject({ id: 'd', error: { code: -32602 } })
  })

  test('the oldest is given up when too many wait', () => {
    const abandoned: number[] = []
    let states = 0
    const parking = createParking(() => `state-${states++}`)
    const request = readFrame('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}')!
    const calls = Array.from({ length: MAX_PARKED_CALLS + 1 }, (_, n) => ({
      resume: () => Promise.resolve(),
      abandon: () => void abandoned.push(n),
    }))
    for (const call of calls) parking.put(call, request)
    expect(abandoned).toEqual([0])
    for (const call of calls) parking.remove(call)
  })
})

describe('while the host thinks', () => {
  async function parked(world: World): Promise<{ call: Message; round: Asking }> {
    const call = await open(world)
    world.tell(question('s-1'), call.id)
    return { call, round: asking(await world.answer('c')) }
  }

  test('the call may end: the next retry has its result', async () => {
    const world = startWorld()
    const { call, round } = await parked(world)
    world.reply(call, DONE)
    retry(world, 'd', round, [ADA])
    expect(await world.answer('d')).toMatchObject({ result: DONE })
  })

  test('the server may no longer want to know: the retry waits for the call', async () => {
    const world = startWorld()
    const { call, round } = await parked(world)
    world.tell({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 's-1' } })
    retry(world, 'd', round, [ADA])
    world.reply(call, DONE)
    expect(await world.answer('d')).toMatchObject({ result: DONE })
    expect(answersOf(world)).toEqual([])
  })

  test('the session may be lost: the retry is told', async () => {
    const world = startWorld()
    const { call, round } = await parked(world)
    world.fail(call, new RelayError('the session is gone', { phase: 'session' }))
    await Promise.resolve()
    retry(world, 'd', round, [ADA])
    const { error } = await world.answer('d')
    expect(error).toMatchObject({ code: -32603 })
    expect(error?.message).toContain('the session is gone')
  })

  test('the host may give the call up', async () => {
    const world = startWorld()
    const { call } = await parked(world)
    world.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'c' } })
    const cancelled = await world.served('notifications/cancelled')
    expect(cancelled.params).toEqual({ requestId: call.id })
    expect(await answered(world, 's-1')).toMatchObject({ result: { action: 'cancel' } })
  })

  test('progress has nowhere to go; afterwards it goes to the new request', async () => {
    const world = startWorld()
    const { call, round } = await parked(world)
    const progress = (value: number): object => ({
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken: call.id, progress: value },
    })
    world.tell(progress(1), call.id)
    retry(world, 'd', round, [ADA])
    await answered(world, 's-1')
    world.tell(progress(2), call.id)
    const notes = world.toHost.filter(({ method }) => method === 'notifications/progress')
    expect(notes.map(({ params }) => params)).toEqual([
      { progressToken: 'token of d', progress: 2 },
    ])
  })

  test('a retry can be cancelled like every request', async () => {
    const world = startWorld()
    const { call, round } = await parked(world)
    retry(world, 'd', round, [ADA])
    await answered(world, 's-1')
    world.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'd' } })
    const cancelled = await world.served('notifications/cancelled')
    expect(cancelled.params).toEqual({ requestId: call.id })
  })
})

describe('a question is refused', () => {
  test.each<[string, object, string, object]>([
    ['forms', { sampling: {}, roots: {} }, 'elicitation/create', FORM],
    ['forms, but pages', { elicitation: { url: {} } }, 'elicitation/create', FORM],
    [
      'pages',
      { elicitation: {} },
      'elicitation/create',
      { mode: 'url', url: 'https://a.example', message: 'm', elicitationId: 'e' },
    ],
    ['sampling', { elicitation: {} }, 'sampling/createMessage', SAMPLE],
    ['sampling with tools', { sampling: {} }, 'sampling/createMessage', { ...SAMPLE, tools: [] }],
    ['roots', { sampling: {} }, 'roots/list', {}],
  ])('when the request does not declare %s', async (_name, capabilities, method, params) => {
    const world = startWorld()
    world.ask('c', 'tools/call', CALL, metaOf(capabilities))
    const call = await world.served('tools/call')
    world.tell(question('s-1', method, params), call.id)
    expect(await answered(world, 's-1')).toMatchObject({ error: { code: -32601 } })
  })

  test('when elicitation is declared without a mode it is that of forms', async () => {
    const world = startWorld()
    world.ask('c', 'tools/call', CALL, metaOf({ elicitation: {} }))
    const call = await world.served('tools/call')
    world.tell(question('s-1'), call.id)
    expect(asking(await world.answer('c'))).toHaveProperty('inputRequests')
  })

  test('in the response to a request that cannot ask', async () => {
    const world = startWorld()
    world.ask('l', 'tools/list')
    await open(world)
    const list = await world.served('tools/list')
    world.tell(question('s-1'), list.id)
    expect(await answered(world, 's-1')).toMatchObject({ error: { code: -32601 } })
  })

  test('when no call is open, and when nobody knows what it is', async () => {
    const world = startWorld()
    world.ask(1, 'server/discover')
    await world.answer(1)
    world.tell(question('s-1'))
    world.tell(question('s-2', 'tasks/get', { taskId: 't' }))
    expect(await answered(world, 's-1')).toMatchObject({ error: { code: -32601 } })
    expect(await answered(world, 's-2')).toMatchObject({ error: { code: -32601 } })
  })

  test('when its id is that of another one', async () => {
    const world = startWorld({ lawless: true })
    const call = await open(world)
    world.tell(question('s-1'), call.id)
    world.tell(question('s-1'), call.id)
    expect(await answered(world, 's-1')).toMatchObject({ error: { code: -32600 } })
  })
})

test('a question without a stream of its own belongs to the latest call that can be asked', async () => {
  const world = startWorld()
  await open(world, 'a')
  await open(world, 'b', 1)
  world.ask('l', 'tools/list')
  await world.served('tools/list')
  world.tell(question('s-1'))
  expect(asking(await world.answer('b'))).toHaveProperty('inputRequests')
})

test('a call that ends takes its open questions along', async () => {
  const world = startWorld()
  const call = await open(world)
  world.tell(question('s-1'), call.id)
  world.reply(call, DONE)
  expect(await world.answer('c')).toMatchObject({ result: DONE })
  expect(await answered(world, 's-1')).toMatchObject({ result: { action: 'cancel' } })
})

test('ping is answered', async () => {
  const world = startWorld()
  world.ask(1, 'server/discover')
  await world.answer(1)
  world.tell({ jsonrpc: '2.0', id: 'p', method: 'ping' })
  expect(await answered(world, 'p')).toEqual({ jsonrpc: '2.0', id: 'p', result: {} })
})

describe('a call that needs pages to be visited first', () => {
  const PAGE = { mode: 'url', url: 'https://a.example/', message: 'Sign in' }
  const refusal = {
    code: -32042,
    message: 'needed',
    data: { elicitations: [{ ...PAGE, elicitationId: 'e-1' }] },
  }

  test('asks for them, and is made again under a new id once they were', async () => {
    const world = startWorld()
    const call = await open(world)
    world.reply(call, refusal)
    const round = asking(await world.answer('c'))
    expect(Object.values(round.inputRequests)).toEqual([
      { method: 'elicitation/create', params: PAGE },
    ])
    retry(world, 'd', round, [{ action: 'accept' }])
    const params = { elicitationId: 'e-1' }
    world.tell({ jsonrpc: '2.0', method: 'notifications/elicitation/complete', params })
    const again = await world.served('tools/call', 1)
    expect(again.id).not.toBe(call.id)
    expect(again.params).toMatchObject(CALL)
    expect(again.params).not.toHaveProperty('requestState')
    world.reply(again, DONE)
    expect(await world.answer('d')).toMatchObject({ result: DONE })
  })

  test('is made again after a while when the server does not tell', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const world = startWorld()
    world.ask('c', 'tools/call', CALL)
    await vi.advanceTimersByTimeAsync(0)
    world.reply(world.toServer.at(-1)!, refusal)
    retry(world, 'd', asking(world.toHost[0]!), [{ action: 'accept' }])
    await vi.advanceTimersByTimeAsync(PAGE_VISIT_MS - 1)
    const calls = (): number =>
      world.toServer.filter(({ method }) => method === 'tools/call').length
    expect(calls()).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(calls()).toBe(2)
  })

  test('can be cancelled while it waits', async () => {
    const world = startWorld()
    const call = await open(world)
    world.reply(call, refusal)
    retry(world, 'd', asking(await world.answer('c')), [{ action: 'accept' }])
    world.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'd' } })
    world.ask('l', 'tools/list')
    await world.served('tools/list')
    expect(world.toServer.filter(({ method }) => method === 'tools/call')).toHaveLength(1)
  })

  test('fails when the user does not want to', async () => {
    const world = startWorld()
    const call = await open(world)
    world.reply(call, refusal)
    retry(world, 'd', asking(await world.answer('c')), [{ action: 'decline' }])
    expect(await world.answer('d')).toMatchObject({ result: { isError: true } })
  })

  test('fails when the client cannot show any', async () => {
    const world = startWorld()
    world.ask('c', 'tools/call', CALL, metaOf({ elicitation: {} }))
    world.reply(await world.served('tools/call'), refusal)
    expect(await world.answer('c')).toMatchObject({
      error: { code: -32021, data: { requiredCapabilities: { elicitation: { url: {} } } } },
    })
  })
})

test('what the host declares may change with every request', async () => {
  const world = startWorld()
  world.ask('c', 'tools/call', CALL, metaOf({ sampling: {} }))
  const call = await world.served('tools/call')
  world.tell(question('s-1', 'sampling/createMessage', SAMPLE), call.id)
  const round = asking(await world.answer('c'))
  const key = Object.keys(round.inputRequests)[0]!
  const sampled = { model: 'm', role: 'assistant', content: { type: 'text', text: 'ho' } }
  const { requestState } = round
  const meta = metaOf(CAPABILITIES)
  world.ask('d', 'tools/call', { ...CALL, requestState, inputResponses: { [key]: sampled } }, meta)
  await answered(world, 's-1')
  world.tell(question('s-2'), call.id)
  expect(asking(await world.answer('d'))).toHaveProperty('inputRequests')
})
