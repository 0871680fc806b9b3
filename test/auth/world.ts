import type { ServerResponse } from 'node:http'
import type { Seen, TestServer } from '../support/http-server.ts'
import { type Authority, type Script, startAuthority } from './authority.ts'
import { startProtected, type Verdict } from './protected.ts'

/** An MCP server and the authorization server that it trusts. */
export interface World {
  readonly authority: Authority
  readonly mcp: TestServer
  /** Makes the MCP server trust another authority from now on. */
  trust(authority: Authority): void
  /** Replaces members of the protected resource metadata from now on. */
  publish(metadata: Record<string, unknown>): void
  /** Ends all event streams. */
  cutStreams(): void
  /** The POSTs to the MCP endpoint: JSON-RPC method and token. */
  calls(): { method: string | undefined; token: string | undefined }[]
}

/** What a test wants otherwise. */
export interface WorldOptions {
  readonly script?: Script
  /** The scope that a request needs; none by default. */
  readonly needs?: (request: Seen) => string | undefined
  /** Has the last word on a request with a living token. */
  readonly judge?: (request: Seen, token: string) => Verdict | undefined
  /** More of the protected resource metadata; `undefined` as a whole: there is none. */
  readonly metadata?: Record<string, unknown> | undefined
  /** Whether GET opens an event stream that stays. */
  readonly streams?: boolean
  /** More parameters of the challenge of a 401. */
  readonly challenge?: string
  /** More headers of the answer to `initialize`, e.g. a session. */
  readonly session?: Readonly<Record<string, string>>
}

/** Starts both on loopback; they end with the test. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const { script, needs, judge, challenge = '', session = {} } = options
  const authority = await startAuthority(script)
  let trusted = authority
  let published = options.metadata
  const streams = new Set<ServerResponse>()
  const mcp = await startProtected({
    stream(response) {
      if (options.streams !== true) return false
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      streams.add(response)
      return true
    },
    session,
    metadata: (resource) =>
      'metadata' in options && options.metadata === undefined
        ? undefined
        : { resource, authorization_servers: [trusted.issuer], ...published },
    judge(token, request, url) {
      const granted = trusted.scopeOf(token)
      if (token === undefined || granted === undefined) {
        const metadata = new URL('/.well-known/oauth-protected-resource/mcp', url).href
        return { status: 401, challenge: `Bearer resource_metadata="${metadata}"${challenge}` }
      }
      const needed = needs?.(request)
      if (needed !== undefined && !granted.split(' ').includes(needed)) {
        const parameters = `error="insufficient_scope", scope="${needed}"`
        return { status: 403, challenge: `Bearer ${parameters}` }
      }
      return judge?.(request, token) ?? 'accept'
    },
  })
  return {
    authority,
    mcp,
    publish(metadata) {
      published = metadata
    },
    trust(other) {
      trusted = other
    },
    cutStreams() {
      for (const response of streams) response.end()
      streams.clear()
    },
    calls: () =>
      mcp.seen
        .filter(({ method, path }) => method === 'POST' && path.startsWith('/mcp'))
        .map(({ message, headers }) => ({
          method: message?.method,
          token: headers.authorization?.replace('Bearer ', ''),
        })),
  }
}
