import { INVALID_REQUEST_CODE, RELAY_ERROR_CODE, RelayError, ServerError } from './errors.ts'
import { answer, errorFrame, type ErrorObject, type Frame, type RawId } from './frame.ts'
import { MAX_OPEN_REQUESTS } from './limits.ts'

/** The answer to a request that failed: the server's own error, or ours. */
export function failureFrame(id: RawId, error: unknown): Frame {
  if (error instanceof ServerError) return answer(id, 'error', error.object)
  return errorFrame(id, errorObject(error))
}

/** A failure of ours as a JSON-RPC error. */
export function errorObject(error: unknown): ErrorObject {
  const known =
    error instanceof RelayError
      ? error
      : new RelayError('The bridge failed while relaying this message.', { phase: 'request' })
  return { code: RELAY_ERROR_CODE, message: known.message, data: known.details }
}

/** The error of a message that cannot be relayed. */
export function invalid(reason: string): ErrorObject {
  return { code: INVALID_REQUEST_CODE, message: `Invalid request: ${reason}` }
}

/** The failure of a request for which there is no room in the table. */
export function tooMany(): RelayError {
  const message = `More than ${MAX_OPEN_REQUESTS} requests are waiting for an answer.`
  return new RelayError(message, { phase: 'request' })
}

/** The failure of a request whose response ended in good order and without its answer. */
export function unanswered(): RelayError {
  return new RelayError('The server ended its response without an answer to this request.', {
    phase: 'response',
  })
}
