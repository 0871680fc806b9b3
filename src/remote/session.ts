import { slice, type Frame } from '../frame.ts'
import { hashed } from '../hash.ts'
import { header } from '../http/body.ts'
import type { HttpResponse } from '../http/client.ts'
import { valueAt } from '../json/locate.ts'

/** What `initialize` settled between host and server. */
export interface Session {
  /** The session id, when the server uses one (MCP 2025-11-25, transports, Session Management). */
  id(): string | undefined
  /** What tells sessions apart and gives none of them away. */
  fingerprint(): string | undefined
  /** The negotiated protocol version, once the InitializeResult has been seen. */
  version(): string | undefined
  /** The headers of every request after `initialize`. */
  headers(): Readonly<Record<string, string>>
  /** Takes the id from the response that carries the InitializeResult. */
  opened(response: HttpResponse): void
  /** Takes the version from an InitializeResult. */
  initialized(result: Frame): void
}

/** First revision that defines the `MCP-Protocol-Version` header; before it there is none to send. */
const FIRST_VERSION_WITH_HEADER = '2025-06-18'

/** Visible ASCII (MCP 2025-11-25, transports, Session Management); anything else is no session id. */
const SESSION_ID = /^[\u0021-\u007e]+$/

/** A short hash of a secret. */
export function fingerprintOf(secret: string): string {
  return hashed(secret, 8)
}

/** An empty session. */
export function createSession(): Session {
  let id: string | undefined
  let version: string | undefined
  let headers: Record<string, string> = {}
  function update(): void {
    headers = {}
    if (id !== undefined) headers['mcp-session-id'] = id
    if (version !== undefined && version >= FIRST_VERSION_WITH_HEADER) {
      headers['mcp-protocol-version'] = version
    }
  }
  return {
    id: () => id,
    fingerprint: () => (id === undefined ? undefined : fingerprintOf(id)),
    version: () => version,
    headers: () => headers,
    opened(response) {
      const value = header(response, 'mcp-session-id')
      id = value !== undefined && SESSION_ID.test(value) ? value : undefined
      update()
    },
    initialized(result) {
      if (result.result === undefined) return
      const value = valueAt(slice(result.chunks, result.result), 'protocolVersion')
      version = typeof value === 'string' ? value : undefined
      update()
    },
  }
}
