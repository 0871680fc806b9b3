import type { ClientStart } from '../support/client.ts'
import type { Era, Feature } from './features.ts'
import { SERVERS, type ServerName } from './servers.ts'

const MODERN = '2026-07-28'

/** The hosts of the square: what an SDK's client does. */
export const CLIENTS = [
  { client: 'SDK v1', sdk: 'v1' },
  { client: 'SDK v2, 2025-11-25', sdk: 'v2', versionNegotiation: { mode: 'legacy' } },
  { client: 'SDK v2, either', sdk: 'v2', versionNegotiation: { mode: 'auto' } },
  { client: 'SDK v2, 2026-07-28', sdk: 'v2', versionNegotiation: { mode: { pin: MODERN } } },
] as const satisfies readonly ({ client: string } & Pick<
  ClientStart,
  'sdk' | 'versionNegotiation'
>)[]

export type ClientName = (typeof CLIENTS)[number]['client']

/** What is to happen between a client and a server; eras.md of this project says why. */
export interface Plan {
  /** The era that the host ends in, and the one in which the server is spoken to. */
  readonly hostEra: Era
  readonly serverEra: Era
  /** More arguments of the bridge. */
  readonly args: readonly string[]
  /** The requests until the host has its first result, or is connected, when nothing is known of the server. */
  readonly cold: readonly string[]
  /** The same at the next start. */
  readonly cached: readonly string[]
}

/** What is to happen in one pair. */
export function planOf(client: ClientName, name: ServerName): Plan {
  const { speaks, transport } = SERVERS.find(({ server }) => server === name)!
  const sse = transport === 'sse'
  /** What finds an HTTP+SSE server, after a first message that it has refused. */
  const opened = sse ? ['GET', 'initialize'] : ['initialize']
  switch (client) {
    case 'SDK v1':
    case 'SDK v2, 2025-11-25': {
      const hostEra = 'legacy'
      if (speaks === 'modern') {
        const cached = ['server/discover']
        return { hostEra, serverEra: speaks, args: [], cold: ['initialize', ...cached], cached }
      }
      const cold = sse ? ['initialize', ...opened] : opened
      return { hostEra, serverEra: 'legacy', args: [], cold, cached: opened }
    }
    case 'SDK v2, either': {
      if (speaks !== 'legacy') return modernRelayed
      // The probe does not tell the transport: its refusal may be one of a server of either.
      const cold = ['server/discover', ...(sse ? ['initialize'] : []), ...opened]
      return { hostEra: 'legacy', serverEra: 'legacy', args: [], cold, cached: opened }
    }
    case 'SDK v2, 2026-07-28': {
      if (speaks !== 'legacy') return modernRelayed
      // Its answer is the server's introduction, for which the session has to be open.
      const cached = [...opened, 'notifications/initialized']
      const cold = ['server/discover', ...(sse ? ['initialize'] : []), ...cached]
      const args = ['--protocol', 'translate']
      return { hostEra: 'modern', serverEra: 'legacy', args, cold, cached }
    }
  }
}

const modernRelayed: Plan = {
  hostEra: 'modern',
  serverEra: 'modern',
  args: [],
  cold: ['server/discover'],
  cached: ['server/discover'],
}

/** Features that a server has and a host cannot have there, and why. */
export const LOST: readonly {
  readonly clients: readonly ClientName[]
  readonly servers: readonly ServerName[]
  readonly feature: Feature
  readonly why: string
}[] = [
  {
    clients: ['SDK v2, 2026-07-28'],
    servers: ['server-everything'],
    feature: 'log messages',
    why: 'it logs outside of calls, and 2026-07-28 knows log messages only as part of one',
  },
  {
    clients: ['SDK v2, 2026-07-28'],
    servers: ['server-everything'],
    feature: 'roots',
    why: 'it asks for them once, when the session begins, and 2026-07-28 lets a server ask only during a call',
  },
]
