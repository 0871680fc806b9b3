import { MAX_ERROR_MESSAGE_CHARS } from './limits.ts'
import { NETWORK_REASONS, type NetworkReason } from './network-reasons.ts'

/** What can go wrong before or outside the relay. */
export type ErrorCode =
  | 'usage'
  | 'header_file_unreadable'
  | 'header_variable_missing'
  | 'unreachable'
  | 'sign_in_needed'
  | 'sign_in_failed'
  | 'server_failed'
  | 'store_unusable'
  | 'policy'
  | 'tool_not_allowed'
  | 'host_file_unusable'

/** An expected failure of the program: said in one line, with a way out. */
export class BridgeError extends Error {
  override readonly name = 'BridgeError'
  readonly code: ErrorCode
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.hint = options.hint
  }
}

/** Exit codes that scripts may rely on; docs/errors.md explains every code. */
export const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
  usage: 2,
  header_file_unreadable: 2,
  header_variable_missing: 2,
  unreachable: 3,
  sign_in_needed: 4,
  sign_in_failed: 5,
  server_failed: 6,
  store_unusable: 7,
  host_file_unusable: 7,
  tool_not_allowed: 2,
  policy: 2,
}

/** The exit code of a failure. */
export function exitCodeOf(code: ErrorCode): number {
  return EXIT_CODES[code]
}

/** Where on its way a message failed. */
export type Phase =
  | 'connect'
  | 'request'
  | 'response'
  | 'stream'
  | 'session'
  | 'authorization'
  | 'shutdown'

/** What accompanies a relay failure to the host, as `data` of its JSON-RPC error. */
export interface FailureDetails {
  readonly phase: Phase
  readonly httpStatus?: number | undefined
  readonly retryAfterMs?: number | undefined
  readonly hint?: string | undefined
}

/** A message that could not be delivered or was not answered. */
export class RelayError extends Error {
  override readonly name = 'RelayError'
  readonly details: FailureDetails

  constructor(message: string, details: FailureDetails, cause?: unknown) {
    super(message.slice(0, MAX_ERROR_MESSAGE_CHARS), { cause })
    this.details = details
  }
}

/** A rule of the user stands against the call of a tool. */
export class ToolRefused extends RelayError {}

/** The server does not speak the transport that was tried. */
export class TransportMismatch extends RelayError {}

/** The server's own JSON-RPC error object, byte for byte, that came with an HTTP error. */
export class ServerError extends Error {
  override readonly name = 'ServerError'
  readonly object: Buffer
  readonly httpStatus: number

  constructor(object: Buffer, httpStatus: number) {
    super('The server answered with a JSON-RPC error.')
    this.object = object
    this.httpStatus = httpStatus
  }
}

/**
 * The code of every JSON-RPC error that this program makes itself. Outside −32768…−32000, which
 * belong to JSON-RPC and MCP (MCP 2026-07-28, basic, Error Codes), so it is never a peer's code.
 */
export const RELAY_ERROR_CODE = -31001

/** JSON-RPC 2.0 §5.1. */
export const PARSE_ERROR_CODE = -32700

/** JSON-RPC 2.0 §5.1. */
export const INVALID_REQUEST_CODE = -32600

/** Why a proxy did not connect us; `NETWORK_REASONS` says what each code means. */
type ProxyCode =
  | 'ERR_PROXY_UNREACHABLE'
  | 'ERR_PROXY_TIMEOUT'
  | 'ERR_PROXY_REFUSED'
  | 'ERR_PROXY_CREDENTIALS_MISSING'
  | 'ERR_PROXY_CREDENTIALS_REFUSED'
  | 'ERR_PROXY_UNSUPPORTED'

/** A proxy that did not connect us; names its host and port, never user name and password. */
export class ProxyFailure extends Error {
  override readonly name = 'ProxyFailure'
  readonly code: ProxyCode

  /** `reason`: what is known beyond the code, e.g. the status that the proxy answered. */
  constructor(code: ProxyCode, host: string, options: { reason?: string; cause?: unknown } = {}) {
    const reason =
      options.reason ?? (options.cause === undefined ? undefined : whyOf(options.cause))
    const why = `${NETWORK_REASONS[code]!.why} (${host}${reason === undefined ? '' : `: ${reason}`})`
    super(why, { cause: options.cause })
    this.code = code
  }
}

/** The `code` of a system, TLS or undici error, searched through `cause` and aggregated errors. */
export function networkCode(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code
    if (at instanceof AggregateError) return networkCode(at.errors[0])
  }
  return undefined
}

/** A connection that failed, as a failure of one message. */
export function networkFailure(error: unknown, origin: string, phase: Phase): RelayError {
  if (error instanceof RelayError) return error
  const { hint, early } = reasonOf(error) ?? {}
  const what = early === true ? 'No connection to' : 'Lost the connection to'
  const details = { phase: early === true ? ('connect' as const) : phase, hint }
  return new RelayError(`${what} ${origin}: ${whyOf(error)}.`, details, error)
}

function reasonOf(error: unknown): NetworkReason | undefined {
  const code = networkCode(error)
  return code === undefined ? undefined : NETWORK_REASONS[code]
}

function whyOf(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof ProxyFailure) return at.message
  }
  return reasonOf(error)?.why ?? networkCode(error) ?? 'an unexpected network error'
}
