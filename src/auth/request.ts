import type { ServerRecord } from '../store/record.ts'
import type { Binding } from './binding.ts'
import type { AuthContext } from './context.ts'
import type { Discovery } from './discover.ts'
import { currentTokens } from './ledger.ts'
import { canonicalResource } from './resource.ts'
import { joinScopes, scopesOf } from './scopes.ts'

/** Scopes and resource of an authorization. */
export interface Asked {
  readonly scope: string | undefined
  readonly resource: string | undefined
  /** Whether the tokens are to be bound to a key. */
  readonly binding?: Binding | undefined
}

/** What to ask for. `challenged` is what a challenge named. */
export function whatToAsk(
  { options, server }: AuthContext,
  { issuer, metadata, resource }: Discovery,
  record: ServerRecord,
  challenged: string | undefined,
  stepUp: boolean,
): Asked {
  const published = resource?.scopes_supported
  const wanted = options.scope ?? challenged ?? (published && joinScopes(...published))
  const before = stepUp ? currentTokens(record) : undefined
  // A server that asks for more means "as well": what was granted before must not get lost.
  const all = joinScopes(before?.requested, before?.scope, wanted, stepUp ? challenged : undefined)
  const offline =
    options.scope === undefined && metadata.scopes_supported?.includes('offline_access')
  const omit = options.resource === false || record.issuers[issuer]?.refusesResource === true
  const own = options.resource === false ? undefined : options.resource
  return {
    // Alone it would take the place of the scopes that a server grants when none is named.
    scope:
      all !== undefined && offline === true ? joinScopes(...scopesOf(all), 'offline_access') : all,
    resource: own ?? (omit ? undefined : (resource?.resource ?? canonicalResource(server))),
  }
}
