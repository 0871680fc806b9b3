import { printable } from '../log.ts'

/** What a failed step means for the tokens at hand and for the person. */
export type FailureKind =
  /** The authorization server could not be asked; nothing is lost, and asking again may help. */
  | 'unreachable'
  /** The grant is dead: only a new sign-in helps. */
  | 'grant'
  /** The client is unknown there: registering again helps. */
  | 'client'
  /** The redirect URI is refused; another spelling may be accepted. */
  | 'redirect'
  /** The authorization server does not take the `resource` parameter. */
  | 'resource'
  /** Nobody has signed in. */
  | 'unanswered'
  /** Nothing helps but a change on the server, or of our configuration. */
  | 'refused'

/** A step of the authorization that failed. */
export class AuthFailure extends Error {
  override readonly name = 'AuthFailure'
  readonly kind: FailureKind
  /** What a person can do about it. */
  readonly hint: string | undefined
  readonly retryAfterMs: number | undefined
  /** The error code of the authorization server. */
  readonly code: string | undefined

  constructor(
    kind: FailureKind,
    message: string,
    options: {
      hint?: string | undefined
      cause?: unknown
      retryAfterMs?: number | undefined
      code?: string | undefined
    } = {},
  ) {
    super(message, { cause: options.cause })
    this.kind = kind
    this.hint = options.hint
    this.retryAfterMs = options.retryAfterMs
    this.code = options.code
  }
}

/** A failure that was to be expected; anything else that was thrown goes on. */
export function expected(error: unknown): AuthFailure {
  if (error instanceof AuthFailure) return error
  throw error
}

/** Longest part of a server's text that is repeated. */
const MAX_QUOTE_CHARS = 200

/** Text of a server on its way into a message: no control characters, and not a page of it. */
export function quote(text: string): string {
  const line = printable(text).trim()
  return line.length > MAX_QUOTE_CHARS ? `${line.slice(0, MAX_QUOTE_CHARS)}…` : line
}
