import { join } from 'node:path'
import type { AuthFetch } from './auth/fetch.ts'
import { idpPlace } from './auth/idp-place.ts'
import {
  type Authorizer,
  type AuthorizerWorld,
  createAuthorizer,
  noAuthorizer,
} from './auth/index.ts'
import { createHttpClient, type HttpClient, type HttpSend } from './http/client.ts'
import { withAuth } from './http/with-auth.ts'
import { openNetwork } from './http/network.ts'
import { withCookies } from './http/with-cookies.ts'
import { withHeaders } from './http/with-headers.ts'
import { withRedirects } from './http/with-redirects.ts'
import type { Log } from './log.ts'
import { SERVER_OPTIONS, type ServerOptions, type StoreChoice } from './options.ts'
import { pathsOf } from './paths.ts'
import { isAbsent, policyPlaces } from './policy/places.ts'
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

/** Puts itself around what sends requests: the debug trace. */
export interface Tap {
  send(next: HttpSend): HttpSend
  fetch(next: AuthFetch): AuthFetch
}

/** Prepares the way to the server; nothing is sent. */
export async function openConnection(
  options: ServerOptions,
  log: Log,
  env: NodeJS.ProcessEnv,
  tap?: Tap,
): Promise<Connection> {
  // Here, because nothing gets to a server by another way.
  const { governed, issuerRefusal } = await underPolicy(options, env)
  const { url, headers, auth, store, network: wanted } = governed
  const network = await openNetwork(wanted, env, log)
  const { connector } = network
  const http = createHttpClient(network)
  const wire = tap?.send(http.send) ?? http.send
  const send = wanted.cookies ? withCookies(wire) : wire
  const folder = join(pathsOf(env).data, 'credentials')
  const file = (): string =>
    fileOf(folder, { server: url, resource: auth.resource, profile: auth.profile })
  // A credential that the user supplies switches OAuth off.
  const supplied = headers['authorization'] !== undefined
  const inKeychain = !supplied && store !== 'file' && auth.tokenCommand === undefined
  const vault = inKeychain ? await openVault(file(), log, store) : undefined
  const idp = auth.idp && idpPlace(folder, auth.idp, auth.profile)
  const idpVault = inKeychain && idp ? await openVault(idp.file, log, store) : undefined
  const world: AuthorizerWorld = {
    server: url,
    options: auth,
    folder,
    vault,
    idpVault,
    connector,
    issuerRefusal,
    log,
    env,
    now: Date.now,
    tap: tap?.fetch,
  }
  const authorizer = supplied ? noAuthorizer() : await authorizerOf(world)
  if (vault !== undefined) noteEntry(file(), { server: url, profile: auth.profile })
  if (idpVault !== undefined) noteEntry(idp!.file, idp!.key)
  if (!supplied && authorizer.credential() !== undefined) noteUse(file(), vault !== undefined)
  return {
    http,
    authorizer,
    sendWith: (credentials) => withRedirects(withHeaders(headers, withAuth(credentials, send))),
    async stored() {
      const now = vault && { opened: await vault.read().catch(() => undefined) }
      return readStartTokens(file(), now)
    },
  }
}

/** What the administrator leaves of the options. Throws `BridgeError` when that is nothing. */
async function underPolicy(
  options: ServerOptions,
  env: NodeJS.ProcessEnv,
): Promise<{
  readonly governed: ServerOptions
  readonly issuerRefusal: AuthorizerWorld['issuerRefusal']
}> {
  const places = policyPlaces(env, pathsOf(env).config, process.platform)
  if (isAbsent(places.machine) && isAbsent(places.user)) {
    return { governed: options, issuerRefusal: () => undefined }
  }
  const { readPolicy } = await import('./policy/read.ts')
  const { govern, judgeIssuer, refusalOf } = await import('./policy/judge.ts')
  const policy = readPolicy(
    places,
    SERVER_OPTIONS.map(({ name }) => name),
  )
  return {
    governed: govern(policy, options),
    issuerRefusal(issuer) {
      const ruling = judgeIssuer(policy, issuer)
      return ruling?.verdict === 'refused' ? refusalOf(ruling) : undefined
    },
  }
}

async function authorizerOf(world: AuthorizerWorld): Promise<Authorizer> {
  const { tokenCommand } = world.options
  if (tokenCommand === undefined) return createAuthorizer(world)
  const { createCommandAuthorizer } = await import('./auth/token-command.ts')
  return createCommandAuthorizer(tokenCommand, world)
}

async function openVault(
  file: string,
  log: Log,
  store: StoreChoice,
): Promise<OpenVault | undefined> {
  const { chooseKeychain } = await import('./store/choose.ts')
  return chooseKeychain(file, log, store === 'keychain-only')
}
