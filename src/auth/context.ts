import type { Log } from '../log.ts'
import type { Credentials } from '../store/credentials.ts'
import type { Discovery } from './discover.ts'
import type { AuthHttp } from './fetch.ts'
import type { Idp } from './idp.ts'
import type { Nonces } from './nonces.ts'
import type { AuthOptions } from './options.ts'
import type { Refusals } from './refusals.ts'

/** What every step of the authorization works with. */
export interface AuthContext {
  /** The MCP server, or the company's identity provider. */
  readonly server: URL
  readonly options: AuthOptions
  readonly http: AuthHttp
  readonly store: Credentials
  readonly log: Log
  readonly env: NodeJS.ProcessEnv
  /** Aborts at the end of the bridge. */
  readonly signal: AbortSignal
  readonly now: () => number
  /** The nonces for proofs that servers have given. */
  readonly nonces: Nonces
  /** The company's identity provider, when the user has named one. */
  readonly idp: Idp | undefined
  readonly refusals: Refusals
  /** Throws for an authorization server that the administrator does not want. */
  permit(issuer: string): void
  /**
   * Finds the authorization server. `hinted` is where a challenge says that the metadata is, `known`
   * are issuers that were used before.
   */
  find(hinted: string | undefined, known: readonly string[]): Promise<Discovery>
}
