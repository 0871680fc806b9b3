import type { Env } from './env.ts'

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]'])

// Browsers hide every other response header from a page.
const EXPOSED = 'Mcp-Session-Id, Mcp-Protocol-Version, WWW-Authenticate, Retry-After'

const METHODS = 'GET, POST, DELETE, OPTIONS'

/** Preflight answers may be kept this long; browsers cap the value themselves. */
const PREFLIGHT_MAX_AGE_S = 7200

/** Whether a URL names this machine. */
export function isLoopback(url: URL): boolean {
  return LOOPBACK.has(url.hostname)
}

/**
 * Plain http is served on loopback names and the configured origin only. That keeps tokens off the
 * open wire, and stops DNS rebinding: a foreign name that points at 127.0.0.1 has no certificate.
 */
export function isTrustedHost(url: URL, env: Env): boolean {
  if (url.protocol === 'https:' || isLoopback(url)) return true
  return env.PUBLIC_URL !== undefined && new URL(env.PUBLIC_URL).host === url.host
}

/** No Origin (not a browser), the own origin, loopback, and what ALLOWED_ORIGINS lists may call. */
export function isAllowedOrigin(request: Request, url: URL, env: Env): boolean {
  const origin = request.headers.get('origin')
  if (origin === null || origin === url.origin) return true
  // Behind a tunnel the own origin is another than the one that the request arrives at.
  if (env.PUBLIC_URL !== undefined && origin === new URL(env.PUBLIC_URL).origin) return true
  const listed = new Set((env.ALLOWED_ORIGINS ?? '').split(',').map((entry) => entry.trim()))
  if (listed.has('*') || listed.has(origin)) return true
  return URL.canParse(origin) && isLoopback(new URL(origin))
}

/** Headers that let the calling page read a real answer; none when no page is calling. */
export function corsHeaders(
  request: Request,
  url: URL,
  env: Env,
): Record<string, string> | undefined {
  const origin = request.headers.get('origin')
  if (origin === null || !isAllowedOrigin(request, url, env)) return undefined
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': EXPOSED,
    vary: 'Origin',
  }
}

/** The answer to OPTIONS, given before any sign-in: a preflight never carries a token. */
export function preflight(request: Request): Response {
  const asked = request.headers.get('access-control-request-headers')
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-methods': METHODS,
      'access-control-max-age': String(PREFLIGHT_MAX_AGE_S),
      ...(asked === null ? {} : { 'access-control-allow-headers': asked }),
    },
  })
}
