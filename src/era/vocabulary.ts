/** Names that the two eras gave to things (MCP 2026-07-28, basic: `_meta`, Error Codes; versioning). */

/** First revision of the stateless era: every request names its version in `params._meta`. */
const FIRST_MODERN_VERSION = '2026-07-28'

/** The revision of the stateless era that is translated. */
export const MODERN_VERSION = '2026-07-28'

/** Revisions that have an `initialize`, oldest first (MCP, Versioning). */
export const LEGACY_VERSIONS = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']

/** The newest of them. */
export const NEWEST_LEGACY_VERSION = '2025-11-25'

/** Reserved keys of `_meta`. */
export const META = {
  version: 'io.modelcontextprotocol/protocolVersion',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  capabilities: 'io.modelcontextprotocol/clientCapabilities',
  logLevel: 'io.modelcontextprotocol/logLevel',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  subscription: 'io.modelcontextprotocol/subscriptionId',
} as const

/** The tasks extension; it is not defined for the initialize era (SEP-2663, Backward Compatibility). */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks'

/** Codes of JSON-RPC errors. */
export const CODE = {
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedVersion: -32022,
} as const

/** Whether a protocol version belongs to the stateless era; versions are dates. */
export function isModern(version: string): boolean {
  return version >= FIRST_MODERN_VERSION
}

/** Severities of log messages, the most verbose first (RFC 5424 §6.2.1; MCP 2026-07-28, logging). */
export const LOG_LEVELS = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
] as const

/** How much a request, or a session, wants to hear. */
export type LogLevel = (typeof LOG_LEVELS)[number]

export function isLogLevel(value: unknown): value is LogLevel {
  return LOG_LEVELS.some((level) => level === value)
}
