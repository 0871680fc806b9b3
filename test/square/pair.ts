import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openClient } from '../support/client.ts'
import { openTap, type Tap } from '../support/tap-server.ts'
import { CLIENTS, type ClientName, LOST, planOf } from './clients.ts'
import type { Era, Feature, Kit, Pairing } from './features.ts'
import { altered, faults } from './frames.ts'
import { type Running, type ServerName, transportOf } from './servers.ts'

/** What became of one start. */
export interface Outcome {
  readonly client: ClientName
  readonly server: ServerName
  /** Whether anything was remembered of the server. */
  readonly start: 'cold' | 'cached'
  readonly args: readonly string[]
  readonly way: 'relayed' | 'translated'
  readonly passed: readonly Feature[]
  /** What the server has and this host cannot have there. */
  readonly lost: readonly Feature[]
  /** The requests that the server saw until the host had its first result, or was connected without. */
  readonly opening: readonly string[]
  /** What was not as it should be, one line each. */
  readonly problems: readonly string[]
}

/** Tries a client at a server, without and with a memory of it. Never rejects. */
export async function runPair(
  client: ClientName,
  server: ServerName,
  running: Running,
  bin: string,
): Promise<readonly Outcome[]> {
  const home = await mkdtemp(join(tmpdir(), 'bridge-home-'))
  // What is remembered is kept for an address: both starts must see the same one.
  const tap = await openTap(running.url)
  try {
    const run = (start: Outcome['start']): Promise<Outcome> =>
      runStart({ client, server, start, running, bin, home, tap })
    return [await run('cold'), await run('cached')]
  } finally {
    tap.stop()
    await rm(home, { recursive: true, force: true, maxRetries: 10 })
  }
}

interface Setup {
  readonly client: ClientName
  readonly server: ServerName
  readonly start: Outcome['start']
  readonly running: Running
  readonly bin: string
  readonly home: string
  readonly tap: Tap
}

async function runStart(setup: Setup): Promise<Outcome> {
  const { client, server, start, running, bin, home, tap } = setup
  const plan = planOf(client, server)
  const { hostEra, serverEra, args } = plan
  const { sdk, ...more } = CLIENTS.find((row) => row.client === client)!
  const since = {
    requests: tap.requests.length,
    messages: tap.messages.length,
    streams: tap.streams,
    closed: tap.closed.length,
  }
  const lost = LOST.filter((row) => row.clients.includes(client) && row.servers.includes(server))
  const kit = running.kit(serverEra)
  const problems: string[] = []
  const passed: Feature[] = []
  let opening: readonly string[] | undefined
  const onFirstResult = (): void => {
    opening ??= tap.requests.slice(since.requests).filter(isPart)
  }
  /** Streams come and go at their own pace; that of HTTP+SSE is the connection. */
  const isPart = (name: string): boolean =>
    name !== 'DELETE' && (name !== 'GET' || transportOf(server) === 'sse')
  try {
    const options = { sdk, ...more, bin, home, args, url: tap.url, onFirstResult }
    const peer = await openClient(options)
    // SDK v2 probes with a process of its own: what is connected then has not asked for anything yet.
    onFirstResult()
    const tapped: Pairing['tapped'] = () => tap.messages.slice(since.messages)
    try {
      const pairing: Pairing = {
        peer,
        hostEra,
        serverEra,
        tapped,
        streams: () => tap.streams - since.streams,
        closed: () => tap.closed.slice(since.closed),
      }
      if (eraOf(peer.client) !== hostEra) problems.push(`the host ended in another era`)
      for (const [feature, exercise] of exercisesOf(kit)) {
        if (lost.some((row) => row.feature === feature)) continue
        try {
          await exercise(pairing)
          passed.push(feature)
        } catch (error) {
          problems.push(`${feature}: ${(error as Error).message}`)
        }
      }
    } finally {
      await peer.close()
    }
    const sides = { host: peer.messages, server: tapped(), hostEra, serverEra }
    problems.push(...faults(sides))
    const changed = altered(sides)
    const way = changed.length === 0 ? 'relayed' : 'translated'
    if (hostEra === serverEra) problems.push(...changed.map((text) => `altered, ${text}`))
    else if (way === 'relayed') problems.push('relayed between two eras')
    problems.push(...strayHeaders(tap, since.requests, serverEra))
    if (JSON.stringify(opening) !== JSON.stringify(plan[start])) {
      problems.push(`${opening?.join(', ')} instead of ${plan[start].join(', ')}`)
    }
    return outcome(way)
  } catch (error) {
    problems.push(`no connection: ${(error as Error).message}`)
    return outcome(hostEra === serverEra ? 'relayed' : 'translated')
  }

  function outcome(way: Outcome['way']): Outcome {
    const without = lost.map(({ feature }) => feature)
    const seen = opening ?? []
    return { client, server, start, args, way, passed, lost: without, opening: seen, problems }
  }
}

/** Requests that carry the headers of the other era, besides the one that finds the era out. */
function strayHeaders({ requests, headers }: Tap, from: number, era: Era): string[] {
  const probe = era === 'legacy' ? 'server/discover' : 'initialize'
  return requests
    .slice(from)
    .filter((name, index) => {
      if (name === probe || (era === 'modern' && !headers[from + index]!['content-type']))
        return false
      return 'mcp-method' in headers[from + index]! !== (era === 'modern')
    })
    .map((name) => `${name} with the headers of the other era`)
}

function exercisesOf(kit: Kit): [Feature, NonNullable<Kit[Feature]>][] {
  return Object.entries(kit) as [Feature, NonNullable<Kit[Feature]>][]
}

/** SDK v1 does not tell; it knows only one. */
function eraOf(client: object): Era {
  if (!('getNegotiatedProtocolVersion' in client)) return 'legacy'
  const version = (client.getNegotiatedProtocolVersion as () => string | undefined).call(client)
  return version === '2026-07-28' ? 'modern' : 'legacy'
}
