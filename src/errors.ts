import { MAX_ERROR_MESSAGE_CHARS } from './limits.ts'

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

/** Exit codes that scripts may rely on. */
export function exitCodeOf(code: ErrorCode): number {
  switch (code) {
    case 'usage':
    case 'header_file_unreadable':
    case 'header_variable_missing':
      return 2
    case 'unreachable':
      return 3
    case 'sign_in_needed':
      return 4
    case 'sign_in_failed':
      return 5
    case 'server_failed':
      return 6
    case 'store_unusable':
    case 'host_file_unusable':
      return 7
  }
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

const WHY: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  ENOTFOUND: 'the host name does not exist',
  EAI_AGAIN: 'the host name could not be resolved',
  ETIMEDOUT: 'the connection timed out',
  EHOSTUNREACH: 'the host is unreachable',
  ENETUNREACH: 'the network is unreachable',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  UND_ERR_SOCKET: 'the connection was closed',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the answer was cut short',
  UND_ERR_HEADERS_OVERFLOW: 'its response headers are too large',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate chain has a self-signed certificate',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate could not be verified',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
}

const BEFORE_ANY_BYTE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

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
  const code = networkCode(error)
  const why = (code === undefined ? undefined : WHY[code]) ?? code ?? 'an unexpected network error'
  const early = code !== undefined && BEFORE_ANY_BYTE.has(code)
  const what = early ? 'No connection to' : 'Lost the connection to'
  return new RelayError(`${what} ${origin}: ${why}.`, { phase: early ? 'connect' : phase }, error)
}
