import { isLoopback } from '../hostnames.ts'
import { MAX_COOKIE_BYTES, MAX_COOKIES, MAX_ORIGIN_COOKIE_BYTES } from '../limits.ts'

/**
 * The cookies of each origin (RFC 6265). Narrower than a browser's: a cookie goes back to the very
 * origin that set it, so that `Domain` can only say less, and no list of public suffixes is needed.
 */
export interface CookieJar {
  /** Takes the value of one `Set-Cookie`. */
  store(url: URL, line: string): void
  /** The `Cookie` header of a request, after what the user supplies; `undefined`: leave it as it is. */
  header(url: URL, supplied: string | undefined): string | undefined
}

interface Cookie {
  readonly name: string
  readonly value: string
  readonly path: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** A jar that forgets everything with the process. */
export function createCookieJar(now: () => number): CookieJar {
  /** By origin, then by name and path, the oldest first. */
  const origins = new Map<string, Map<string, Cookie>>()

  return {
    store(url, line) {
      if (Buffer.byteLength(line) > MAX_COOKIE_BYTES) return
      const cookie = parse(url, line, now())
      if (cookie === undefined) return
      const cookies = origins.get(url.origin) ?? new Map<string, Cookie>()
      origins.set(url.origin, cookies)
      const key = `${cookie.name};${cookie.path}`
      cookies.delete(key)
      if (cookie.expiresAt <= now()) return
      cookies.set(key, cookie)
      for (const oldest of cookies.keys()) {
        if (cookies.size <= MAX_COOKIES && sizeOf(cookies) <= MAX_ORIGIN_COOKIE_BYTES) break
        cookies.delete(oldest)
      }
    },
    header(url, supplied) {
      const cookies = origins.get(url.origin)
      if (cookies === undefined) return undefined
      const taken = new Set(supplied?.split(';').map((pair) => pair.split('=', 1)[0]!.trim()))
      const fitting = [...cookies.values()].filter(
        ({ name, path, expiresAt }) =>
          expiresAt > now() && !taken.has(name) && isUnder(url.pathname, path),
      )
      if (fitting.length === 0) return undefined
      // Longer paths first (§5.4).
      fitting.sort((a, b) => b.path.length - a.path.length)
      const ours = fitting.map(({ name, value }) => `${name}=${value}`)
      return [...(supplied === undefined ? [] : [supplied]), ...ours].join('; ')
    },
  }
}

function sizeOf(cookies: ReadonlyMap<string, Cookie>): number {
  let size = 0
  for (const { name, value } of cookies.values()) size += name.length + value.length
  return size
}

/** A cookie as §5.2 and §5.3 read it; `undefined` when it is not for this origin. */
function parse(url: URL, line: string, now: number): Cookie | undefined {
  const [pair = '', ...attributes] = line.split(';')
  const at = pair.indexOf('=')
  const name = pair.slice(0, at).trim()
  const value = pair.slice(at + 1).trim()
  // undici refuses control characters in a header; a cookie must not make every request fail.
  if (at < 1 || name === '' || !/^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(name + value)) {
    return undefined
  }
  let path: string | undefined
  let expires: number | undefined
  let maxAge: number | undefined
  for (const attribute of attributes) {
    const [key = '', ...rest] = attribute.split('=')
    const text = rest.join('=').trim()
    switch (key.trim().toLowerCase()) {
      case 'secure':
        if (url.protocol !== 'https:' && !isLoopback(url.hostname)) return undefined
        break
      case 'domain': {
        const domain = text.replace(/^\./, '').toLowerCase()
        const fits = url.hostname === domain || url.hostname.endsWith(`.${domain}`)
        if (domain !== '' && !fits) return undefined
        break
      }
      case 'path':
        path = text.startsWith('/') ? text : undefined
        break
      case 'expires':
        expires = Date.parse(text)
        break
      case 'max-age':
        if (/^-?\d+$/.test(text)) maxAge = Number(text)
        break
    }
  }
  const dated = expires === undefined || Number.isNaN(expires) ? Infinity : expires
  const expiresAt = maxAge === undefined ? dated : maxAge <= 0 ? 0 : now + maxAge * 1000
  return { name, value, path: path ?? defaultPath(url.pathname), expiresAt }
}

/** §5.1.4: the folder of the request. */
function defaultPath(pathname: string): string {
  const end = pathname.lastIndexOf('/')
  return end < 1 ? '/' : pathname.slice(0, end)
}

/** §5.1.4 */
function isUnder(pathname: string, path: string): boolean {
  if (pathname === path) return true
  return pathname.startsWith(path) && (path.endsWith('/') || pathname[path.length] === '/')
}
