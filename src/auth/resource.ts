/** The `resource` value of a server without metadata (RFC 8707 §2, MCP authorization: canonical URI). */
export function canonicalResource(server: URL): string {
  // The URL parser has lowered scheme and host and dropped a default port. A slash on a bare origin
  // is the parser's own; any other may be significant.
  const path = server.pathname === '/' ? '' : server.pathname
  return `${server.origin}${path}${server.search}`
}

/**
 * Whether metadata for `resource` speaks for the server: same origin, and the server's path equals
 * it or lies below it. RFC 9728 §3.3 asks for identity; whole hosts are published in practice.
 */
export function coversServer(resource: string, server: URL): boolean {
  if (!URL.canParse(resource)) return false
  const { origin, pathname, search } = new URL(resource)
  if (origin !== server.origin) return false
  if (search !== '' && search !== server.search) return false
  return withSlash(server.pathname).startsWith(withSlash(pathname))
}

function withSlash(path: string): string {
  return path.endsWith('/') ? path : `${path}/`
}
