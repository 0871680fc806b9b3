import { ServerError } from '../../errors.ts'
import type { ErrorObject } from '../../frame.ts'
import { withMembers } from '../../json/edit.ts'
import { valueAt } from '../../json/locate.ts'
import { CODE, MODERN_VERSION } from '../vocabulary.ts'

/** Errors that a server of the stateless era answers with, in the place of one that is not. */

/** Resource not found before 2026-07-28, which says `-32602` (MCP 2026-07-28, basic, Error Codes). */
const RESOURCE_NOT_FOUND = -32002

/** Codes of the specification's own range; a code in it that nobody defined may not be sent. */
const FIRST_RESERVED = -32099
const LAST_RESERVED = -32020
const DEFINED: ReadonlySet<unknown> = new Set([
  CODE.headerMismatch,
  CODE.missingCapability,
  CODE.unsupportedVersion,
])

function refusal(error: ErrorObject): ServerError {
  return new ServerError(Buffer.from(JSON.stringify(error)), 400)
}

/** Parameters that a server cannot take. */
export function invalidParams(message: string): ServerError {
  return refusal({ code: CODE.invalidParams, message: `Invalid params: ${message}` })
}

/** A method that the stateless era does not have. */
export function unknownMethod(method: string): ServerError {
  const message = `Method not found: ${method} is not part of ${MODERN_VERSION}.`
  return refusal({ code: CODE.methodNotFound, message })
}

/** A version that is not spoken here (MCP 2026-07-28, versioning). */
export function unsupportedVersion(requested: unknown): ServerError {
  return refusal({
    code: CODE.unsupportedVersion,
    message: `Unsupported protocol version: this connection speaks ${MODERN_VERSION}.`,
    data: { supported: [MODERN_VERSION], requested },
  })
}

/** The server needs something that the client has not declared. */
export function missingCapability(message: string, requiredCapabilities: object): ServerError {
  return refusal({ code: CODE.missingCapability, message, data: { requiredCapabilities } })
}

/** Something went wrong that is nobody's request's fault. */
export function internalError(message: string): ServerError {
  return refusal({ code: CODE.internal, message })
}

/** An error of a server of the initialize era with a code that the stateless era may carry. */
function modernError(object: Buffer): Buffer {
  const code = valueAt(object, 'code')
  if (code === RESOURCE_NOT_FOUND) {
    return withMembers(object, { code: String(CODE.invalidParams) })
  }
  const isReserved = typeof code === 'number' && code >= FIRST_RESERVED && code <= LAST_RESERVED
  if (!isReserved || DEFINED.has(code)) return object
  return withMembers(object, { code: String(CODE.internal), data: object })
}

/** A failed request as the host is told of it. */
export function modernFailure(error: Error): Error {
  if (!(error instanceof ServerError)) return error
  return new ServerError(modernError(error.object), error.httpStatus)
}
