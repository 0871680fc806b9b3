import { networkCode } from '../errors.ts'
import { MAX_ERROR_BODY_BYTES, RETRY_MAX_MS, RETRY_MIN_MS } from '../limits.ts'
import type { Log } from '../log.ts'
import { pause } from '../pause.ts'
import { header, readBody } from './body.ts'
import type { HttpRequest, HttpResponse, HttpSend } from './client.ts'

/** What retrying needs to know. */
export interface RetryContext {
  /** How long one request is tried; 0 never tries again. */
  readonly budgetMs: number
  readonly log: Log
  /** Ends all waiting: the bridge closes. */
  readonly signal: AbortSignal
}

/** Answers that pass by themselves (RFC 6585 §4; RFC 9110 §15.6.3 to 15.6.5). */
const PASSING_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504])

/** Failures of a connection that pass by themselves; a bad certificate does not. */
const PASSING_CODES: ReadonlySet<string | undefined> = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_SOCKET',
])

/**
 * Sends a request again when what failed passes by itself and a second time does no harm: nothing of
 * it was written yet, or the transport says that it is `repeatable` (docs/decisions/007). A request
 * that may have been carried out and may not be repeated is never sent twice.
 */
export function withRetry(next: HttpSend, { budgetMs, log, signal }: RetryContext): HttpSend {
  return async (request) => {
    if (request.repeatable === undefined || budgetMs === 0) return next(request)
    const until = Date.now() + budgetMs
    for (let attempt = 1; ; attempt++) {
      let started = false
      const onStart = (): void => {
        started = true
        request.onStart?.()
      }
      let why: string | number
      let waitMs: number
      try {
        const response = await next({ ...request, onStart })
        if (!PASSING_STATUS.has(response.status) || !request.repeatable()) return response
        waitMs = retryAfterMs(response) ?? backoffMs(attempt)
        if (Date.now() + waitMs >= until) return response
        why = response.status
        await readBody(response, MAX_ERROR_BODY_BYTES)
      } catch (error) {
        const code = networkCode(error)
        if (!PASSING_CODES.has(code) || (started && !request.repeatable())) throw error
        // The first time at once: most often a kept connection was closed by the server just now.
        waitMs = started && attempt === 1 ? 0 : backoffMs(attempt)
        if (Date.now() + waitMs >= until || isOver(request, signal)) throw error
        why = code!
      }
      log.state({ part: 'retry', what: 'again', why, attempt, pauseMs: Math.round(waitMs) })
      request.onPutOff?.()
      await pause(waitMs, either(request.signal, signal))
      if (isOver(request, signal)) throw request.signal?.reason ?? signal.reason
    }
  }
}

/** Milliseconds until the server wants to be asked again (RFC 9110 §10.2.3: seconds or a date). */
export function retryAfterMs(response: HttpResponse): number | undefined {
  const value = header(response, 'retry-after')
  if (value === undefined) return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now())
}

function isOver(request: HttpRequest, signal: AbortSignal): boolean {
  return signal.aborted || request.signal?.aborted === true
}

function either(one: AbortSignal | undefined, other: AbortSignal): AbortSignal {
  return one === undefined ? other : AbortSignal.any([one, other])
}

/** The pause before the next try: doubled each time, with half of it random. */
function backoffMs(attempt: number): number {
  const full = Math.min(RETRY_MIN_MS * 2 ** (attempt - 1), RETRY_MAX_MS)
  return full / 2 + (full / 2) * Math.random()
}
