import type { Authorizer, Refusal, Renewal } from '../auth/index.ts'
import { RelayError } from '../errors.ts'
import { valueAt } from '../json/locate.ts'
import { LIST_PATIENCE_MS, MAX_ERROR_BODY_BYTES, SIGN_IN_CHECK_MS } from '../limits.ts'
import { readBody } from './body.ts'
import type { HttpRequest, HttpResponse, HttpSend } from './client.ts'
import { createUnion } from './with-headers.ts'

/** What opens a connection, in either era: it is answered by others while a person signs in. */
const PATIENT: ReadonlySet<string> = new Set(['POST initialize', 'POST server/discover'])

/**
 * Adds the credential to every request, renews it when it is about to expire and when the server
 * refuses it, and sends the request again (MCP authorization, 2025-11-25: 401, and 403 with
 * `insufficient_scope`).
 */
export function withAuth(authorizer: Authorizer, next: HttpSend): HttpSend {
  const unite = createUnion()

  function authorized(request: HttpRequest): HttpRequest {
    const headers = authorizer.headers(request)
    return headers === undefined
      ? request
      : { ...request, headers: unite(request.headers, headers) }
  }

  return async (request) => {
    let stepUps = 0
    let withNonce = false
    for (let round = 0; ; round++) {
      const due = authorizer.due()
      if (due !== undefined) demand(await before(request.signal, due), undefined)
      const credential = authorizer.credential()
      const response = await next(authorized(request))
      if (authorizer.noted(response) && !withNonce) {
        // Not a refusal of the credential, which is proved once more as the server wants it.
        withNonce = true
        round--
        response.discard()
        continue
      }
      const refusal = refusalOf(request, response, { credential, round, stepUps })
      if (refusal === undefined) return response
      // Read now: a person may need minutes, and the server would not wait with its connection.
      const body = await readBody(response, MAX_ERROR_BODY_BYTES)
      const patient = PATIENT.has(operationOf(request)) && request.behindAnother !== true
      const renewed = authorizer.renew(refusal)
      const renewing = patient ? renewed : telling(authorizer, renewed, refusal)
      const renewal = await before(request.signal, renewing)
      if (!renewal.ok && renewal.message === undefined) return reread(response, body, renewal.hint)
      demand(renewal, response.status)
      if (refusal.status === 403) stepUps++
    }
  }
}

/** An authorization that failed is the failure of the request. */
function demand(renewal: Renewal, httpStatus: number | undefined): void {
  if (renewal.ok) return
  const { message, hint, retryAfterMs } = renewal
  throw new RelayError(message ?? 'The sign-in has expired.', {
    phase: 'authorization',
    httpStatus,
    retryAfterMs,
    hint,
  })
}

/** What a response asks for; 403 is a matter of authorization only when it says so. */
function refusalOf(
  request: HttpRequest,
  { status, headers }: HttpResponse,
  attempt: Pick<Refusal, 'credential' | 'round' | 'stepUps'>,
): Refusal | undefined {
  // At its end a session needs no new credential.
  if ((status !== 401 && status !== 403) || request.method === 'DELETE') return undefined
  const value = headers['www-authenticate'] ?? []
  const authenticate = Array.isArray(value) ? value : [value]
  if (status === 403 && !authenticate.some((text) => text.includes('insufficient_scope'))) {
    return undefined
  }
  const background = request.background === true
  return { ...attempt, status, authenticate, background, operation: operationOf(request) }
}

/** What the request is for: its MCP method, and the name of the tool, prompt or resource. */
function operationOf({ method, body }: HttpRequest): string {
  const frame = Buffer.concat(body ?? [])
  const parts = [valueAt(frame, 'method'), valueAt(frame, 'params', 'name')]
  return [method, ...parts.filter((part) => typeof part === 'string')].join(' ')
}

/**
 * Waits for a renewal, but not for a person: after a while the host is told where to sign in, and
 * the sign-in goes on. `PATIENT` requests have a waiting room of their own (remote/signing-in.ts).
 */
function telling(
  authorizer: Authorizer,
  work: Promise<Renewal>,
  { status }: Refusal,
): Promise<Renewal> {
  return new Promise((resolve, reject) => {
    const until = Date.now() + LIST_PATIENCE_MS
    const timer = setInterval(() => {
      const page = authorizer.pending()
      if (page === undefined || Date.now() < until) return
      clearInterval(timer)
      const hint = `Open ${page.link} and sign in.`
      const details = { phase: 'authorization', httpStatus: status, hint } as const
      reject(new RelayError('The server needs a sign-in first.', details))
    }, SIGN_IN_CHECK_MS).unref()
    work.then(resolve, reject).finally(() => clearInterval(timer))
  })
}

/** Waits for the work, which goes on for others when this request is given up. */
function before<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** A response whose body is in memory. */
function reread(response: HttpResponse, body: Buffer, hint: string | undefined): HttpResponse {
  return {
    ...response,
    hint,
    async consume(onChunk) {
      if (body.length > 0) await onChunk(body)
    },
    discard: () => {},
  }
}
