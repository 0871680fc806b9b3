import { RelayError } from '../errors.ts'
import { MAX_ERROR_BODY_BYTES, MAX_REDIRECTS } from '../limits.ts'
import { header, readBody } from './body.ts'
import type { HttpRequest, HttpResponse, HttpSend } from './client.ts'

const REDIRECTS = new Set([301, 302, 303, 307, 308])
const PERMANENT = new Set([301, 308])

/**
 * Follows a redirect only inside the origin, or from http to https of the same host, and then with
 * method and body kept. Any other target would receive headers, session id and body that were meant
 * for the first origin: it gets nothing.
 */
export function withRedirects(next: HttpSend): HttpSend {
  const moved = new Map<string, URL>()
  return async (request) => {
    let url = moved.get(request.url.href) ?? request.url
    for (let hop = 0; ; hop++) {
      const response = await next(url === request.url ? request : { ...request, url })
      if (!REDIRECTS.has(response.status)) return response
      const target = await targetOf(request, response, hop)
      if (PERMANENT.has(response.status)) moved.set(request.url.href, target)
      url = target
    }
  }
}

async function targetOf(request: HttpRequest, response: HttpResponse, hop: number): Promise<URL> {
  const from = response.url
  const location = header(response, 'location')
  await readBody(response, MAX_ERROR_BODY_BYTES)
  const target =
    location !== undefined && URL.canParse(location, from.href)
      ? new URL(location, from)
      : undefined
  const details = { phase: 'response', httpStatus: response.status } as const
  if (target === undefined) {
    throw new RelayError(`${from.origin} redirects without saying where to.`, details)
  }
  if (hop === MAX_REDIRECTS) {
    throw new RelayError(`${request.url.origin} redirects in a loop.`, details)
  }
  const upgrade =
    from.protocol === 'http:' && target.protocol === 'https:' && from.hostname === target.hostname
  if (target.origin !== from.origin && !upgrade) {
    const hint = `If ${target.origin} is the server you mean, use its URL in the configuration.`
    const message = `${from.origin} redirects to ${target.origin}; nothing was sent there.`
    throw new RelayError(message, { ...details, hint })
  }
  target.hash = ''
  return target
}
