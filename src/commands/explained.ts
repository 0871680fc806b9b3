import type { FailureKind } from '../auth/failure.ts'
import type { Authorizer, Renewal } from '../auth/index.ts'
import {
  BridgeError,
  type ErrorCode,
  networkCode,
  networkFailure,
  RelayError,
  ToolRefused,
} from '../errors.ts'

/** An authorizer that remembers why it could not help last. */
export interface Watched extends Authorizer {
  failure(): FailureKind | undefined
}

/** Watches an authorizer. */
export function watched(authorizer: Authorizer): Watched {
  let failure: FailureKind | undefined
  const remembered = async (work: Promise<Renewal>): Promise<Renewal> => {
    const renewal = await work
    failure = renewal.ok ? undefined : renewal.kind
    return renewal
  }
  return {
    credential: authorizer.credential,
    headers: authorizer.headers,
    noted: authorizer.noted,
    due() {
      const due = authorizer.due()
      return due && remembered(due)
    },
    renew: (refusal) => remembered(authorizer.renew(refusal)),
    pending: authorizer.pending,
    close: authorizer.close,
    failure: () => failure,
  }
}

const CODES: Readonly<Partial<Record<FailureKind, ErrorCode>>> = {
  unreachable: 'unreachable',
  unanswered: 'sign_in_needed',
}

/** The error code of an authorization that failed. */
export function codeOf(kind: FailureKind | undefined): ErrorCode {
  return (kind && CODES[kind]) ?? 'sign_in_failed'
}

/** A failure on the way to a server, with its exit code; anything else as it is. */
export function explained(error: unknown, url: URL, kind: FailureKind | undefined): unknown {
  if (error instanceof BridgeError) return error
  if (!(error instanceof RelayError) && networkCode(error) === undefined) return error
  if (error instanceof ToolRefused) return new BridgeError('tool_not_allowed', error.message)
  const { message, details, cause } = networkFailure(error, url.origin, 'request')
  const hint = details.hint === undefined ? {} : { hint: details.hint }
  const code =
    details.phase === 'authorization'
      ? codeOf(kind)
      : details.phase === 'response'
        ? 'server_failed'
        : 'unreachable'
  return new BridgeError(code, message, { ...hint, cause })
}
