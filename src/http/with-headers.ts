import type { HttpSend } from './client.ts'

/**
 * Adds the user's headers. A header that the user supplies wins over ours, `Authorization` included:
 * a static token switches OAuth off. This wrapper belongs around the MCP endpoint only, never around
 * requests to an authorization server.
 */
export function withHeaders(headers: Readonly<Record<string, string>>, next: HttpSend): HttpSend {
  if (Object.keys(headers).length === 0) return next
  return (request) => next({ ...request, headers: { ...request.headers, ...headers } })
}
