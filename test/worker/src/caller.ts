import type { AuthInfo } from '@modelcontextprotocol/server'

/** Whose data a request may touch, and the token facts when the OAuth flavour checked one. */
export interface Caller {
  /** Key of everything stored: the user id, or `public` when nobody signs in. */
  readonly owner: string
  readonly authInfo?: AuthInfo
}

/** Owner of everything on the public flavour. */
const PUBLIC_OWNER = 'public'

// Set by the Worker on every request to a Durable Object and never taken from outside.
const CALLER_HEADER = 'x-worker-caller'

/** The caller that a validated token stands for, or everybody when there is no token. */
export function callerOf(authInfo: AuthInfo | undefined): Caller {
  if (authInfo === undefined) return { owner: PUBLIC_OWNER }
  const userId = authInfo.extra?.['userId']
  if (typeof userId !== 'string') throw new TypeError('authInfo.extra.userId is missing')
  return { owner: userId, authInfo }
}

/** A caller as text, without the token: for a header and for storage. */
export function packCaller({ owner, authInfo }: Caller): string {
  if (authInfo === undefined) return JSON.stringify({ owner })
  return JSON.stringify({
    owner,
    authInfo: { ...authInfo, token: '', resource: authInfo.resource?.href },
  })
}

/** The caller that `packCaller` wrote. */
export function unpackCaller(text: string): Caller {
  const { owner, authInfo } = JSON.parse(text) as {
    owner: string
    authInfo?: Omit<AuthInfo, 'resource'> & { resource?: string }
  }
  if (authInfo === undefined) return { owner }
  const { resource, ...rest } = authInfo
  return {
    owner,
    authInfo: { ...rest, ...(resource === undefined ? {} : { resource: new URL(resource) }) },
  }
}

/** Headers for a Durable Object: the caller in, the bearer token out. */
export function withCaller(headers: Headers, caller: Caller): Headers {
  const inner = new Headers(headers)
  inner.delete('authorization')
  // A login may hold any character; a header value may not.
  inner.set(CALLER_HEADER, encodeURIComponent(packCaller(caller)))
  return inner
}

/** The caller that the Worker vouched for; throws when a request did not come through it. */
export function readCaller(headers: Headers): Caller {
  const value = headers.get(CALLER_HEADER)
  if (value === null) throw new TypeError('request without a caller')
  return unpackCaller(decodeURIComponent(value))
}

/** Names of the roles that the upstream identity gave the caller. */
export function rolesOf(caller: Caller): readonly string[] {
  const roles = caller.authInfo?.extra?.['roles']
  return Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : []
}
