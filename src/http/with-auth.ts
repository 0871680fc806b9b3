import type { Authorizer, Challenge } from '../auth/index.ts'
import { MAX_ERROR_BODY_BYTES } from '../limits.ts'
import { readBody } from './body.ts'
import type { HttpRequest, HttpResponse, HttpSend } from './client.ts'

/**
 * Adds the credential to every request, and renews it once when the server refuses it
 * (MCP authorization, 2025-11-25: 401, and 403 with `insufficient_scope`).
 */
export function withAuth(authorizer: Authorizer, next: HttpSend): HttpSend {
  return async (request) => {
    const first = await next(authorized(request, authorizer))
    const challenge = challengeOf(first)
    if (challenge === undefined) return first
    const renewal = await authorizer.renew(challenge)
    if (!renewal.ok) return { ...first, hint: renewal.hint }
    await readBody(first, MAX_ERROR_BODY_BYTES)
    return next(authorized(request, authorizer))
  }
}

function authorized(request: HttpRequest, authorizer: Authorizer): HttpRequest {
  const authorization = authorizer.credential()
  if (authorization === undefined) return request
  return { ...request, headers: { ...request.headers, authorization } }
}

function challengeOf(response: HttpResponse): Challenge | undefined {
  const { status } = response
  if (status !== 401 && status !== 403) return undefined
  const value = response.headers['www-authenticate'] ?? []
  const authenticate = Array.isArray(value) ? value : [value]
  if (status === 403 && !authenticate.some((text) => text.includes('insufficient_scope'))) {
    return undefined
  }
  return { status, authenticate }
}
