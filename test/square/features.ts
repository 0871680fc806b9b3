import type { Peer } from '../support/client.ts'
import type { Tapped } from '../support/tap-server.ts'

export type Era = 'legacy' | 'modern'

/** Everything that a host and a server can do with each other, by the name that tables use. */
const FEATURES = [
  'tools',
  'numbers beyond 2^53',
  'structured output',
  'progress',
  'log messages',
  'resources',
  'resource updates',
  'prompts',
  'completion',
  'sampling',
  'elicitation',
  'URL elicitation',
  'roots',
  'cancellation',
  'changed lists',
] as const

export type Feature = (typeof FEATURES)[number]

/** A host and a server with the bridge between them. */
export interface Pairing {
  readonly peer: Peer
  readonly hostEra: Era
  readonly serverEra: Era
  /** What has passed at the server since this start. */
  tapped(): readonly Tapped[]
  /** The event streams that GETs have opened since this start. */
  streams(): number
  /** The ids of the requests whose response the bridge has closed since this start. */
  closed(): readonly unknown[]
}

/** Uses one feature; rejects when something is not as it should be. */
export type Exercise = (pairing: Pairing) => Promise<void>

/** How each feature that a server has is used there. */
export type Kit = Readonly<Partial<Record<Feature, Exercise>>>
