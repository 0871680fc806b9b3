import { ServerError } from '../errors.ts'
import { type ErrorObject, errorFrame, type Frame } from '../frame.ts'
import { valueAt } from '../json/locate.ts'
import type { Log } from '../log.ts'
import { objectAt, paramsOf } from './claims.ts'
import { modernVersion } from './headers.ts'
import { CODE, META, MODERN_VERSION } from './vocabulary.ts'

/** The server speaks versions that nobody here does: said to the host, and to people. */
export function noMutualVersion(
  host: string,
  supported: readonly string[],
  requested: string,
  log: Log,
): ServerError {
  const message = `${host} speaks ${supported.join(', ')}, and this bridge ${MODERN_VERSION} and older.`
  log.warn(message)
  return refusal({ code: CODE.unsupportedVersion, message, data: { supported, requested } })
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

/**
 * `initialize` on a connection of the stateless era. Without that era's `_meta` it may be a host that
 * has turned round, and is told the versions (MCP 2026-07-28, versioning); with it, it is a method that
 * this revision does not have.
 */
export function initializeTooLate(frame: Frame): ServerError {
  if (modernVersion(frame) !== undefined) {
    const message = `Method not found: initialize is not part of ${MODERN_VERSION}.`
    return refusal({ code: CODE.methodNotFound, message })
  }
  const requested = valueAt(paramsOf(frame), 'protocolVersion')
  const message = `Unsupported protocol version: this connection speaks ${MODERN_VERSION}.`
  const data = { supported: [MODERN_VERSION], requested }
  return refusal({ code: CODE.unsupportedVersion, message, data })
}

/**
 * Why a request lacks what every request of the stateless era has to say of itself (MCP 2026-07-28,
 * basic, `_meta`). Nobody is asked: the answer to such a `server/discover` tells nothing about a server.
 */
export function malformed(frame: Frame): ServerError | undefined {
  const params = paramsOf(frame)
  const hasVersion = typeof valueAt(params, '_meta', META.version) === 'string'
  if (hasVersion && objectAt(params, '_meta', META.capabilities) !== undefined) return undefined
  const missing = hasVersion ? META.capabilities : META.version
  const message = `Invalid params: _meta["${missing}"] is missing.`
  return refusal({ code: CODE.invalidParams, message })
}

function refusal(error: ErrorObject): ServerError {
  return new ServerError(Buffer.from(JSON.stringify(error)), 400)
}
