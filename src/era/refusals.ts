import { ServerError } from '../errors.ts'
import { type ErrorObject, errorFrame, type Frame } from '../frame.ts'
import type { Log } from '../log.ts'
import { CODE, MODERN_VERSION } from './vocabulary.ts'

/** The server speaks versions that nobody here does: said to the host, and to people. */
export function noMutualVersion(
  host: string,
  supported: readonly string[],
  requested: string,
  log: Log,
): ServerError {
  const message = `${host} speaks ${supported.join(', ')}, and this bridge ${MODERN_VERSION} and older.`
  log.warn(message)
  const error = { code: CODE.unsupportedVersion, message, data: { supported, requested } }
  return new ServerError(Buffer.from(JSON.stringify(error)), 400)
}

/**
 * The answer to `server/discover` in the place of a server of the initialize era. Some hosts fall
 * back to `initialize` for this code only (rust-sdk 1040).
 */
export function legacyServer(frame: Frame, host: string): Frame {
  const message =
    `${host} speaks 2025-11-25 or older: send initialize, ` +
    'or start the bridge with --protocol translate.'
  return errorFrame(frame.id!, { code: CODE.methodNotFound, message })
}

/** A host of the stateless era that opens a session after all (MCP 2026-07-28, versioning). */
export function initializeTooLate(frame: Frame, requested: unknown): Frame {
  const error: ErrorObject = {
    code: CODE.unsupportedVersion,
    message: `This connection speaks ${MODERN_VERSION} already.`,
    data: { supported: [MODERN_VERSION], requested },
  }
  return errorFrame(frame.id!, error)
}
