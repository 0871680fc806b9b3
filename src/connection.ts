import { join } from 'node:path'
import { type Authorizer, createAuthorizer, noAuthorizer } from './auth/index.ts'
import { createHttpClient, type HttpClient, type HttpSend } from './http/client.ts'
import { withAuth } from './http/with-auth.ts'
import { openNetwork } from './http/network.ts'
import { withCookies } from './http/with-cookies.ts'
import { withHeaders } from './http/with-headers.ts'
import { withRedirects } from './http/with-redirects.ts'
import type { Log } from './log.ts'
import type { ServerOptions, StoreChoice } from './options.ts'
import { pathsOf } from './paths.ts'
import { fileOf } from './store/place.ts'
import { readStartTokens, type StartTokens } from './store/start.ts'
import { noteEntry, noteUse } from './store/notes.ts'
import type { OpenVault } from './store/vault.ts'

/** The way to a server: connections, and the credential that goes with every request. */
export interface Connection {
  readonly http: HttpClient
  readonly authorizer: Authorizer
  /** Sends with the user's headers and with a credential of this authorizer. */
  sendWith(authorizer: Authorizer): HttpSend
  /** The tokens that a later start finds. */
  stored(): Promise<StartTokens | undefined>
}

/** Prepares the way to the server; nothing is sent. */
export async function openConnection(
  { url, headers, auth, store, network: wanted }: ServerOptions,
  log: Log,
  env: NodeJS.ProcessEnv,
): Promise<Connection> {
  const network = await openNetwork(wanted, env, log)
  const { connector } = network
  const http = createHttpClient(network)
  const send = wanted.cookies ? withCookies(http.send) : http.send
  const folder = join(pathsOf(env).data, 'credentials')
  const file = fileOf(folder, { server: url, resource: auth.resource, profile: auth.profile })
  // A credential that the user supplies switches OAuth off.
  const supplied = headers['authorization'] !== undefined
  const vault = supplied || store === 'file' ? undefined : await openVault(file, log, store)
  const authorizer = supplied
    ? noAuthorizer()
    : createAuthorizer({
        server: url,
        options: auth,
        folder,
        vault,
        connector,
        log,
        env,
        now: Date.now,
      })
  if (vault !== undefined) noteEntry(file, { server: url, profile: auth.profile })
  if (!supplied && authorizer.credential() !== undefined) noteUse(file, vault !== undefined)
  return {
    http,
    authorizer,
    sendWith: (credentials) => withRedirects(withHeaders(headers, withAuth(credentials, send))),
    async stored() {
      const now = vault && { opened: await vault.read().catch(() => undefined) }
      return readStartTokens(file, now)
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
