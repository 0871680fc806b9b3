import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClientOptions } from '@modelcontextprotocol/client'
import { inject, onTestFinished } from 'vitest'
import { type ClientStart, openClient, type Peer } from './client.ts'
import { removeHome } from './last-signal.ts'

export type { Peer } from './client.ts'

/** How a peer starts the bridge. */
export interface PeerStart {
  /** `BRIDGE_HOME`; an empty folder by default. */
  readonly home?: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** SDK v1 over its own stdio transport, with the packed bridge as its server; closed after the test. */
export function connectV1(url: string, start: PeerStart = {}): Promise<Peer> {
  return connect({ sdk: 'v1' }, url, start)
}

/** SDK v2 over its own stdio transport, with the packed bridge as its server; closed after the test. */
export function connectV2(
  url: string,
  versionNegotiation: NonNullable<ClientOptions['versionNegotiation']> = {},
  start: PeerStart = {},
): Promise<Peer> {
  return connect({ sdk: 'v2', versionNegotiation }, url, start)
}

async function connect(
  client: Pick<ClientStart, 'sdk' | 'versionNegotiation'>,
  url: string,
  start: PeerStart,
): Promise<Peer> {
  const home = start.home ?? mkdtempSync(join(tmpdir(), 'bridge-home-'))
  if (start.home === undefined) {
    onTestFinished(() => removeHome(home))
  }
  const peer = await openClient({ ...client, ...start, bin: inject('bin'), url, home })
  onTestFinished(peer.close)
  return peer
}
