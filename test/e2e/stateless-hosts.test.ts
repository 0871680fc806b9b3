import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startWorker } from '../worker/dev/serve.mjs'
import { startBridge } from '../support/bridge.ts'
import { startEverything } from '../support/everything.mjs'
import { type LegacyKind, type LegacyServer, startLegacyServer } from '../support/legacy-server.ts'
import { connectV2, type Peer } from '../support/peers.ts'
import { startTap, type Tap } from '../support/tap.ts'
import { until } from '../support/until.ts'
import { watchWire } from '../support/wire.ts'

const MODERN = '2026-07-28'
const KINDS: readonly LegacyKind[] = ['session', 'stateless', 'sse']
const EVERYTHING = ['streamableHttp', 'sse'] as const
/** The other endpoints are part of the square. */
const WORKER = ['/sse'] as const

const servers = new Map<LegacyKind, LegacyServer>()
const everything = new Map<string, { url: string; stop(): void }>()
let worker: Awaited<ReturnType<typeof startWorker>>
beforeAll(async () => {
  for (const kind of KINDS) servers.set(kind, await startLegacyServer(kind))
  for (const mode of EVERYTHING) everything.set(mode, await startEverything(mode))
  worker = await startWorker({ flavour: 'public' })
}, 60_000)
afterAll(async () => {
  for (const server of [...servers.values(), ...everything.values()]) server.stop()
  await worker.stop()
})

/**
 * A host that knows 2026-07-28 only. SDK v2 gives up when its probe is not answered, so it needs the
 * translation from the first message. Every message on both sides is judged when the test is over.
 */
async function connect(url: string): Promise<Peer & { tap: Tap }> {
  const tap = await startTap(url)
  const args = ['--protocol', 'translate']
  const peer = await connectV2(tap.url, { mode: { pin: MODERN } }, { args })
  onTestFinished(() => {
    const host = watchWire('modern')
    const server = watchWire('legacy')
    for (const { from, message } of peer.messages) {
      if (from === 'client') host.fromClient(message)
      else host.fromServer(message)
    }
    for (const { from, message } of tap.messages) {
      // What the entrance asks to find out the era is no part of the translation.
      if (message['method'] === 'server/discover' || message['id'] === null) continue
      if (String(message['id']).startsWith('bridge-')) continue
      if (from === 'client') server.fromClient(message)
      else server.fromServer(message)
    }
    expect([...host.faults, ...server.faults]).toEqual([])
  })
  return { ...peer, tap }
}

const textOf = (result: object): string => JSON.stringify((result as { content: unknown }).content)

describe.each(KINDS)('a stateless host at a server of SDK v1 (%s)', (kind) => {
  test('tools, resources, prompts, instructions, progress and log messages', async () => {
    const { client, notes } = await connect(servers.get(kind)!.url)
    expect(client.getNegotiatedProtocolVersion()).toBe(MODERN)
    expect(client.getServerVersion()).toMatchObject({ name: `legacy-${kind}` })
    expect(client.getInstructions()).toBe('Old but good.')
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toContain('sum')
    const sum = await client.callTool({ name: 'sum', arguments: { a: 1.5, b: 2 } })
    expect(textOf(sum)).toContain('3.5')
    const { contents } = await client.readResource({ uri: 'note://one' })
    expect(contents).toMatchObject([{ text: 'noted' }])
    expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(1)
    await expect(client.readResource({ uri: 'nothing://x' })).rejects.toThrow(/not found/i)
    const prompt = await client.getPrompt({ name: 'greet', arguments: { name: 'Zoë' } })
    expect(JSON.stringify(prompt)).toContain('Greet Zoë')
    const unknown = await client.callTool({ name: 'nothing', arguments: {} }).catch(String)
    expect(JSON.stringify(unknown)).toContain('nothing')

    const steps: number[] = []
    const onprogress = ({ progress }: { progress: number }): number => steps.push(progress)
    const stepped = await client.callTool({ name: 'steps', arguments: {} }, { onprogress })
    expect(textOf(stepped)).toContain('stepped')
    // The SDK drops a progress notification that it reads together with the answer behind it.
    expect(steps).toEqual([1, 2, 3].slice(0, steps.length))
    const meta = { 'io.modelcontextprotocol/logLevel': 'warning' }
    await client.callTool({ name: 'log', arguments: {}, _meta: meta })
    const said = notes.filter(({ method }) => method === 'notifications/message')
    expect(said.map(({ params }) => params?.['data'])).toEqual(['error'])
  })
})

const SESSIONS = KINDS.filter((kind) => kind !== 'stateless')

describe.each(SESSIONS)('a stateless host at a session of SDK v1 (%s)', (kind) => {
  test('the server asks: elicitation, sampling and roots', async () => {
    const { client, asked } = await connect(servers.get(kind)!.url)
    const answer = textOf(await client.callTool({ name: 'ask', arguments: {} }))
    expect(answer).toContain('Ada')
    expect(answer).toContain('sampled text')
    expect(answer).toContain('file:///home/one')
    expect([...asked].sort()).toEqual([
      'elicitation/create',
      'roots/list',
      'sampling/createMessage',
    ])
  })

  test('a call that is cancelled is given up by the server', async () => {
    const server = servers.get(kind)!
    const { client } = await connect(server.url)
    const call = randomUUID()
    const abort = new AbortController()
    const hung = client.callTool({ name: 'hang', arguments: { call } }, { signal: abort.signal })
    const reason = hung.catch(String)
    await until('the call', () => server.hanging.has(call))
    abort.abort('enough')
    expect(await reason).toContain('enough')
    await until('its end', () => !server.hanging.has(call))
    expect(textOf(await client.callTool({ name: 'sum', arguments: { a: 1, b: 1 } }))).toContain('2')
  })

  test('subscriptions bring what was asked for, until they are closed', async () => {
    const server = servers.get(kind)!
    const { client, notes } = await connect(server.url)
    const uri = `note://${kind}`
    const wish = { toolsListChanged: true, resourceSubscriptions: [uri] }
    const subscription = await client.listen(wish)
    expect(subscription.honoredFilter).toEqual(wish)
    expect([...server.subscribed]).toContain(uri)
    await client.callTool({ name: 'touch', arguments: {} })
    await until('the changes', () => notes.length >= 2)
    expect(notes.map(({ method }) => method).sort()).toEqual([
      'notifications/resources/updated',
      'notifications/tools/list_changed',
    ])
    await subscription.close()
    await until('the end of the subscription', () => !server.subscribed.has(uri))
  })
})

describe.each(EVERYTHING)('a stateless host at server-everything (%s)', (mode) => {
  test('every feature', async () => {
    const { client, asked, notes } = await connect(everything.get(mode)!.url)
    const names = (await client.listTools()).tools.map(({ name }) => name)
    expect(names).toContain('get-sum')
    expect(textOf(await client.callTool({ name: 'get-sum', arguments: { a: 2, b: 3 } }))).toContain(
      '5',
    )
    const { completion } = await client.complete({
      ref: { type: 'ref/prompt', name: 'completable-prompt' },
      argument: { name: 'name', value: 'A' },
      context: { arguments: { department: 'Engineering' } },
    })
    expect(completion.values).toEqual(['Alice'])
    const uri = 'demo://resource/dynamic/text/1'
    expect(JSON.stringify(await client.readResource({ uri }))).toContain('Resource 1')
    await until('the tools that need a client', async () =>
      (await client.listTools()).tools.some(({ name }) => name === 'trigger-sampling-request'),
    )
    const sampling = { name: 'trigger-sampling-request', arguments: { prompt: 'hi', maxTokens: 5 } }
    expect(textOf(await client.callTool(sampling))).toContain('sampled text')
    const elicitation = { name: 'trigger-elicitation-request', arguments: {} }
    expect(textOf(await client.callTool(elicitation))).toContain('Name: Ada')
    expect(asked).toContain('elicitation/create')
    const subscription = await client.listen({ resourceSubscriptions: [uri] })
    await client.callTool({ name: 'toggle-subscriber-updates', arguments: {} })
    await until('an update', () =>
      notes.some(({ method }) => method === 'notifications/resources/updated'),
    )
    await subscription.close()
    const research = { name: 'simulate-research-query', arguments: { topic: 'bridges' } }
    expect(textOf(await client.callTool(research))).toContain('bridges')
  })
})

describe.each(WORKER)('a stateless host at the Worker (%s)', (path) => {
  test('tools and questions', async () => {
    const { client } = await connect(worker.url + path)
    const args = { operation: 'multiply', a: 6, b: 7 }
    const result = await client.callTool({ name: 'calculator', arguments: args })
    expect(result).toMatchObject({ structuredContent: { result: 42 } })
    const question = { name: 'confirm', arguments: { question: 'Go on?' } }
    expect((await client.callTool(question)).isError ?? false).toBe(false)
  })
})

const META = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientCapabilities': { elicitation: { url: {} } },
}

test.each(WORKER)('integers beyond 2^53 and other unusual JSON arrive at %s', async (path) => {
  const bridge = startBridge(worker.url + path)
  bridge.write(
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"int64","arguments":{"number":12345678901234567890},"_meta":${JSON.stringify(META)}}}`,
  )
  await bridge.answer(1)
  const line = bridge.lines[0]!.toString('utf8')
  for (const part of [
    '"beyond_2_53":9007199254740993',
    '"thirty_digits":123456789012345678901234567890',
    '"one_with_fraction":1.0',
    '"beyond_double":1e400',
    String.raw`"lone_surrogate":"\ud800"`,
    '12345678901234567890',
    '"resultType":"complete"',
  ]) {
    expect(line).toContain(part)
  }
})

test('a host that never probes needs no option, and pages to visit are shown', async () => {
  const tap = await startTap(servers.get('session')!.url)
  const bridge = startBridge(tap.url)
  const call = (id: number, more: object = {}): object => {
    const params = { name: 'page', arguments: {}, ...more, _meta: META }
    return { jsonrpc: '2.0', id, method: 'tools/call', params }
  }
  bridge.write(call(1))
  const { result } = await bridge.answer(1)
  expect(result).toMatchObject({ resultType: 'input_required' })
  const { inputRequests, requestState } = result as { inputRequests: object; requestState: string }
  expect(Object.values(inputRequests)).toEqual([
    {
      method: 'elicitation/create',
      params: { mode: 'url', url: 'https://a.example/', message: 'Go' },
    },
  ])
  const inputResponses = { [Object.keys(inputRequests)[0]!]: { action: 'accept' } }
  bridge.write(call(2, { requestState, inputResponses }))
  expect(await bridge.answer(2)).toMatchObject({
    result: { resultType: 'complete', content: [{ text: 'visited' }] },
  })
  // One probe, because nobody knew the server, and one session for everything.
  expect(tap.requests.filter((request) => request !== 'GET')).toEqual([
    'server/discover',
    'initialize',
    'notifications/initialized',
    'tools/call',
    'tools/call',
  ])
})

test('a server without a stream of its own is not expected to tell of changes', async () => {
  const { client } = await connect(servers.get('stateless')!.url)
  const wish = { toolsListChanged: true, resourceSubscriptions: ['note://one'] }
  const subscription = await client.listen(wish)
  expect(subscription.honoredFilter).toEqual({ resourceSubscriptions: [] })
  await subscription.close()
})

test('when the host goes, its subscriptions end in good order and the session is deleted', async () => {
  const tap = await startTap(servers.get('session')!.url)
  const bridge = startBridge(tap.url)
  const params = { notifications: { toolsListChanged: true }, _meta: META }
  bridge.write({ jsonrpc: '2.0', id: 'l', method: 'subscriptions/listen', params })
  await bridge.message(({ method }) => method === 'notifications/subscriptions/acknowledged')
  bridge.end()
  expect(await bridge.exit()).toEqual({ code: 0, signal: null })
  expect(bridge.messages().slice(1)).toMatchObject([
    { id: 'l', result: { resultType: 'complete' } },
    { method: 'notifications/cancelled', params: { requestId: 'l' } },
  ])
  expect(tap.requests).toContain('DELETE')
})
