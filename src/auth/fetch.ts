import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import type { buildConnector } from 'undici'
import Agent from 'undici/lib/dispatcher/agent.js'
import { networkFailure } from '../errors.ts'
import { AUTH_GET_MS, AUTH_POST_MS, MAX_AUTH_BODY_BYTES, MAX_REDIRECTS } from '../limits.ts'
import { isLoopback } from '../hostnames.ts'
import { isLocalAddress, literalAddress } from './addresses.ts'
import { AuthFailure } from './failure.ts'

/** Sends one request to an authorization server or for metadata. The body has been read and is small. */
export type AuthFetch = (url: URL, init?: RequestInit) => Promise<Response>

/** All addresses of a host name. */
export type Lookup = (hostname: string) => Promise<readonly LookupAddress[]>

/** What makes connections as the user wants them: proxy, certificates, version of IP. */
export type Connector = (needs: { resolve: Lookup }) => buildConnector.connector

/** Where requests may go. */
export interface FetchPolicy {
  /** The MCP server: one on a private network may name neighbours, a public one may not. */
  readonly server: URL
  readonly allowHttp: boolean
  readonly allowPrivate: boolean
  readonly lookup: Lookup
  readonly connector: Connector
  readonly signal: AbortSignal
}

/** The guarded client of everything that is not the MCP server. */
export interface AuthHttp {
  readonly fetch: AuthFetch
  /** Throws for a URL that a server supplied and that nothing may be sent to. */
  check(url: URL): Promise<void>
  close(): Promise<void>
}

const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** Statuses whose response has no body by definition; `Response` refuses one. */
const BODILESS = new Set([204, 205, 304])

/** A client that sends no header but the caller's, follows next to nothing, and waits for nobody long. */
export function createAuthHttp(policy: FetchPolicy): AuthHttp {
  let publicServer: Promise<boolean> | undefined
  const guards = (): Promise<boolean> => (publicServer ??= isPublic(policy))
  const agent = new Agent({
    // Checked where the connection is made: a name may change its address after any earlier check.
    connect: policy.connector({ resolve }),
  })

  async function resolve(hostname: string): Promise<readonly LookupAddress[]> {
    const addresses = await policy.lookup(hostname)
    if (!(await guards())) return addresses
    const open = addresses.filter(({ address }) => !isLocalAddress(address))
    if (open.length === 0) throw refusedAddress(policy, hostname)
    return open
  }

  async function check(url: URL): Promise<void> {
    if (url.username !== '' || url.password !== '') {
      // To a person it looks like another address, and fetch takes none.
      throw new AuthFailure(
        'refused',
        `An address at ${url.host} contains a user name or a password; nothing was sent there.`,
      )
    }
    const loopback = isLoopback(url.hostname)
    if (
      url.protocol !== 'https:' &&
      !(url.protocol === 'http:' && (loopback || policy.allowHttp))
    ) {
      throw new AuthFailure(
        'refused',
        `${url.origin === 'null' ? url.protocol : url.origin} is not https; nothing was sent there.`,
        {
          hint: 'Sign-in happens over https only. On a network that you trust, pass --allow-http.',
        },
      )
    }
    const literal = literalAddress(url.hostname)
    const local = literal === undefined ? loopback : isLocalAddress(literal)
    if (local && (await guards())) throw refusedAddress(policy, url.hostname)
  }

  async function once(url: URL, init: RequestInit, signal: AbortSignal): Promise<Response> {
    await check(url)
    try {
      // `dispatcher` is undici's addition to fetch, known to Node's own and unknown to its types.
      const options: object = { ...init, redirect: 'manual', signal, dispatcher: agent }
      return await readWhole(await fetch(url, options), url)
    } catch (error) {
      throw failureOf(error, url)
    }
  }

  return {
    check,
    async fetch(target, init = {}) {
      const post = init.method === 'POST'
      const limit = AbortSignal.timeout(post ? AUTH_POST_MS : AUTH_GET_MS)
      const signal = AbortSignal.any([policy.signal, limit])
      let url = target
      for (let hop = 0; ; hop++) {
        const response = await once(url, init, signal)
        if (!REDIRECTS.has(response.status)) return response
        const location = response.headers.get('location')
        const usable = location !== null && URL.canParse(location, url.href)
        const next = usable ? new URL(location, url) : undefined
        // A code, a secret or a refresh token is never sent a second time, wherever to.
        if (post || next?.origin !== url.origin || hop === MAX_REDIRECTS) {
          const where = next === undefined ? 'nowhere' : next.origin
          throw new AuthFailure('refused', `${url.origin} redirects to ${where}; not followed.`)
        }
        url = next
      }
    },
    close: () => agent.destroy(),
  }
}

/** The system's resolver. */
export function lookupAll(hostname: string): Promise<readonly LookupAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true }, (error, addresses) => {
      if (error === null) resolve(addresses)
      else reject(error)
    })
  })
}

/** Whether local addresses are out of bounds: the server is a public one. */
async function isPublic({ server, allowPrivate, lookup }: FetchPolicy): Promise<boolean> {
  if (allowPrivate) return false
  const literal = literalAddress(server.hostname)
  if (literal !== undefined) return !isLocalAddress(literal)
  if (isLoopback(server.hostname)) return false
  try {
    return (await lookup(server.hostname)).every(({ address }) => !isLocalAddress(address))
  } catch {
    return true // e.g. behind a proxy that resolves names: the strict reading
  }
}

function refusedAddress({ server }: FetchPolicy, hostname: string): AuthFailure {
  const message = `${server.host} is a public server but sends us to ${hostname}, an address of a private network; nothing was sent there.`
  const hint = 'If that is what you expect, pass --allow-private-network.'
  return new AuthFailure('refused', message, { hint })
}

/** The response with its body in memory; gives up when it is longer than any such document. */
async function readWhole(response: Response, url: URL): Promise<Response> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > MAX_AUTH_BODY_BYTES) {
      const limit = `${MAX_AUTH_BODY_BYTES / 1024 / 1024} MiB`
      throw new AuthFailure('refused', `${url.origin} sent more than ${limit}; not read.`)
    }
    chunks.push(chunk)
  }
  const { status, headers } = response
  return new Response(BODILESS.has(status) ? null : Buffer.concat(chunks), { status, headers })
}

function failureOf(error: unknown, url: URL): AuthFailure {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof AuthFailure) return at
    if (at.name === 'TimeoutError') {
      return new AuthFailure('unreachable', `${url.origin} did not answer in time.`, {
        cause: error,
      })
    }
    if (at.name === 'AbortError') {
      return new AuthFailure('unreachable', 'The bridge is shutting down.', { cause: error })
    }
  }
  const { message, details } = networkFailure(error, url.origin, 'authorization')
  return new AuthFailure('unreachable', message, { hint: details.hint, cause: error })
}
