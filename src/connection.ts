import { join } from 'node:path'
import { type Authorizer, createAuthorizer, noAuthorizer } from './auth/index.ts'
import type { AuthFetch } from './auth/fetch.ts'
import { createHttpClient, type HttpClient, type HttpSend } from './http/client.ts'
import { withAuth } from './http/with-auth.ts'
import { withHeaders } from './http/with-headers.ts'
import { withRedirects } from './http/with-redirects.ts'
import type { Log } from './log.ts'
import type { ServerOptions, StoreChoice } from './options.ts'
import { pathsOf } from './paths.ts'
import { fileOf } from './store/place.ts'
import { readStartTokens } from './store/start.ts'
import type { OpenVault } from './store/vault.ts'

/** The way to a server: connections, and the credential that goes with every request. */
export interface Connection {
  readonly http: HttpClient
  readonly authorizer: Authorizer
  /** Sends with the user's headers and with a credential of this authorizer. */
  sendWith(authorizer: Authorizer): HttpSend
  /** Whether a later start finds this credential. */
  isKept(credential: string): Promise<boolean>
}

/** Puts itself around what sends requests: the debug trace. */
export interface Tap {
  send(next: HttpSend): HttpSend
  fetch(next: AuthFetch): AuthFetch
}

/** Prepares the way to the server; nothing is sent. */
export async function openConnection(
  { url, headers, auth, store }: ServerOptions,
  log: Log,
  env: NodeJS.ProcessEnv,
  tap?: Tap,
): Promise<Connection> {
  const http = createHttpClient()
  const wire = tap?.send(http.send) ?? http.send
  const folder = join(pathsOf(env).data, 'credentials')
  const file = fileOf(folder, { server: url, resource: auth.resource, profile: auth.profile })
  // A credential that the user supplies switches OAuth off.
  const supplied = headers['authorization'] !== undefined
  const vault = supplied || store === 'file' ? undefined : await openVault(file, log, store)
  return {
    http,
    authorizer: supplied
      ? noAuthorizer()
      : createAuthorizer({
          server: url,
          options: auth,
          folder,
          vault,
          log,
          env,
          now: Date.now,
          tap: tap?.fetch,
        }),
    sendWith: (credentials) => withRedirects(withHeaders(headers, withAuth(credentials, wire))),
    async isKept(credential) {
      const now = vault && { opened: await vault.read().catch(() => undefined) }
      return credential === `Bearer ${readStartTokens(file, now)?.accessToken}`
    },
  }
}

async function openVault(
  file: string,
  log: Log,
  store: StoreChoice,
): Promise<OpenVault | undefined> {
  const { chooseKeychain } = await import('./store/choose.ts')
  return chooseKeychain(file, log, store === 'keychain-only')
}
