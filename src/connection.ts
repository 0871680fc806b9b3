import { join } from 'node:path'
import { type Authorizer, createAuthorizer, noAuthorizer } from './auth/index.ts'
import { createHttpClient, type HttpClient, type HttpSend } from './http/client.ts'
import { withAuth } from './http/with-auth.ts'
import { withHeaders } from './http/with-headers.ts'
import { withRedirects } from './http/with-redirects.ts'
import type { Log } from './log.ts'
import type { RelayOptions } from './options.ts'
import { pathsOf } from './paths.ts'
import { fileOf } from './store/place.ts'
import { readStartTokens } from './store/start.ts'

/** The way to a server: connections, and the credential that goes with every request. */
export interface Connection {
  readonly http: HttpClient
  readonly authorizer: Authorizer
  /** Sends with the user's headers and with a credential of this authorizer. */
  sendWith(authorizer: Authorizer): HttpSend
  /** Whether a later start finds this credential. */
  isKept(credential: string): boolean
}

/** Prepares the way to the server; nothing is sent. */
export function openConnection(
  { url, headers, auth }: RelayOptions,
  log: Log,
  env: NodeJS.ProcessEnv,
): Connection {
  const http = createHttpClient()
  const folder = join(pathsOf(env).data, 'credentials')
  const authorizer =
    // A credential that the user supplies switches OAuth off.
    headers['authorization'] === undefined
      ? createAuthorizer({ server: url, options: auth, folder, log, env, now: Date.now })
      : noAuthorizer()
  const { resource, profile } = auth
  const file = fileOf(folder, { server: url, resource, profile })
  return {
    http,
    authorizer,
    sendWith: (credentials) =>
      withRedirects(withHeaders(headers, withAuth(credentials, http.send))),
    isKept: (credential) => credential === `Bearer ${readStartTokens(file)?.accessToken}`,
  }
}
