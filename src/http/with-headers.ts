import type { HttpSend } from './client.ts'

type Headers = Readonly<Record<string, string>>

/**
 * Puts headers over others. Both are the same objects from message to message, so their union is kept:
 * making it takes 3 µs, as objects that get members one by one have no shape that V8 knows beforehand.
 */
export function createUnion(): (under: Headers, over: Headers) => Headers {
  let lastUnder: Headers | undefined
  let lastOver: Headers | undefined
  let union: Headers = {}
  return (under, over) => {
    if (under !== lastUnder || over !== lastOver) {
      lastUnder = under
      lastOver = over
      union = { ...under, ...over }
    }
    return union
  }
}

/**
 * Adds the user's headers. A header that the user supplies wins over ours, `Authorization` included:
 * a static token switches OAuth off. This wrapper belongs around the MCP endpoint only, never around
 * requests to an authorization server.
 */
export function withHeaders(headers: Headers, next: HttpSend): HttpSend {
  if (Object.keys(headers).length === 0) return next
  const unite = createUnion()
  return (request) => next({ ...request, headers: unite(request.headers, headers) })
}
