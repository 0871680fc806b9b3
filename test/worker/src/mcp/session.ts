import { DurableObject } from 'cloudflare:workers'
import {
  WebStandardStreamableHTTPServerTransport,
  type ServerEvent,
} from '@modelcontextprotocol/server'
import { readCaller } from '../caller.ts'
import type { Env } from '../env.ts'
import { createServer } from './server.ts'

/** One session of the initialize era. */
export class McpSession extends DurableObject<Env> {
  #transport: WebStandardStreamableHTTPServerTransport | undefined

  override async fetch(request: Request): Promise<Response> {
    const caller = readCaller(request.headers)
    if (this.#transport === undefined) {
      const transport = new WebStandardStreamableHTTPServerTransport({
        sessionIdGenerator: () => this.ctx.id.toString(),
      })
      const server = createServer({
        env: this.env,
        caller,
        era: 'legacy',
        sessionId: this.ctx.id.toString(),
      })
      await server.connect(transport)
      this.#transport = transport
    }
    return this.#transport.handleRequest(
      request,
      caller.authInfo ? { authInfo: caller.authInfo } : {},
    )
  }

  /** Sends a change notification to the client; false when there is no such session any more. */
  async announce(_event: ServerEvent): Promise<boolean> {
    return this.#transport !== undefined
  }
}
