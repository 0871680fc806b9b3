import { describe, expect, test } from 'vitest'
import { withEra } from '../../src/era/index.ts'
import type { Protocol } from '../../src/era/flags.ts'
import type { EraVerdict } from '../../src/era/knowledge.ts'
// Here, so that it is there at once when it is wanted.
import '../../src/era/legacy-to-modern/index.ts'
import '../../src/era/modern-to-legacy/index.ts'
import { RelayError, ServerError } from '../../src/errors.ts'
import { LEGACY_VERDICT_MS } from '../../src/limits.ts'
import type { Message } from '../support/bridge.ts'
import { keptLog } from '../support/log.ts'
import { type Arrived, createFakeHost, createFakeServer, frameOf, settle } from './fake-server.ts'

const NOW = 1_800_000_000_000
const MODERN = '2026-07-28'
const VERSION = { 'io.modelcontextprotocol/protocolVersion': MODERN }
const CAPABILITIES = { 'io.modelcontextprotocol/clientCapabilities': {} }
const META = { ...VERSION, ...CAPABILITIES }
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'h', version: '1' },
  },
}
const PROBE = { jsonrpc: '2.0', id: 'p', method: 'server/discover', params: { _meta: META } }
const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: META } }
const DISCOVERED = { resultType: 'complete', supportedVersions: [MODERN], capabilities: {} }

/** How a server answers one request. */
type Reply = (request: Arrived) => void
const result =
  (value: object): Reply =>
  (request) =>
    request.answer(value)
const error =
  (code: number, supported?: string[], message = 'No'): Reply =>
  (request) =>
    request.refuse({ code, message, ...(supported && { data: { supported } }) }, null)
const status =
  (httpStatus: number, code?: number, supported?: string[]): Reply =>
  (request) => {
    const object = { code, message: 'No', ...(supported && { data: { supported } }) }
    request.fail(
      code === undefined
        ? new RelayError(`answered ${httpStatus}`, { phase: 'response', httpStatus })
        : new ServerError(Buffer.from(JSON.stringify(object)), httpStatus),
    )
  }
const offline: Reply = (request) => request.fail(new RelayError('offline', { phase: 'connect' }))
const speaks = (protocolVersion: string): Reply =>
  result({ protocolVersion, capabilities: {}, serverInfo: { name: 's', version: '1' } })

interface Start {
  readonly protocol?: Protocol
  readonly verdict?: EraVerdict
  readonly credentialed?: boolean
  /** By method; the next one is used for the next request. */
  readonly replies: Readonly<Record<string, readonly Reply[]>>
}

/** Everything that happened after these messages of the host. */
async function live(
  { protocol = 'auto', verdict, credentialed = false, replies }: Start,
  ...messages: object[]
) {
  const server = createFakeServer()
  const host = createFakeHost()
  const left = new Map(Object.entries(replies).map(([method, list]) => [method, [...list]]))
  const kept: (EraVerdict | undefined)[] = []
  const failures: Error[] = []
  const overheard: string[] = []
  const hear =
    (way: string) =>
    ({ method, id }: { method?: string | undefined; id?: string | undefined }): void =>
      void overheard.push(`${way} ${method ?? 'answer'} ${id}`)
  let known = verdict
  const remote = withEra(
    (events) => {
      server.connect(events)
      return server.remote
    },
    {
      events: host.events,
      log: keptLog(),
      host: 'mcp.example',
      protocol,
      credentialed: () => credentialed,
      remembered: () => Promise.resolve(known),
      remember: (given) => {
        known = given
        kept.push(given)
      },
      now: () => NOW,
      random: () => 'r',
      tap: {
        translates: () => void overheard.push('translates'),
        standsFor: (id, hostId) => void overheard.push(`${id} stands for ${hostId}`),
        sent: hear('→'),
        received: hear('←'),
      },
    },
  )
  let answered = 0
  for (const message of messages) {
    remote.send(frameOf(message)).done.catch((failure: Error) => failures.push(failure))
    for (let turn = 0; turn < 20; turn++) {
      await settle()
      await new Promise(setImmediate) // the translation is a chunk of its own
      for (const request of server.arrived.slice(answered)) {
        answered++
        left.get(request.message.method ?? '')?.shift()?.(request)
      }
    }
  }
  return {
    wire: server.arrived.map(({ message }) => `${message.method}`),
    arrived: server.arrived,
    said: host.said(),
    failures,
    overheard,
    kept: kept.map((entry) => entry?.era),
    /** The answer to a request of the host, whichever way it came. */
    answer: (id: unknown): Message | undefined => host.said().find((message) => message.id === id),
  }
}

const TRANSLATED = {
  result: { protocolVersion: '2025-11-25', serverInfo: { name: 'mcp.example' } },
}

describe('a host of the initialize era', () => {
  test.each<{ name: string; replies: Start['replies']; wire: string[]; kept?: string[] }>([
    {
      name: 'a server of its era',
      replies: { initialize: [speaks('2025-11-25')] },
      wire: ['initialize'],
    },
    {
      name: 'a server that names a version without initialize',
      replies: { initialize: [speaks(MODERN)], 'server/discover': [result(DISCOVERED)] },
      wire: ['initialize', 'server/discover'],
      kept: ['modern-only'],
    },
    ...[
      { name: '-32022 with modern versions only', reply: status(400, -32022, [MODERN]) },
      { name: '-32022 without versions', reply: error(-32022) },
      { name: '-32022 and a broken status', reply: status(500, -32022, [MODERN]) },
      { name: '-32020', reply: status(400, -32020) },
      { name: '-32021', reply: error(-32021) },
      { name: '-32601', reply: error(-32601) },
      { name: '404 -32601', reply: status(404, -32601) },
      { name: '400 -32602', reply: status(400, -32602) },
      { name: '404 -32600', reply: status(404, -32600) },
      { name: '404 and prose', reply: status(404) },
      { name: '405 and prose', reply: status(405) },
    ].map(({ name, reply }) => ({
      name: `a modern server that answers ${name}`,
      replies: { initialize: [reply], 'server/discover': [result(DISCOVERED)] },
      wire: ['initialize', 'server/discover'],
      kept: ['modern-only'],
    })),
  ])('$name is understood', async ({ replies, wire, kept = [] }) => {
    const seen = await live({ replies }, INITIALIZE)
    expect(seen.wire).toEqual(wire)
    expect(seen.kept).toEqual(kept)
    expect(seen.answer(0)).toMatchObject(kept.length > 0 ? TRANSLATED : { result: {} })
    expect(seen.said).toHaveLength(1)
  })

  test.each<{ name: string; reply: Reply; answer: object }>([
    { name: '-32000', reply: error(-32000), answer: { code: -32000 } },
    { name: '-32602 in a 200', reply: error(-32602), answer: { code: -32602 } },
    { name: '400 -32000', reply: status(400, -32000), answer: { httpStatus: 400 } },
    { name: '401', reply: status(401), answer: { details: { httpStatus: 401 } } },
    { name: '403 -32601', reply: status(403, -32601), answer: { httpStatus: 403 } },
    { name: '429', reply: status(429), answer: { details: { httpStatus: 429 } } },
    { name: '503', reply: status(503), answer: { details: { httpStatus: 503 } } },
    { name: 'nothing', reply: offline, answer: { details: { phase: 'connect' } } },
  ])('$name is the answer, and says nothing about the era', async ({ reply, answer }) => {
    const seen = await live({ replies: { initialize: [reply] } }, INITIALIZE)
    expect(seen.wire).toEqual(['initialize'])
    expect(seen.answer(0)?.error ?? seen.failures[0]).toMatchObject(answer)
    expect(seen.kept).toEqual([])
  })

  test.each<{ name: string; discover: Reply }>([
    { name: 'refuses', discover: status(404) },
    { name: 'breaks', discover: status(500) },
    { name: 'says nothing useful', discover: result({}) },
    { name: 'has old versions only', discover: result({ supportedVersions: ['2025-11-25'] }) },
  ])('the first refusal counts when the server $name, too', async ({ discover }) => {
    const replies = { initialize: [error(-32601)], 'server/discover': [discover] }
    const seen = await live({ replies }, INITIALIZE)
    expect(seen.wire).toEqual(['initialize', 'server/discover'])
    expect(seen.answer(0)).toMatchObject({ error: { code: -32601 } })
    expect(seen.kept).toEqual([])
  })

  test.each([-32022, -32602])(
    '%i with an older version: that one is asked for, once',
    async (code) => {
      const replies = {
        initialize: [status(400, code, ['2024-11-05', '2025-03-26', MODERN]), speaks('2025-03-26')],
      }
      const seen = await live({ replies }, INITIALIZE)
      expect(seen.arrived.map(({ message }) => message.params?.['protocolVersion'])).toEqual([
        '2025-11-25',
        '2025-03-26',
      ])
      expect(seen.answer(0)).toMatchObject({ result: { protocolVersion: '2025-03-26' } })
    },
  )

  test('a server that echoes what it is asked for is asked for the newest that has an initialize', async () => {
    const asked = { ...INITIALIZE, params: { ...INITIALIZE.params, protocolVersion: MODERN } }
    const replies = { initialize: [speaks(MODERN), speaks('2025-11-25')] }
    const seen = await live({ replies }, asked)
    expect(seen.wire).toEqual(['initialize', 'initialize'])
    expect(seen.answer(0)).toMatchObject({ result: { protocolVersion: '2025-11-25' } })
  })

  test('no version in common is an error that names both', async () => {
    const replies = {
      initialize: [error(-32022, ['2031-01-01'])],
      'server/discover': [result({ ...DISCOVERED, supportedVersions: ['2031-01-01'] })],
    }
    const seen = await live({ replies }, INITIALIZE)
    const { object } = seen.failures[0] as ServerError
    expect(JSON.parse(object.toString())).toMatchObject({
      code: -32022,
      data: { supported: ['2031-01-01'], requested: '2025-11-25' },
    })
  })

  const modernOnly: EraVerdict = { era: 'modern-only', versions: [MODERN], at: 0 }

  test('a server known to be modern is not asked for what it refuses', async () => {
    const replies = { 'server/discover': [result(DISCOVERED)] }
    const seen = await live({ verdict: modernOnly, replies }, INITIALIZE)
    expect(seen.wire).toEqual(['server/discover'])
    expect(seen.answer(0)).toMatchObject(TRANSLATED)
    expect(seen.kept).toEqual([])
  })

  test('one that no longer is gets the initialize, and the verdict goes', async () => {
    const replies = { 'server/discover': [status(400, -32000)], initialize: [speaks('2025-11-25')] }
    const seen = await live({ verdict: modernOnly, replies }, INITIALIZE)
    expect(seen.wire).toEqual(['server/discover', 'initialize'])
    expect(seen.kept).toEqual([undefined])
  })

  test.each([offline, status(503), status(401)])(
    'one that is out of order keeps its verdict',
    async (reply) => {
      const seen = await live(
        { verdict: modernOnly, replies: { 'server/discover': [reply] } },
        INITIALIZE,
      )
      expect(seen.wire).toEqual(['server/discover'])
      expect(seen.kept).toEqual([])
      expect(seen.failures).toHaveLength(1)
    },
  )

  test.each<{ era: EraVerdict['era'] }>([{ era: 'modern' }, { era: 'legacy' }])(
    'a verdict of $era changes nothing',
    async ({ era }) => {
      const verdict = { era, versions: [], at: NOW }
      const seen = await live(
        { verdict, replies: { initialize: [speaks('2025-11-25')] } },
        INITIALIZE,
      )
      expect(seen.wire).toEqual(['initialize'])
    },
  )

  test('--protocol legacy asks for nothing else', async () => {
    const seen = await live(
      {
        protocol: 'legacy',
        verdict: modernOnly,
        replies: { initialize: [error(-32022, [MODERN])] },
      },
      INITIALIZE,
    )
    expect(seen.wire).toEqual(['initialize'])
    expect(seen.said).toMatchObject([{ error: { code: -32022 } }])
  })

  test('--protocol modern never sends an initialize', async () => {
    const replies = { 'server/discover': [status(404)] }
    const seen = await live({ protocol: 'modern', replies }, INITIALIZE)
    expect(seen.wire).toEqual(['server/discover'])
    expect(seen.failures).toHaveLength(1)
  })

  test('what it sends behind its initialize waits for the era and is translated', async () => {
    const replies = {
      initialize: [error(-32022, [MODERN])],
      'server/discover': [result(DISCOVERED)],
      'tools/list': [result({ resultType: 'complete', tools: [] })],
    }
    const behind = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
    const seen = await live({ replies }, INITIALIZE, behind)
    expect(seen.wire).toEqual(['initialize', 'server/discover', 'tools/list'])
    expect(seen.answer(1)).toEqual({ jsonrpc: '2.0', id: 1, result: { tools: [] } })
  })
})

const MIRRORED = { error: { code: -32601 } }

describe('a host that asks for the versions', () => {
  test.each<{ name: string; reply: Reply; kept: string[]; answer: object }>([
    {
      name: 'versions',
      reply: result(DISCOVERED),
      kept: ['modern'],
      answer: { result: DISCOVERED },
    },
    {
      name: '-32022 with modern versions',
      reply: error(-32022, ['2031-01-01']),
      kept: ['modern'],
      answer: { error: { code: -32022 } },
    },
    { name: '-32020', reply: error(-32020), kept: ['modern'], answer: { error: { code: -32020 } } },
    {
      name: '-32022 with old versions',
      reply: error(-32022, ['2025-11-25']),
      kept: ['legacy'],
      answer: MIRRORED,
    },
    { name: '-32601', reply: error(-32601), kept: ['legacy'], answer: MIRRORED },
    { name: '200 -32600', reply: error(-32600), kept: ['legacy'], answer: MIRRORED },
    { name: '400 -32000', reply: status(400, -32000), kept: ['legacy'], answer: MIRRORED },
    { name: '404 and prose', reply: status(404), kept: ['legacy'], answer: MIRRORED },
    { name: '405', reply: status(405), kept: ['legacy'], answer: MIRRORED },
    {
      name: 'no versions',
      reply: result({ mine: 1.5 }),
      kept: [],
      answer: { result: { mine: 1.5 } },
    },
  ])('a server that answers $name', async ({ reply, kept, answer }) => {
    const seen = await live({ replies: { 'server/discover': [reply] } }, PROBE)
    expect(seen.wire).toEqual(['server/discover'])
    expect(seen.answer('p')).toMatchObject(answer)
    expect(seen.kept).toEqual(kept)
  })

  test.each([status(401), status(429), status(500), offline])(
    'trouble is no verdict',
    async (reply) => {
      const seen = await live({ replies: { 'server/discover': [reply] } }, PROBE)
      expect(seen.failures).toHaveLength(1)
      expect(seen.kept).toEqual([])
    },
  )

  test('a refusal in spite of a credential is tried as legacy, this once', async () => {
    const replies = { 'server/discover': [status(403)], initialize: [speaks('2025-11-25')] }
    const seen = await live({ credentialed: true, replies }, PROBE, INITIALIZE)
    expect(seen.answer('p')).toMatchObject(MIRRORED)
    expect(seen.answer(0)).toMatchObject({ result: { protocolVersion: '2025-11-25' } })
    expect(seen.kept).toEqual([])
  })

  test('it may fall back to initialize on the same connection', async () => {
    const replies = { 'server/discover': [status(404)], initialize: [speaks('2025-11-25')] }
    const seen = await live({ replies }, PROBE, INITIALIZE)
    expect(seen.wire).toEqual(['server/discover', 'initialize'])
    expect(seen.answer(0)).toMatchObject({ result: { protocolVersion: '2025-11-25' } })
  })

  const legacy = (age: number): EraVerdict => ({ era: 'legacy', versions: [], at: NOW - age })

  test('a fresh legacy verdict answers it without the network', async () => {
    const seen = await live({ verdict: legacy(LEGACY_VERDICT_MS - 1), replies: {} }, PROBE)
    expect(seen.wire).toEqual([])
    expect(seen.answer('p')).toMatchObject(MIRRORED)
  })

  test('an old one does not, and is renewed', async () => {
    const replies = { 'server/discover': [status(404)] }
    const seen = await live({ verdict: legacy(LEGACY_VERDICT_MS), replies }, PROBE)
    expect(seen.wire).toEqual(['server/discover'])
    expect(seen.kept).toEqual(['legacy'])
  })

  test('what is said of a modern-only server stays said', async () => {
    const verdict: EraVerdict = { era: 'modern-only', versions: [MODERN], at: 0 }
    const seen = await live(
      { verdict, replies: { 'server/discover': [result(DISCOVERED)] } },
      PROBE,
    )
    expect(seen.kept).toEqual([])
  })
})

describe('a host of the stateless era that asks for something at once', () => {
  const listed = result({ resultType: 'complete', tools: [] })

  test('the server is asked for its versions before', async () => {
    const replies = { 'server/discover': [result(DISCOVERED)], 'tools/list': [listed, listed] }
    const seen = await live({ replies }, LIST, { ...LIST, id: 2 })
    expect(seen.wire).toEqual(['server/discover', 'tools/list', 'tools/list'])
    expect(seen.answer(1)).toMatchObject({ result: { resultType: 'complete' } })
    expect(seen.kept).toEqual(['modern'])
  })

  test('not when they are known', async () => {
    const verdict: EraVerdict = { era: 'modern', versions: [MODERN], at: 0 }
    const seen = await live({ verdict, replies: { 'tools/list': [listed] } }, LIST)
    expect(seen.wire).toEqual(['tools/list'])
  })

  test('a server that has become something else is forgotten', async () => {
    const verdict: EraVerdict = { era: 'modern', versions: [MODERN], at: 0 }
    const seen = await live({ verdict, replies: { 'tools/list': [status(400, -32000)] } }, LIST)
    expect(seen.kept).toEqual([undefined])
  })

  test('trouble is no verdict, and the request fails with it', async () => {
    const seen = await live({ replies: { 'server/discover': [status(503)] } }, LIST)
    expect(seen.failures).toMatchObject([{ details: { httpStatus: 503 } }])
    expect(seen.wire).toEqual(['server/discover'])
  })

  test.each<{ name: string; params: object; refused: object }>([
    {
      name: 'names the versions to a host that has turned round',
      params: INITIALIZE.params,
      refused: { code: -32022, data: { supported: [MODERN] } },
    },
    {
      name: 'is unknown in a request of 2026-07-28',
      params: { _meta: META },
      refused: { code: -32601 },
    },
  ])('initialize comes too late then, and $name', async ({ params, refused }) => {
    const replies = { 'server/discover': [result(DISCOVERED)], 'tools/list': [listed] }
    const seen = await live({ replies }, LIST, { ...INITIALIZE, params })
    const { object } = seen.failures[0] as ServerError
    expect(JSON.parse(object.toString())).toMatchObject(refused)
    expect(seen.wire).not.toContain('initialize')
  })
})

describe('who looks on at the server’s side', () => {
  const refusals = {
    initialize: [error(-32022, [MODERN])],
    'server/discover': [result(DISCOVERED)],
  }

  test.each<{ name: string; start: Start; messages: object[] }>([
    {
      name: 'a host and a server with an initialize',
      start: { replies: { initialize: [speaks('2025-11-25')], 'tools/list': [result({})] } },
      messages: [INITIALIZE, { jsonrpc: '2.0', id: 1, method: 'tools/list' }],
    },
    {
      name: 'a stateless host and a stateless server',
      start: {
        replies: { 'server/discover': [result(DISCOVERED)], 'tools/list': [result({})] },
      },
      messages: [PROBE, LIST],
    },
  ])('sees nothing of $name', async ({ start, messages }) => {
    expect((await live(start, ...messages)).overheard).toEqual([])
  })

  test('sees what is said for a host of the initialize era', async () => {
    const list = { jsonrpc: '2.0', id: 'l', method: 'tools/list' }
    const replies = { ...refusals, 'tools/list': [result({ resultType: 'complete', tools: [] })] }
    const seen = await live({ replies }, INITIALIZE, list)
    expect(seen.overheard).toEqual([
      '→ server/discover "bridge-discover-1"',
      '← answer "bridge-discover-1"',
      'translates',
      '1 stands for "l"',
      '→ tools/list 1',
      '← answer 1',
    ])
  })

  test('sees what is said for a host of the stateless era, refusals included', async () => {
    const replies = {
      'server/discover': [status(404)],
      initialize: [speaks('2025-11-25')],
      'notifications/initialized': [(request: Arrived) => request.end()],
      'tools/list': [status(400, -32602)],
    }
    const seen = await live({ replies }, LIST)
    expect(seen.overheard).toEqual([
      '→ server/discover "bridge-discover-1"',
      'translates',
      '→ initialize 1',
      '← answer 1',
      '→ notifications/initialized undefined',
      '2 stands for 1',
      '→ tools/list 2',
      '← answer 2',
    ])
  })
})

describe('a server/discover that lacks what every request of 2026-07-28 says of itself', () => {
  test.each<{ name: string; params: object }>([
    { name: 'everything', params: {} },
    { name: 'the version', params: { _meta: CAPABILITIES } },
    { name: 'the capabilities', params: { _meta: VERSION } },
  ])('$name: it is refused, and says nothing about the server', async ({ params }) => {
    const replies = { 'server/discover': [result(DISCOVERED)] }
    const seen = await live({ replies }, { ...PROBE, params }, { ...PROBE, id: 'again' })
    const { object } = seen.failures[0] as ServerError
    expect(JSON.parse(object.toString())).toMatchObject({ code: -32602 })
    expect(seen.answer('again')).toMatchObject({ result: DISCOVERED })
    expect(seen.wire).toEqual(['server/discover'])
  })
})
