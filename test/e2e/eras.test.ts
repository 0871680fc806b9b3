import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startEverything } from '../support/everything.ts'
import { connectV1, connectV2, type Peer, type PeerStart } from '../support/peers.ts'
import { startTap, type Tap, type Tapped } from '../support/tap.ts'
import { until } from '../support/until.ts'
import { startV1Server } from '../support/v1-server.ts'
import { watchWire } from '../support/wire.ts'
import { startWorker } from '../worker/dev/serve.mjs'

type Era = 'legacy' | 'modern'

interface Row {
  readonly server: string
  readonly url: () => string
  /** The era in which a host of the initialize era ends at this server. */
  readonly era: Era
  /** The requests until the host has its InitializeResult. */
  readonly cold: readonly string[]
  readonly cached: readonly string[]
  readonly call: { name: string; arguments: Record<string, unknown> }
}

let worker: Awaited<ReturnType<typeof startWorker>>
const urls = new Map<string, string>()
const stops: (() => void)[] = []

beforeAll(async () => {
  worker = await startWorker({ flavour: 'public' })
  const started = {
    'v1 sessions': await startV1Server('session'),
    'v1 stateless': await startV1Server('stateless'),
    everything: await startEverything('streamableHttp'),
    'everything sse': await startEverything('sse'),
  }
  for (const [name, { url, stop }] of Object.entries(started)) {
    urls.set(name, url)
    stops.push(stop)
  }
})
afterAll(async () => {
  for (const stop of stops) stop()
  await worker.stop()
})

const echo = { name: 'echo', arguments: { message: 'é' } }
const six = { name: 'calculator', arguments: { operation: 'multiply', a: 6, b: 7 } }
const ONE = ['initialize']
const direct = { cold: ONE, cached: ONE, era: 'legacy' } as const
const at = (path: string) => () => worker.url + path

const ROWS: readonly Row[] = [
  { server: 'SDK v1 with sessions', url: () => urls.get('v1 sessions')!, ...direct, call: echo },
  { server: 'SDK v1, stateless', url: () => urls.get('v1 stateless')!, ...direct, call: echo },
  { server: 'server-everything', url: () => urls.get('everything')!, ...direct, call: echo },
  {
    server: 'server-everything over HTTP+SSE',
    url: () => urls.get('everything sse')!,
    era: 'legacy',
    cold: ['initialize', 'GET', 'initialize'],
    cached: ['GET', 'initialize'],
    call: echo,
  },
  { server: 'Worker /mcp', url: at('/mcp'), ...direct, call: six },
  { server: 'Worker /stateless', url: at('/stateless/mcp'), ...direct, call: six },
  { server: 'Worker /legacy', url: at('/legacy/mcp'), ...direct, call: six },
  {
    server: 'Worker /modern',
    url: at('/modern/mcp'),
    era: 'modern',
    cold: ['initialize', 'server/discover'],
    cached: ['server/discover'],
    call: six,
  },
]

const CLIENTS: readonly {
  client: string
  connect: (url: string, start?: PeerStart) => Promise<Peer>
}[] = [
  { client: 'SDK v1', connect: connectV1 },
  { client: 'SDK v2, legacy', connect: (url, start) => connectV2(url, {}, start) },
]

function homeFolder(): string {
  const home = mkdtempSync(join(tmpdir(), 'bridge-home-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  return home
}

/** Everything that passed on both sides of the bridge is as the schemas of its era say. */
function expectLegal(peer: Peer, tapped: readonly Tapped[], era: Era): void {
  expect(faults('legacy', peer.messages)).toEqual([])
  // The refused `initialize` is what tells the era.
  const begin = tapped.findIndex(({ message }) => message['method'] === 'server/discover')
  expect(faults(era, tapped.slice(Math.max(begin, 0)))).toEqual([])
}

function faults(era: Era, messages: readonly Tapped[]): readonly string[] {
  const wire = watchWire(era)
  for (const { from, message } of messages) {
    if (from === 'client') wire.fromClient(message)
    else wire.fromServer(message)
  }
  return wire.faults
}

describe.each(CLIENTS)('a host with $client', ({ connect }) => {
  test.each(ROWS)('on $server', async ({ url, era, cold, cached, call }) => {
    const home = homeFolder()
    // The verdict is kept for an address: both starts must see the same one.
    const tap = await startTap(url())
    // Where nothing is worth remembering, the second start is the first one again.
    for (const opening of cold === cached ? [cold] : [cold, cached]) {
      const before = tap.requests.length
      const said = tap.messages.length
      const peer = await connect(tap.url, { home })
      const seen = tap.requests.slice(before)
      expect(seen.slice(0, opening.length)).toEqual(opening)
      const probes = seen.filter((name) => name === 'server/discover')
      expect(probes).toHaveLength(era === 'modern' ? 1 : 0)
      const { tools } = await peer.client.listTools()
      expect(tools.map(({ name }) => name)).toContain(call.name)
      expect((await peer.client.callTool(call)).isError ?? false).toBe(false)
      const wrong = peer.client.callTool({ name: 'nothing', arguments: {} })
      await wrong.then(({ isError }) => expect(isError).toBe(true), String)
      await peer.close()
      expectLegal(peer, tap.messages.slice(said), era)
    }
    const modern = tap.headers.filter((headers) => headers['mcp-method'] !== undefined)
    expect(modern.length > 0).toBe(era === 'modern')
  })
})

/** The text of a tool's result. */
function textOf(result: unknown): string {
  const { content } = result as { content: { type: string; text?: string }[] }
  return content.map(({ text }) => text ?? '').join('\n')
}

describe.each(CLIENTS)('a host with $client on a server of 2026-07-28', ({ connect }) => {
  const modern = async (): Promise<{ peer: Peer; tap: Tap }> => {
    const tap = await startTap(`${worker.url}/modern/mcp`)
    return { peer: await connect(tap.url), tap }
  }

  test('tools, resources, prompts, completion and errors', async () => {
    const { peer, tap } = await modern()
    const { client } = peer
    expect(client.getServerVersion()?.name).toBeTypeOf('string')
    const { resources } = await client.listResources()
    expect(resources.length).toBeGreaterThan(0)
    const uri = resources[0]!.uri
    expect((await client.readResource({ uri })).contents).toHaveLength(1)
    await client.listResourceTemplates()
    const { prompts } = await client.listPrompts()
    expect(prompts.length).toBeGreaterThan(0)
    await expect(client.readResource({ uri: 'nowhere://x' })).rejects.toThrow(/nowhere/)
    await client.ping()
    expect(tap.requests).not.toContain('ping')
    expectLegal(peer, tap.messages, 'modern')
  })

  test.each([
    ['elicitation', ['elicitation/create'], /Hello, Ada!/],
    ['sampling', ['sampling/createMessage'], /sampled text/],
    ['list_roots', ['roots/list'], /file:\/\/\/home\/one/],
    [
      'multiple_inputs',
      ['elicitation/create', 'roots/list', 'sampling/createMessage'],
      /Hello, Ada! You have 1 roots/,
    ],
  ] as const)('the server asks: %s', async (tool, asked, text) => {
    const { peer, tap } = await modern()
    const name = `test_input_required_result_${tool}`
    expect(textOf(await peer.client.callTool({ name, arguments: {} }))).toMatch(text)
    expect([...peer.asked].sort()).toEqual(asked)
    expectLegal(peer, tap.messages, 'modern')
  })

  test('changes are heard of: lists and resources', async () => {
    const { peer, tap } = await modern()
    await until('the subscription', () =>
      tap.messages.some(
        ({ message }) => message['method'] === 'notifications/subscriptions/acknowledged',
      ),
    )
    await fetch(`${worker.url}/__test/list-changed?kind=tools`, { method: 'POST' })
    const seen = (): string[] => peer.notes.map(({ method }) => method)
    await expect.poll(seen).toContain('notifications/tools/list_changed')
    await peer.client.subscribeResource({ uri: 'counter://eras' })
    await peer.client.callTool({ name: 'increment', arguments: { name: 'eras' } })
    await expect.poll(seen).toContain('notifications/resources/updated')
    await peer.client.unsubscribeResource({ uri: 'counter://eras' })
    expectLegal(peer, tap.messages, 'modern')
  })

  test('log messages come at the level that was set, and not before', async () => {
    const { peer, tap } = await modern()
    const levels = (): unknown[] =>
      peer.notes
        .filter(({ method }) => method === 'notifications/message')
        .map(({ params }) => params?.['level'])
    await peer.client.callTool({ name: 'log', arguments: {} })
    expect(levels()).toEqual([])
    await peer.client.setLoggingLevel('critical')
    await peer.client.callTool({ name: 'log', arguments: {} })
    await expect.poll(levels).toEqual(['critical', 'alert', 'emergency'])
    expectLegal(peer, tap.messages, 'modern')
  })
})
