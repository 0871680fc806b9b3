import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectV1, connectV2, type Peer, type PeerStart } from '../support/peers.ts'
import { startTap, type Tap, type Tapped } from '../support/tap.ts'
import { watchWire } from '../support/wire.ts'
import { startWorker } from '../worker/dev/serve.mjs'

/** A busy machine needs longer than the second that is the default. */
const PATIENT = { timeout: 20_000 }

let worker: Awaited<ReturnType<typeof startWorker>>
beforeAll(async () => {
  worker = await startWorker({ flavour: 'public' })
})
afterAll(() => worker.stop())

const CLIENTS: readonly {
  client: string
  connect: (url: string, start?: PeerStart) => Promise<Peer>
}[] = [
  { client: 'SDK v1', connect: connectV1 },
  { client: 'SDK v2, legacy', connect: (url, start) => connectV2(url, {}, start) },
]

/** Everything that passed on both sides of the bridge is as the schemas of its era say. */
function expectLegal(peer: Peer, tapped: readonly Tapped[]): void {
  expect(faults('legacy', peer.messages)).toEqual([])
  // The refused `initialize` is what tells the era.
  const begin = tapped.findIndex(({ message }) => message['method'] === 'server/discover')
  expect(faults('modern', tapped.slice(Math.max(begin, 0)))).toEqual([])
}

function faults(era: 'legacy' | 'modern', messages: readonly Tapped[]): readonly string[] {
  const wire = watchWire(era)
  for (const { from, message } of messages) {
    if (from === 'client') wire.fromClient(message)
    else wire.fromServer(message)
  }
  return wire.faults
}

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

  test('a ping is answered here', async () => {
    const { peer, tap } = await modern()
    expect(peer.client.getServerVersion()?.name).toBeTypeOf('string')
    await peer.client.ping()
    expect(tap.requests).not.toContain('ping')
    expectLegal(peer, tap.messages)
  })

  test('a server that asks three things at once has three answers', async () => {
    const { peer, tap } = await modern()
    const name = 'test_input_required_result_multiple_inputs'
    const answer = textOf(await peer.client.callTool({ name, arguments: {} }))
    expect(answer).toMatch(/Hello, Ada! You have 1 roots/)
    expect([...peer.asked].sort()).toEqual([
      'elicitation/create',
      'roots/list',
      'sampling/createMessage',
    ])
    expectLegal(peer, tap.messages)
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
    await expect.poll(levels, PATIENT).toEqual(['critical', 'alert', 'emergency'])
    expectLegal(peer, tap.messages)
  })
})
