import type { HttpSend } from './client.ts'
import type { CookieJar } from './cookies.ts'

/**
 * Sends the cookies of an origin back to it: load balancers know by them which backend holds the
 * session. They live in memory. What the user supplies as `Cookie` comes first and wins by name.
 */
export function withCookies(next: HttpSend): HttpSend {
  let jar: CookieJar | undefined
  return async (request) => {
    const cookie = jar?.header(request.url, request.headers['cookie'])
    const response = await next(
      cookie === undefined ? request : { ...request, headers: { ...request.headers, cookie } },
    )
    const set = response.headers['set-cookie']
    if (set !== undefined) {
      jar ??= (await import('./cookies.ts')).createCookieJar(Date.now)
      for (const line of Array.isArray(set) ? set : [set]) jar.store(response.url, line)
    }
    return response
  }
}
