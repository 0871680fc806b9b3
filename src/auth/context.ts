import type { Log } from '../log.ts'
import type { Credentials } from '../store/credentials.ts'
import type { AuthHttp } from './fetch.ts'
import type { AuthOptions } from './options.ts'

/** What every step of the authorization works with. */
export interface AuthContext {
  /** The MCP server. */
  readonly server: URL
  readonly options: AuthOptions
  readonly http: AuthHttp
  readonly store: Credentials
  readonly log: Log
  readonly env: NodeJS.ProcessEnv
  /** Aborts at the end of the bridge. */
  readonly signal: AbortSignal
  readonly now: () => number
}
