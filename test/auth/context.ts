import type { AuthContext } from '../../src/auth/context.ts'
import type { AuthFetch } from '../../src/auth/fetch.ts'
import { type AuthOptions, type ConfiguredClient, readAuthOptions } from '../../src/auth/options.ts'
import { createNonces } from '../../src/auth/nonces.ts'
import { createRefusals } from '../../src/auth/refusals.ts'
import type { ServerMetadata } from '../../src/store/server-metadata.ts'
import { keptLog } from '../support/log.ts'

/** The options of a command line without flags. */
export function authOptions(more: Partial<AuthOptions> = {}): AuthOptions {
  return { ...readAuthOptions({}, {}, false, 'a host'), ...more }
}

/** A client that the user has registered. */
export function configuredClient(more: Partial<ConfiguredClient> = {}): ConfiguredClient {
  return { clientId: 'c', clientSecret: undefined, key: undefined, authMethod: undefined, ...more }
}

/** Metadata of an authorization server at `https://as.example`. */
export function serverMetadata(more: Partial<ServerMetadata> = {}): ServerMetadata {
  const issuer = 'https://as.example'
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    code_challenge_methods_supported: ['S256'],
    ...more,
  }
}

/** A context whose network is one function; the store is out of reach. */
export function authContext(fetch: AuthFetch, more: Partial<AuthContext> = {}): AuthContext {
  return {
    server: new URL('https://h.example/mcp'),
    options: authOptions(),
    http: { fetch, check: () => Promise.resolve(), close: () => Promise.resolve() },
    store: {
      read: () => Promise.reject(new Error('no store')),
      exclusive: () => Promise.reject(new Error('no store')),
      signInLock: () => Promise.reject(new Error('no store')),
    },
    log: keptLog(),
    env: {},
    signal: new AbortController().signal,
    now: Date.now,
    nonces: createNonces(),
    idp: undefined,
    refusals: createRefusals(),
    permit: () => {},
    find: () => Promise.reject(new Error('no discovery')),
    ...more,
  } as AuthContext
}
