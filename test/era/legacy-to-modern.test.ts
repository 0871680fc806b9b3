import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openLegacyToModern } from '../../src/era/legacy-to-modern/index.ts'
import { RelayError, ServerError } from '../../src/errors.ts'
import { INPUT_MS, MAX_INPUT_ROUNDS, STATE_ONLY_PAUSE_MS } from '../../src/limits.ts'
import type { Message } from '../support/bridge.ts'
import { keptLog } from '../support/log.ts'
import { createFakeHost, createFakeServer, frameOf, settle } from './fake-server.ts'

const META = 'io.modelcontextprotocol/'
const DISCOVERED = {
  resultType: 'complete',
  supportedVersions: ['2026-07-28'],
  capabilities: {
    tools: { listChanged: true },
    resources: { subscribe: true },
    logging: {},
    extensions: { 'io.modelcontextprotocol/tasks': {}, 'io.modelcontextprotocol/ui': { a: 1 } },
  },
  instructions: 'Be kind.',
  ttlMs: 0,
  cacheScope: 'private',
  _meta: { [`${META}serverInfo`]: { name: 'modern', version: '3' } },
}
const CAPABILITIES = {
  roots: { listChanged: true },
  sampling: {},
  elicitation: { form: {}, url: {} },
  tasks: {},
  extensions: { 'io.modelcontextprotocol/tasks': {}, 'io.modelcontextprotocol/ui': {} },
  experimental: { x: { y: 12 } },
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function request(id: unknown, method: string, params?: object): object {
  return { jsonrpc: '2.0', id, method, ...(params && { params }) }
}

function note(method: string, params?: object): object {
  return { jsonrpc: '2.0', method, ...(params && { params }) }
}

/** A host and a server with the translator between them; the host has said `initialize`. */
async function setUp({
  capabilities = CAPABILITIES as object,
  discovered = DISCOVERED as object,
  version = '2025-06-18',
} = {}) {
  const server = createFakeServer()
  const host = createFakeHost()
  const log = keptLog()
  const failures: unknown[] = []
  let random = 0
  const translator = openLegacyToModern(
    {
      server: server.remote,
      events: host.events,
      log,
      host: 'mcp.example',
      now: Date.now,
      random: () => `random-${++random}`,
      standsFor: () => {},
    },
    { result: Buffer.from(JSON.stringify(discovered)), at: Date.now() },
  )
  server.connect({
    frame: translator.fromServer,
    lost: translator.lost,
    forgotten: () => {},
  })
  const send = async (message: object | string): Promise<void> => {
    translator.send(frameOf(message)).done.catch((error: unknown) => failures.push(error))
    await settle()
  }
  const clientInfo = { name: 'host', version: '1', title: 'Host' }
  await send(request(0, 'initialize', { protocolVersion: version, capabilities, clientInfo }))
  return {
    server,
    host,
    log,
    send,
    failures,
    translator,
    /** What the host was told after the InitializeResult. */
    told: () => host.said().slice(1),
    /** The last question that was put to the host. */
    question: (): Message => host.said().findLast(({ id, method }) => id !== undefined && method)!,
  }
}

const TEXT = { resultType: 'complete', content: [{ type: 'text', text: 'done' }] }

describe('initialize', () => {
  test.each([
    ['2024-11-05', '2024-11-05'],
    ['2025-06-18', '2025-06-18'],
    ['2026-07-28', '2025-11-25'],
    ['1999-01-01', '2025-11-25'],
  ])('asked for %s it is answered as a server of %s would', async (version, answered) => {
    const { host, server } = await setUp({ version })
    expect(server.arrived).toEqual([])
    expect(host.said()).toEqual([
      {
        jsonrpc: '2.0',
        id: 0,
        result: {
          protocolVersion: answered,
          capabilities: {
            ...DISCOVERED.capabilities,
            extensions: { 'io.modelcontextprotocol/ui': { a: 1 } },
          },
          serverInfo: { name: 'modern', version: '3' },
          instructions: 'Be kind.',
        },
      },
    ])
  })

  test.each([{}, { [`${META}serverInfo`]: { name: 'only a name' } }])(
    'a server that does not introduce itself is named by its host: %j',
    async (meta) => {
      const { host } = await setUp({ discovered: { ...DISCOVERED, _meta: meta } })
      expect(host.said()[0]?.result?.['serverInfo']).toEqual({
        name: 'mcp.example',
        version: 'unknown',
      })
    },
  )

  test('a second one asks the server again, unless what it said is fresh', async () => {
    const { server, host, send } = await setUp({ discovered: { ...DISCOVERED, ttlMs: 1000 } })
    const again = request(5, 'initialize', { protocolVersion: '2025-11-25', capabilities: {} })
    await send(again)
    expect(server.arrived).toEqual([])
    vi.advanceTimersByTime(1001)
    await send({ ...again, id: 6 })
    expect(server.last().message.method).toBe('server/discover')
    server.last().answer({ ...DISCOVERED, instructions: 'Changed.' })
    await settle()
    expect(host.said().at(-1)).toMatchObject({ id: 6, result: { instructions: 'Changed.' } })
  })
})

describe('requests', () => {
  test('carry the claims of the host, and everything else as the host wrote it', async () => {
    const { server, send } = await setUp()
    await send(
      '{"jsonrpc":"2.0", "id":"a" ,"method":"tools/call","params":{"name":"t", "arguments":{"n":12345678901234567890,"f":1.0},' +
        '"_meta":{"progressToken":7,"traceparent":"00-1-2-01","x.example/y":[1]},"task":{"ttl":5}},"extra":true}',
    )
    const { frame, message } = server.last()
    const text = Buffer.concat([...frame.chunks]).toString()
    expect(text).toContain('"arguments":{"n":12345678901234567890,"f":1.0}')
    expect(text).toContain('"extra":true')
    expect(message.id).toBe(1)
    expect(message.params).toEqual({
      name: 't',
      arguments: { n: Number('12345678901234567890'), f: 1 },
      _meta: {
        [`${META}protocolVersion`]: '2026-07-28',
        [`${META}clientCapabilities`]: {
          roots: {},
          sampling: {},
          elicitation: { form: {}, url: {} },
          extensions: { 'io.modelcontextprotocol/ui': {} },
          experimental: { x: { y: 12 } },
        },
        [`${META}clientInfo`]: { name: 'host', version: '1', title: 'Host' },
        progressToken: 7,
        traceparent: '00-1-2-01',
        'x.example/y': [1],
      },
    })
  })

  test('never reuse an id at the server, and are answered under the id of the host', async () => {
    const { server, host, send } = await setUp()
    for (const id of [1, 1, '"1"']) {
      await send(`{"jsonrpc":"2.0","id":${id},"method":"tools/list"}`)
      server.last().answer('{"resultType":"complete","tools":[],"ttlMs":5,"cacheScope":"public"}')
      await settle()
    }
    expect(server.arrived.map(({ message }) => message.id)).toEqual([1, 2, 3])
    expect(host.texts.slice(1)).toEqual([
      '{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}',
      '{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}',
      '{"jsonrpc":"2.0","id":"1","result":{"tools":[]}}',
    ])
  })

  test.each<{ name: string; message: object; answer: object }>([
    { name: 'ping', message: request(1, 'ping'), answer: { result: {} } },
    {
      name: 'logging/setLevel',
      message: request(1, 'logging/setLevel', { level: 'info' }),
      answer: { result: {} },
    },
    {
      name: 'an unknown log level',
      message: request(1, 'logging/setLevel', { level: 'loud' }),
      answer: { error: { code: -32602, message: 'Unknown log level.' } },
    },
    {
      name: 'tasks/get',
      message: request(1, 'tasks/get', { taskId: 'x' }),
      answer: { error: { code: -32601, message: 'mcp.example has no tasks for this host.' } },
    },
  ])('$name is answered at once', async ({ message, answer }) => {
    const { server, told, send } = await setUp()
    await send(message)
    expect(told()).toEqual([{ jsonrpc: '2.0', id: 1, ...answer }])
    expect(server.arrived).toEqual([])
  })

  test('a server without logging has no level to set', async () => {
    const { told, send } = await setUp({ discovered: { ...DISCOVERED, capabilities: {} } })
    await send(request(1, 'logging/setLevel', { level: 'info' }))
    expect(told()).toMatchObject([{ error: { code: -32601 } }])
  })

  test('the log level goes with every request from then on', async () => {
    const { server, send } = await setUp()
    await send(request(1, 'tools/list'))
    await send(request(2, 'logging/setLevel', { level: 'warning' }))
    await send(request(3, 'tools/list'))
    const metas = server.arrived.map(({ message }) => message.params?.['_meta'])
    expect(metas[0]).not.toHaveProperty([`${META}logLevel`])
    expect(metas[1]).toHaveProperty([`${META}logLevel`], 'warning')
  })

  test('one that nobody knows is forwarded, and so is a notification', async () => {
    const { server, told, send } = await setUp()
    await send(request(1, 'x.example/do', { a: 1 }))
    expect(server.last().message).toMatchObject({ method: 'x.example/do', params: { a: 1 } })
    server.last().answer({ resultType: 'complete', ttlMs: 3, mine: true })
    await send(note('notifications/x.example', { b: 2 }))
    expect(server.last().message).toEqual(note('notifications/x.example', { b: 2 }))
    // What an extension calls `ttlMs` is its own.
    expect(told()).toEqual([{ jsonrpc: '2.0', id: 1, result: { ttlMs: 3, mine: true } }])
  })

  test.each([
    'notifications/roots/list_changed',
    'notifications/progress',
    'notifications/tasks/status',
  ])('%s goes nowhere', async (method) => {
    const { server, send } = await setUp()
    await send(note(method, { progressToken: 1, progress: 1 }))
    expect(server.arrived).toEqual([])
  })
})

describe('results', () => {
  test.each<{ name: string; method: string; result: string; legal: string }>([
    {
      name: 'an empty one',
      method: 'x/empty',
      result: '{"resultType":"complete"}',
      legal: '{}',
    },
    {
      name: 'one without resultType',
      method: 'prompts/list',
      result: '{ "prompts" : [] }',
      legal: '{ "prompts" : [] }',
    },
    {
      name: 'a list of tools with output schemas of all kinds',
      method: 'tools/list',
      result:
        '{"resultType":"complete","tools":[{"name":"a","inputSchema":{"type":"object"},"outputSchema":{"type":"array"},"x":1.0}, ' +
        '{"name":"b","outputSchema":{"type":"object"}},{"name":"c","outputSchema":true},{"name":"d","outputSchema":{"anyOf":[]}}],"ttlMs":0}',
      legal:
        '{"tools":[{"name":"a","inputSchema":{"type":"object"},"x":1.0}, ' +
        '{"name":"b","outputSchema":{"type":"object"}},{"name":"c"},{"name":"d"}]}',
    },
    {
      name: 'structured content that is an object',
      method: 'tools/call',
      result: '{"content":[],"structuredContent":{"n":9007199254740993}}',
      legal: '{"content":[],"structuredContent":{"n":9007199254740993}}',
    },
    {
      name: 'structured content that is none, without text',
      method: 'tools/call',
      result: '{"resultType":"complete","content":[],"structuredContent":[9007199254740993, "é"]}',
      legal:
        '{"content":[{"type":"text","text":"[9007199254740993, \\"é\\"]"}],"structuredContent":{"result":[9007199254740993, "é"]}}',
    },
    {
      name: 'structured content that is none, with text',
      method: 'tools/call',
      result: '{"content":[{"type":"text","text":"two"}],"structuredContent":2.0}',
      legal: '{"content":[{"type":"text","text":"two"}],"structuredContent":{"result":2.0}}',
    },
    {
      name: 'metadata of an extension',
      method: 'resources/read',
      result:
        '{"contents":[{"uri":"ui://x","_meta":{"ui":{"csp":[]}}}],"_meta":{"ui/resourceUri":"ui://x"},"ttlMs":1,"cacheScope":"public","resultType":"complete"}',
      legal:
        '{"contents":[{"uri":"ui://x","_meta":{"ui":{"csp":[]}}}],"_meta":{"ui/resourceUri":"ui://x"}}',
    },
  ])('$name', async ({ method, result, legal }) => {
    const { server, host, send } = await setUp()
    await send(request(1, method))
    server.last().answer(result)
    await settle()
    expect(host.texts.at(-1)).toBe(`{"jsonrpc":"2.0","id":1,"result":${legal}}`)
  })

  test.each([
    ['task', 'mcp.example returned an undeclared task.'],
    ['riddle', 'mcp.example returned a result of the unknown type riddle.'],
  ])('one of the type %s is an error', async (resultType, message) => {
    const { server, told, send } = await setUp()
    await send(request(1, 'tools/call', { name: 't' }))
    server.last().answer({ resultType, taskId: 'x' })
    await settle()
    expect(told()).toEqual([{ jsonrpc: '2.0', id: 1, error: { code: -32603, message } }])
  })
})

describe('errors of the server', () => {
  test('in the response go to the host under its id, as they are', async () => {
    const { server, told, send } = await setUp()
    const error = { code: -32602, message: 'No such resource', data: { uri: 'x' } }
    await send(request('mine', 'resources/read', { uri: 'x' }))
    server.last().refuse(error, null)
    await settle()
    expect(told()).toEqual([{ jsonrpc: '2.0', id: 'mine', error }])
  })

  test('with an HTTP status are the failure of the request', async () => {
    const { server, failures, send } = await setUp()
    const error = new ServerError(Buffer.from('{"code":-32601,"message":"No"}'), 404)
    await send(request(1, 'x/y'))
    server.last().fail(error)
    await settle()
    expect(failures).toMatchObject([{ httpStatus: 404, object: error.object }])
  })

  test('a missing capability is named', async () => {
    const { server, told, send } = await setUp()
    await send(request(1, 'tools/call', { name: 't' }))
    const data = { requiredCapabilities: { sampling: {} } }
    server.last().refuse({ code: -32021, message: 'Missing', data })
    await settle()
    expect(told()[0]?.error).toEqual({
      code: -32021,
      message: 'Missing (the host does not offer: sampling)',
      data,
    })
  })

  test('after another version is asked for, the versions are looked up and the request repeated', async () => {
    const { server, told, send } = await setUp()
    await send(request(1, 'tools/list'))
    server.last().refuse({ code: -32022, message: 'Which?', data: { supported: ['2026-07-28'] } })
    await settle()
    expect(server.last().message.method).toBe('server/discover')
    server.last().answer(DISCOVERED)
    await settle()
    expect(server.last().message).toMatchObject({ id: 3, method: 'tools/list' })
    server.last().answer({ tools: [] })
    await settle()
    expect(told()).toEqual([{ jsonrpc: '2.0', id: 1, result: { tools: [] } }])
  })

  test('no version in common is said with both', async () => {
    const { server, log, failures, send } = await setUp()
    await send(request(1, 'tools/list'))
    server.last().refuse({ code: -32022, message: 'No', data: { supported: ['2031-01-01'] } })
    await settle()
    server.last().answer({ ...DISCOVERED, supportedVersions: ['2031-01-01'] })
    await settle()
    const { object } = failures[0] as ServerError
    expect(JSON.parse(object.toString())).toMatchObject({
      code: -32022,
      data: { supported: ['2031-01-01'] },
    })
    expect(log.lines.join()).toMatch(/2031-01-01.*2026-07-28/)
  })

  const cut = new RelayError('cut', { phase: 'stream' })

  test.each(['tools/list', 'resources/read', 'completion/complete'])(
    '%s is asked once more when its answer was cut off',
    async (method) => {
      const { server, failures, send } = await setUp()
      await send(request(1, method))
      server.last().fail(cut)
      await settle()
      expect(server.arrived.map(({ message }) => message.id)).toEqual([1, 2])
      server.last().fail(cut)
      await settle()
      expect(failures).toEqual([cut])
    },
  )

  test('a tool is not called again: its result is lost', async () => {
    const { server, failures, send } = await setUp()
    await send(request(1, 'tools/call', { name: 't' }))
    server.last().fail(cut)
    await settle()
    expect(server.arrived).toHaveLength(1)
    expect(String(failures[0])).toMatch(/result is lost.*may have been carried out/)
  })

  test.each([
    new RelayError('unreachable', { phase: 'connect' }),
    new RelayError('The server sent nothing for 5 s', { phase: 'response' }),
    new RelayError('busy', { phase: 'response', httpStatus: 503 }),
  ])('nothing is repeated after "$message"', async (error) => {
    const { server, failures, send } = await setUp()
    await send(request(1, 'tools/list'))
    server.last().fail(error)
    await settle()
    expect(failures).toEqual([error])
    expect(server.arrived).toHaveLength(1)
  })
})

describe('cancellation', () => {
  test('closes the request at the server, which is not answered then', async () => {
    const { server, told, failures, send } = await setUp()
    await send(request('x', 'tools/call', { name: 't' }))
    await send(note('notifications/cancelled', { requestId: 'x', reason: 'enough' }))
    expect(server.closed).toEqual([1])
    expect(server.arrived).toHaveLength(1)
    expect(told()).toEqual([])
    expect(failures).toEqual([])
  })

  test('of a request that nobody knows is nothing', async () => {
    const { server, send } = await setUp()
    await send(note('notifications/cancelled', { requestId: 'x' }))
    expect(server.arrived).toEqual([])
  })
})

describe('progress', () => {
  test('is that of the host, and only grows across rounds', async () => {
    const { server, host, send, question } = await setUp()
    await send(request(1, 'tools/call', { name: 't', _meta: { progressToken: 12 } }))
    const progress = (value: number): object =>
      note('notifications/progress', { progressToken: 12, progress: value })
    server.last().say(progress(1))
    server.last().say(progress(2))
    server.last().answer(asking({ a: ROOTS }))
    await settle()
    await send({ jsonrpc: '2.0', id: question().id, result: { roots: [] } })
    server.last().say(progress(1))
    server.last().say(progress(3))
    server.last().answer(TEXT)
    await settle()
    const seen = host.said().filter(({ method }) => method === 'notifications/progress')
    expect(seen.map(({ params }) => params?.['progress'])).toEqual([1, 2, 3])
  })
})

const ROOTS = { method: 'roots/list' }
const FORM = {
  method: 'elicitation/create',
  params: { message: 'Who?', requestedSchema: { type: 'object', properties: {} } },
}
const LINK = {
  method: 'elicitation/create',
  params: { mode: 'url', message: 'There', url: 'https://x.example/' },
}
const SAMPLE = { method: 'sampling/createMessage', params: { messages: [], maxTokens: 5 } }

function asking(inputRequests?: object, requestState?: unknown): object {
  return { resultType: 'input_required', inputRequests, requestState }
}

describe('questions of the server', () => {
  test('are put to the host, and the call is repeated with the answers and the state', async () => {
    const { server, told, send, question } = await setUp()
    await send(
      request(1, 'tools/call', { name: 't', arguments: { n: 1 }, _meta: { progressToken: 3 } }),
    )
    server.last().answer(asking({ who: FORM }, 'state "1"'))
    await settle()
    expect(told()).toEqual([{ jsonrpc: '2.0', id: 'b:1', ...FORM }])
    const result = { action: 'accept', content: { name: 'Ada' } }
    await send({ jsonrpc: '2.0', id: question().id, result: { ...result, _meta: { x: 1 } } })
    expect(server.last().message).toMatchObject({
      id: 2,
      method: 'tools/call',
      params: {
        name: 't',
        arguments: { n: 1 },
        inputResponses: { who: result },
        requestState: 'state "1"',
        _meta: { progressToken: 3 },
      },
    })
    // The next round knows nothing of the answers of this one.
    server.last().answer(asking({ where: ROOTS }))
    await settle()
    const roots = { roots: [{ uri: 'file:///a' }] }
    await send({ jsonrpc: '2.0', id: question().id, result: roots })
    expect(server.last().message.params).toMatchObject({ inputResponses: { where: roots } })
    expect(server.last().message.params).not.toHaveProperty('requestState')
    server.last().answer(TEXT)
    await settle()
    expect(told().at(-1)).toEqual({ jsonrpc: '2.0', id: 1, result: { content: TEXT.content } })
  })

  test('are asked side by side, and answered in any order', async () => {
    const { server, told, send } = await setUp()
    await send(request(1, 'prompts/get', { name: 'p' }))
    server.last().answer(asking({ a: SAMPLE, b: ROOTS, c: LINK }))
    await settle()
    expect(told().map(({ method }) => method)).toEqual([
      'sampling/createMessage',
      'roots/list',
      'elicitation/create',
    ])
    expect(told()[2]?.params).toEqual({ ...LINK.params, elicitationId: 'random-1' })
    const sampled = { role: 'assistant', model: 'm', content: { type: 'text', text: 'x' } }
    await send({ jsonrpc: '2.0', id: 'b:3', result: { action: 'accept' } })
    await send({ jsonrpc: '2.0', id: 'b:2', result: { roots: [] } })
    expect(server.arrived).toHaveLength(1)
    await send({ jsonrpc: '2.0', id: 'b:1', result: { ...sampled, _meta: { kept: true } } })
    expect(server.last().message.params?.['inputResponses']).toEqual({
      a: { ...sampled, _meta: { kept: true } },
      b: { roots: [] },
      c: { action: 'accept' },
    })
  })

  test.each([undefined, {}])(
    'without a question (%j) the call is repeated after a moment',
    async (none) => {
      const { server, send } = await setUp()
      await send(request(1, 'resources/read', { uri: 'x' }))
      server.last().answer(asking(none, { deep: [1] }))
      await settle()
      expect(server.arrived).toHaveLength(1)
      await vi.advanceTimersByTimeAsync(STATE_ONLY_PAUSE_MS)
      const { params } = server.last().message
      expect(params).toMatchObject({ uri: 'x', requestState: { deep: [1] } })
      expect(params).not.toHaveProperty('inputResponses')
    },
  )

  test('an elicitation that the host refuses is one that was cancelled', async () => {
    const { server, send } = await setUp()
    await send(request(1, 'tools/call', { name: 't' }))
    server.last().answer(asking({ who: FORM }))
    await settle()
    await send({ jsonrpc: '2.0', id: 'b:1', error: { code: -1, message: 'No' } })
    expect(server.last().message.params?.['inputResponses']).toEqual({ who: { action: 'cancel' } })
  })

  test.each<{ name: string; capabilities?: object; questions: object; why: RegExp }>([
    {
      name: 'a kind that the host does not have',
      capabilities: {},
      questions: { a: SAMPLE },
      why: /needs sampling, which this host does not offer/,
    },
    {
      name: 'an address for a host that shows none',
      capabilities: { elicitation: {} },
      questions: { a: LINK },
      why: /needs elicitation by URL/,
    },
    {
      name: 'a form for a host that only shows addresses',
      capabilities: { elicitation: { url: {} } },
      questions: { a: FORM },
      why: /needs elicitation, which/,
    },
    {
      name: 'tools for a model that is given none',
      questions: { a: { ...SAMPLE, params: { ...SAMPLE.params, tools: [] } } },
      why: /needs sampling with tools/,
    },
    { name: 'no question and no state', questions: {}, why: /does not say for which/ },
    { name: 'an unknown kind', questions: { a: { method: 'x/y' } }, why: /asks for x\/y/ },
    { name: 'nothing readable', questions: { a: 5 }, why: /questions cannot be read/ },
  ])('$name end the call', async ({ capabilities, questions, why }) => {
    const { server, told, failures, send } = await setUp(capabilities && { capabilities })
    await send(request(1, 'tools/call', { name: 't' }))
    server.last().answer(asking(questions))
    await settle()
    expect(told()).toMatchObject([
      { id: 1, result: { isError: true, content: [{ type: 'text' }] } },
    ])
    expect(JSON.stringify(told())).toMatch(why)
    await send(request(2, 'prompts/get', { name: 'p' }))
    server.last().answer(asking(questions))
    await settle()
    expect(String(failures[0])).toMatch(why)
    expect(server.arrived).toHaveLength(2)
  })

  test('a refusal of one question takes the others back', async () => {
    const { server, told, send } = await setUp()
    await send(request(1, 'tools/call', { name: 't' }))
    server.last().answer(asking({ a: SAMPLE, b: FORM }))
    await settle()
    await send({ jsonrpc: '2.0', id: 'b:1', error: { code: -1, message: 'User said no' } })
    expect(told().slice(2)).toMatchObject([
      { method: 'notifications/cancelled', params: { requestId: 'b:2' } },
      { id: 1, result: { isError: true } },
    ])
    expect(JSON.stringify(told())).toContain('needs sampling, and the host refused: User said no')
  })

  test(`end after ${MAX_INPUT_ROUNDS} rounds`, async () => {
    const { server, told, send, question } = await setUp()
    await send(request(1, 'tools/call', { name: 't' }))
    for (let round = 0; round <= MAX_INPUT_ROUNDS; round++) {
      server.last().answer(asking({ a: ROOTS }))
      await settle()
      if (round < MAX_INPUT_ROUNDS) {
        await send({ jsonrpc: '2.0', id: question().id, result: { roots: [] } })
      }
    }
    expect(server.arrived).toHaveLength(MAX_INPUT_ROUNDS + 1)
    expect(told().at(-1)).toMatchObject({ id: 1, result: { isError: true } })
    expect(JSON.stringify(told().at(-1))).toContain('has asked 10 times')
  })

  test('end when nobody answers', async () => {
    const { server, told, send } = await setUp()
    await send(request(1, 'tools/call', { name: 't' }))
    server.last().answer(asking({ a: FORM }))
    await settle()
    await vi.advanceTimersByTimeAsync(INPUT_MS)
    expect(told().slice(1)).toMatchObject([
      { method: 'notifications/cancelled', params: { requestId: 'b:1' } },
      { id: 1, result: { isError: true } },
    ])
    expect(JSON.stringify(told())).toContain('within 15 minutes')
  })

  test('are taken back when the host cancels the call', async () => {
    const { server, told, failures, send } = await setUp()
    await send(request(1, 'tools/call', { name: 't' }))
    server.last().answer(asking({ a: FORM }))
    await settle()
    await send(note('notifications/cancelled', { requestId: 1 }))
    // The host's answer comes too late.
    await send({ jsonrpc: '2.0', id: 'b:1', result: { action: 'accept', content: {} } })
    expect(told().slice(1)).toMatchObject([
      { method: 'notifications/cancelled', params: { requestId: 'b:1' } },
    ])
    expect(server.arrived).toHaveLength(1)
    expect(failures).toEqual([])
  })

  test('a list cannot ask', async () => {
    const { server, told, send } = await setUp()
    await send(request(1, 'tools/list'))
    server.last().answer(asking({ a: ROOTS }))
    await settle()
    expect(told()).toMatchObject([{ id: 1, error: { code: -32603 } }])
  })
})

test('a request of the server is left out: its era has none', async () => {
  const { server, log, told, send } = await setUp()
  await send(request(1, 'tools/list'))
  server.last().say(request('s', 'ping'))
  expect(told()).toEqual([])
  expect(log.lines.join()).toMatch(/sent a request/)
})
