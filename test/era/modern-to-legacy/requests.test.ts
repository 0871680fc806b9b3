import { describe, expect, test } from 'vitest'
import { RelayError } from '../../../src/errors.ts'
import { CAPABILITIES, metaOf, OFFERED, startWorld, VERSION } from './world.ts'

const SERVER_INFO = { 'io.modelcontextprotocol/serverInfo': { name: 'old', version: '1.0.0' } }

describe('one session', () => {
  test('is opened by the first request, in the newest version and with what that request declares', async () => {
    const world = startWorld()
    const meta = metaOf({
      ...CAPABILITIES,
      extensions: { 'io.modelcontextprotocol/tasks': {}, 'com.example/x': {} },
    })
    world.ask(1, 'server/discover', {}, meta)
    await world.answer(1)
    expect(world.toServer).toEqual([
      {
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: {
          protocolVersion: '2025-11-25',
          capabilities: { ...CAPABILITIES, extensions: { 'com.example/x': {} } },
          clientInfo: { name: 'new', version: '2.0.0' },
        },
      },
      { jsonrpc: '2.0', method: 'notifications/initialized' },
    ])
  })

  test('is opened once for requests that come together, in their order', async () => {
    const world = startWorld({
      results: { 'tools/list': { tools: [] }, 'prompts/list': { prompts: [] } },
    })
    world.ask(1, 'tools/list')
    world.ask(2, 'prompts/list')
    await Promise.all([world.answer(1), world.answer(2)])
    expect(world.toServer.map(({ method }) => method)).toEqual([
      'initialize',
      'notifications/initialized',
      'tools/list',
      'prompts/list',
    ])
  })

  test('a request that is cancelled before the session is open is never sent', async () => {
    const world = startWorld({ results: { 'prompts/list': { prompts: [] } } })
    world.ask(1, 'tools/list')
    world.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } })
    world.ask(2, 'prompts/list')
    await world.answer(2)
    expect(world.toServer.map(({ method }) => method)).not.toContain('tools/list')
  })

  test('that fails is tried again by the next request', async () => {
    let tries = 0
    const refusal = { code: -32603, message: 'not now' }
    const introduction = {
      protocolVersion: '2024-11-05',
      capabilities: {},
      serverInfo: { name: 'old', version: '1' },
    }
    const world = startWorld({
      results: {
        initialize: () => (tries++ === 0 ? refusal : introduction),
        'tools/list': { tools: [] },
      },
    })
    world.ask(1, 'tools/list')
    expect(await world.answer(1)).toEqual({ jsonrpc: '2.0', id: 1, error: refusal })
    world.ask(2, 'tools/list')
    expect(await world.answer(2)).toHaveProperty('result')
  })

  test('is opened in an older version when the server names one', async () => {
    const refusal = {
      code: -32602,
      message: 'version',
      data: { supported: ['2024-11-05', '2025-03-26'] },
    }
    const world = startWorld({
      results: {
        initialize: ({ params }) =>
          params?.['protocolVersion'] === '2025-03-26'
            ? {
                protocolVersion: '2025-03-26',
                capabilities: {},
                serverInfo: { name: 'old', version: '1' },
              }
            : refusal,
      },
    })
    world.ask(1, 'server/discover')
    expect(await world.answer(1)).toHaveProperty('result')
  })
})

describe('what a server of the stateless era refuses', () => {
  const named = { 'io.modelcontextprotocol/protocolVersion': VERSION }
  test.each<[string, string, object | undefined, object]>([
    ['no _meta', 'tools/list', {}, { code: -32602 }],
    ['no params', 'tools/list', undefined, { code: -32602 }],
    [
      'no version',
      'tools/list',
      { _meta: { 'io.modelcontextprotocol/clientCapabilities': {} } },
      { code: -32602 },
    ],
    ['no capabilities', 'tools/list', { _meta: named }, { code: -32602 }],
    [
      'a log level that nobody knows',
      'tools/list',
      { _meta: { ...metaOf(), 'io.modelcontextprotocol/logLevel': 'loud' } },
      { code: -32602 },
    ],
    [
      'another version',
      'tools/list',
      { _meta: { ...metaOf(), 'io.modelcontextprotocol/protocolVersion': '2027-01-01' } },
      { code: -32022, data: { supported: [VERSION], requested: '2027-01-01' } },
    ],
    [
      'initialize',
      'initialize',
      { protocolVersion: '2025-11-25' },
      { code: -32022, data: { supported: [VERSION], requested: '2025-11-25' } },
    ],
    ...[
      'ping',
      'logging/setLevel',
      'resources/subscribe',
      'resources/unsubscribe',
      'tasks/get',
      'tasks/list',
    ].map((method): [string, string, object, object] => [
      method,
      method,
      { _meta: metaOf() },
      { code: -32601 },
    ]),
  ])('%s', async (_name, method, params, error) => {
    const world = startWorld({ lawless: true })
    world.say({ jsonrpc: '2.0', id: 'a', method, ...(params && { params }) })
    expect(await world.answer('a')).toMatchObject({ error })
    expect(world.toServer).toEqual([])
  })

  test('answers and notifications of the host go nowhere', async () => {
    const world = startWorld({ lawless: true, results: { 'tools/list': { tools: [] } } })
    world.ask(1, 'tools/list')
    await world.answer(1)
    const before = world.toServer.length
    world.say({ jsonrpc: '2.0', id: 9, result: {} })
    world.say({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' })
    world.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 77 } })
    world.ask(2, 'tools/list')
    await world.answer(2)
    expect(world.toServer).toHaveLength(before + 1)
  })
})

test('server/discover tells what the server has introduced itself with', async () => {
  const world = startWorld({
    results: {
      initialize: {
        protocolVersion: '2025-11-25',
        capabilities: {
          ...OFFERED,
          tasks: { list: {} },
          extensions: { 'io.modelcontextprotocol/tasks': {}, a: {} },
        },
        serverInfo: { name: 'old', version: '1.0.0' },
        instructions: 'Be kind.',
      },
    },
  })
  world.ask(0, 'server/discover')
  expect(await world.answer(0)).toEqual({
    jsonrpc: '2.0',
    id: 0,
    result: {
      resultType: 'complete',
      supportedVersions: [VERSION],
      capabilities: { ...OFFERED, extensions: { a: {} } },
      instructions: 'Be kind.',
      ttlMs: 0,
      cacheScope: 'private',
      _meta: SERVER_INFO,
    },
  })
})

describe('requests', () => {
  test('reach the server under new ids, without what only the stateless era knows', async () => {
    const world = startWorld()
    const meta = {
      progressToken: 'mine',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'com.example/key': 1,
      'io.modelcontextprotocol/logLevel': 'debug',
    }
    world.ask('call', 'tools/call', { name: 'a', arguments: { big: 1 }, task: {} }, meta)
    const level = await world.served('logging/setLevel')
    world.reply(level, {})
    const call = await world.served('tools/call')
    expect(call).toEqual({
      jsonrpc: '2.0',
      id: call.id,
      method: 'tools/call',
      params: {
        name: 'a',
        arguments: { big: 1 },
        _meta: {
          progressToken: call.id,
          traceparent: meta.traceparent,
          'com.example/key': 1,
        },
      },
    })
    world.reply(call, { content: [] })
    await world.answer('call')
  })

  test('keep every number, key and unknown member in both directions', async () => {
    const world = startWorld({ lawless: true })
    const meta = JSON.stringify(metaOf())
    world.say(
      `{"jsonrpc":"2.0","id":12345678901234567890,"method":"tools/call","params":{"z":1.0,"_meta":${meta},"name":"int64","arguments":{"n":12345678901234567890,"e":1e400,"s":"\\ud800"}}}`,
    )
    const call = await world.served('tools/call')
    expect(world.serverLines.at(-1)).toBe(
      `{"jsonrpc":"2.0","id":${String(call.id)},"method":"tools/call","params":{"z":1.0,"name":"int64","arguments":{"n":12345678901234567890,"e":1e400,"s":"\\ud800"}}}`,
    )
    world.reply(
      call,
      '{"content":[],"structuredContent":{"n":9007199254740993,"f":1.0},"odd":1e400}',
    )
    await world.answer(Number('12345678901234567890'))
    expect(world.lines.at(-1)).toContain('"id":12345678901234567890')
    expect(world.lines.at(-1)).toContain(
      '"content":[],"structuredContent":{"n":9007199254740993,"f":1.0},"odd":1e400',
    )
  })

  test('an id may be used again once it is answered', async () => {
    const world = startWorld({ results: { 'tools/list': { tools: [] } } })
    world.ask(1, 'tools/list')
    await world.answer(1)
    world.ask(1, 'tools/list')
    await world.answer(1, 1)
    const ids = world.toServer.flatMap(({ id }) => (id === undefined ? [] : [id]))
    expect(new Set(ids).size).toBe(3)
  })

  test('a cancelled one is cancelled at the server under its id there', async () => {
    const world = startWorld()
    world.ask('x', 'tools/call', { name: 'slow' })
    const call = await world.served('tools/call')
    const params = { requestId: 'x', reason: 'enough' }
    world.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params })
    const cancelled = await world.served('notifications/cancelled')
    expect(cancelled.params).toEqual({ requestId: call.id, reason: 'enough' })
    world.reply(call, { content: [] })
    expect(world.toHost).toEqual([])
  })

  test('unknown methods pass', async () => {
    const world = startWorld()
    world.ask(1, 'com.example/thing', { a: 1 })
    const request = await world.served('com.example/thing')
    expect(request.params).toEqual({ a: 1 })
    world.reply(request, { b: 2 })
    expect((await world.answer(1)).result).toEqual({
      resultType: 'complete',
      b: 2,
      _meta: SERVER_INFO,
    })
  })
})

describe('results', () => {
  const uncached = { ttlMs: 0, cacheScope: 'private' }
  test.each<[string, object, object, object]>([
    [
      'prompts/list',
      {},
      { prompts: [], nextCursor: 'n' },
      { prompts: [], nextCursor: 'n', ...uncached },
    ],
    ['resources/list', {}, { resources: [] }, { resources: [], ...uncached }],
    [
      'resources/templates/list',
      {},
      { resourceTemplates: [] },
      { resourceTemplates: [], ...uncached },
    ],
    ['resources/read', { uri: 'a:b' }, { contents: [] }, { contents: [], ...uncached }],
    ['prompts/get', { name: 'p' }, { messages: [] }, { messages: [] }],
    [
      'tools/call',
      { name: 't' },
      { structuredContent: { a: 1 } },
      { content: [], structuredContent: { a: 1 } },
    ],
    [
      'completion/complete',
      { ref: { type: 'ref/prompt', name: 'p' }, argument: { name: 'a', value: '' } },
      { completion: { values: [] } },
      { completion: { values: [] } },
    ],
  ])('of %s are complete', async (method, params, legacy, expected) => {
    const world = startWorld({ lawless: true })
    world.ask(1, method, params)
    world.reply(await world.served(method), legacy)
    expect((await world.answer(1)).result).toEqual({
      resultType: 'complete',
      ...expected,
      _meta: SERVER_INFO,
    })
  })

  test('keep their own _meta; tools lose how they run', async () => {
    const tool = { name: 'a', inputSchema: { type: 'object' } }
    const execution = { taskSupport: 'optional' }
    const world = startWorld()
    world.ask(1, 'tools/list')
    world.reply(await world.served('tools/list'), {
      tools: [tool, { ...tool, execution }],
      _meta: { mine: 1 },
    })
    expect((await world.answer(1)).result).toMatchObject({
      tools: [tool, tool],
      _meta: { mine: 1, ...SERVER_INFO },
    })
    expect(world.lines.at(-1)).not.toContain('execution')
  })

  test('that are no objects are an error', async () => {
    const world = startWorld({ lawless: true })
    world.ask(1, 'com.example/thing')
    world.reply(await world.served('com.example/thing'), '[]')
    expect(await world.answer(1)).toMatchObject({ error: { code: -32603 } })
  })

  test('a server that does not say what it is called is called by its address', async () => {
    const introduction = { protocolVersion: '2025-11-25', capabilities: {} }
    const world = startWorld({ lawless: true, results: { initialize: introduction } })
    world.ask(1, 'server/discover')
    const name = { name: 'old.example', version: 'unknown' }
    expect(await world.answer(1)).toMatchObject({
      result: { _meta: { 'io.modelcontextprotocol/serverInfo': name } },
    })
  })
})

describe('errors', () => {
  test.each<[string, object, object]>([
    [
      'an error of the method',
      { code: -32602, message: 'no', data: 1 },
      { code: -32602, message: 'no', data: 1 },
    ],
    [
      'the old resource not found',
      { code: -32002, message: 'gone', data: { uri: 'a' } },
      { code: -32602, message: 'gone', data: { uri: 'a' } },
    ],
    ['a code that means nothing', { code: -32001, message: 'x' }, { code: -32001, message: 'x' }],
    ['a code that MCP defines', { code: -32021, message: 'x' }, { code: -32021, message: 'x' }],
    [
      'a reserved code',
      { code: -32050, message: 'x', data: 7 },
      { code: -32603, message: 'x', data: { code: -32050, message: 'x', data: 7 } },
    ],
    [
      'a URL elicitation without any',
      { code: -32042, message: 'x' },
      { code: -32603, message: 'x', data: { code: -32042, message: 'x' } },
    ],
  ])('%s', async (_name, legacy, expected) => {
    const world = startWorld()
    world.ask(1, 'resources/read', { uri: 'a:b' })
    world.reply(await world.served('resources/read'), legacy)
    expect(await world.answer(1)).toEqual({ jsonrpc: '2.0', id: 1, error: expected })
  })

  test.each([true, false])(
    'of the way are those of the relay (shared stream: %s)',
    async (shared) => {
      const world = startWorld({ shared })
      world.ask(1, 'tools/list')
      world.fail(await world.served('tools/list'), new RelayError('gone', { phase: 'stream' }))
      expect(await world.answer(1)).toMatchObject({ error: { code: -31001, message: 'gone' } })
    },
  )

  test('an error without an id in the response to a request is meant for it', async () => {
    const world = startWorld({ lawless: true })
    world.ask(1, 'tools/list')
    const { id } = await world.served('tools/list')
    world.tell({ jsonrpc: '2.0', id: null, error: { code: -32000, message: 'no' } }, id)
    expect(await world.answer(1)).toMatchObject({ error: { message: 'no' } })
  })

  test.each([undefined, 'better'])(
    'an answer under a wrong id counts unless a better one comes (%s)',
    async (better) => {
      const tool = { name: 'stray', inputSchema: { type: 'object' } }
      const world = startWorld({ lawless: true })
      world.ask(1, 'tools/list')
      const { id } = await world.served('tools/list')
      world.tell({ jsonrpc: '2.0', id: String(id), result: { tools: [tool] } }, id)
      if (better !== undefined) {
        const tools = [{ ...tool, name: better }]
        world.tell({ jsonrpc: '2.0', id, result: { tools } }, id)
      }
      world.over(id)
      expect(await world.answer(1)).toMatchObject({
        result: { tools: [{ name: better ?? 'stray' }] },
      })
    },
  )
})
