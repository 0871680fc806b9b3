import { any, legal } from './challenges.ts'
import { legacyHost, statelessHost } from './eras.ts'
import { eventData, eventStreams } from './event-streams.ts'
import { framing } from './framing.ts'
import { jsonPut, jsonRestored, tomlPut, tomlRestored } from './host-files.ts'
import { bytes, edited, kinds, listed, located, messages, rewritten, verdict } from './json.ts'
import type { Property } from './property.ts'
import { relay } from './relay.ts'
import { store } from './store.ts'

/** All of them. */
export const PROPERTIES: readonly Property[] = [
  framing,
  eventStreams,
  eventData,
  verdict,
  bytes,
  messages,
  kinds,
  rewritten,
  located,
  edited,
  listed,
  legal,
  any,
  store,
  relay,
  legacyHost,
  statelessHost,
  jsonPut,
  jsonRestored,
  tomlPut,
  tomlRestored,
]
