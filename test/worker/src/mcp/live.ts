import type { McpServer } from '@modelcontextprotocol/server'
import type { Caller } from '../caller.ts'
import type { Env } from '../env.ts'

/** A session that is in memory, whatever its transport. */
export interface LiveSession {
  readonly server: McpServer
  /** Serves one HTTP request of the session's own client. */
  handle(request: Request, caller: Caller): Promise<Response>
  /** Ends every open stream as a network fault would; the session itself lives on. */
  dropStreams(): void
  close(): Promise<void>
}

/** What a session is opened with. */
export interface SessionParts {
  readonly env: Env
  readonly storage: DurableObjectStorage
  readonly sessionId: string
  /** Who opened the session; later requests bring their own token. */
  readonly caller: Caller
}
