import type { ServerContext } from '@modelcontextprotocol/server'
import { callerOf, type Caller } from './caller.ts'
import type { Env } from './env.ts'

/** Where a server instance works: per request, or for the life of a session. */
export interface Place {
  readonly env: Env
  /** Who opened it; a later call of a session has a token of its own. */
  readonly caller: Caller
  readonly era: 'legacy' | 'modern'
  /** The session's id on a sessionful transport. */
  readonly sessionId?: string
}

/** The caller of this very call: the token that opened a session may have had fewer scopes. */
export function callerAt({ caller }: Place, ctx: ServerContext): Caller {
  const authInfo = ctx.http?.authInfo
  if (authInfo === undefined && caller.authInfo !== undefined) {
    throw new Error('a call without a token on a signed-in server')
  }
  return callerOf(authInfo)
}
