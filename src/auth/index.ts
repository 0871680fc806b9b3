import { existsSync } from 'node:fs'
import type { Log } from '../log.ts'
import { secrets } from '../secrets.ts'
import { fileOf } from '../store/place.ts'
import { readStartTokens } from '../store/start.ts'
import type { OpenVault } from '../store/vault.ts'
import type { AuthFetch } from './fetch.ts'
import type { FailureKind } from './failure.ts'
import type { Connector } from './fetch.ts'
import { hold, isOurs } from './held.ts'
import { createNonces, type Nonces } from './nonces.ts'
import type { AuthOptions } from './options.ts'

/** A request that the server refused for want of authorization. */
export interface Refusal {
  readonly status: 401 | 403
  /** The values of `WWW-Authenticate`, as received. */
  readonly authenticate: readonly string[]
  /** What was sent as `Authorization`. */
  readonly credential: string | undefined
  /** How often this request has been refused before. */
  readonly round: number
  /** How often it was refused for want of scopes before. */
  readonly stepUps: number
  /** Whether nobody waits for the request: it never opens a browser. */
  readonly background: boolean
  /** What the request is for; step-ups are limited for each. */
  readonly operation: string
  /** Whether a person wants to sign in again, whatever is stored. */
  readonly afresh?: boolean
}

/** The end of an attempt to get a better credential. */
export type Renewal =
  | { readonly ok: true }
  | {
      readonly ok: false
      readonly hint: string | undefined
      /** What went wrong; absent when the server's own refusal says it all. */
      readonly message?: string
      readonly kind?: FailureKind
      readonly retryAfterMs?: number | undefined
    }

/** A sign-in that waits for a person. */
export interface PendingSignIn {
  /** The page to open. */
  readonly link: string
  /** The code to enter there, when it is not part of the link. */
  readonly code: string | undefined
  /** Whether the code that the browser brings back is as good as the whole address of the page. */
  readonly bareCode: boolean
}

/** What a proof has to name of a request. */
interface Target {
  readonly method: string
  readonly url: URL
}

/** What of a response concerns proofs. */
interface Answer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly url: URL
}

/** Supplies the credential of every request to the MCP server and replaces it when it is refused. */
export interface Authorizer {
  /**
   * What requests are sent with now: tells one credential from another. Scheme and token, so a
   * secret.
   */
  credential(): string | undefined
  /** The headers that authorize a request, from memory; a bound token needs new ones each time. */
  headers(request: Target): Readonly<Record<string, string>> | undefined
  /**
   * Takes note of what a response says about the proofs of later requests; true when the request was
   * refused for want of a nonce that is known now (RFC 9449 §9).
   */
  noted(response: Answer): boolean
  /** The renewal of a credential that is about to expire; `undefined` when nothing is due. */
  due(): Promise<Renewal> | undefined
  /** Called for 401 and for 403 with `insufficient_scope`; the request is sent once more when `ok`. */
  renew(refusal: Refusal): Promise<Renewal>
  /** The sign-in that waits for a person now, here or in another process of ours. */
  pending(): PendingSignIn | undefined
  /** Ends what is under way; a sign-in can be completed by the next start. */
  close(): Promise<void>
}

/** For credentials that the user supplies as a header: OAuth never starts. */
export function noAuthorizer(): Authorizer {
  return {
    credential: () => undefined,
    headers: () => undefined,
    noted: () => false,
    due: () => undefined,
    renew: () =>
      Promise.resolve({
        ok: false,
        hint: 'The server refuses the Authorization header that you supply. Without it, the bridge signs in.',
      }),
    pending: () => undefined,
    close: () => Promise.resolve(),
  }
}

/** What an authorizer is made of. */
export interface AuthorizerWorld {
  readonly server: URL
  readonly options: AuthOptions
  /** The folder of the stored credentials. */
  readonly folder: string
  /** Where the record is kept instead of its file. */
  readonly vault: OpenVault | undefined
  /** Where the record of the identity provider is kept instead of its file. */
  readonly idpVault: OpenVault | undefined
  readonly connector: Connector
  /** Why the administrator does not want this authorization server; `undefined` when it is fine. */
  issuerRefusal(issuer: string): string | undefined
  readonly log: Log
  readonly env: NodeJS.ProcessEnv
  readonly now: () => number
  /** Records what is sent to authorization servers. */
  readonly tap?: ((next: AuthFetch) => AuthFetch) | undefined
}

/** OAuth for one server. Its code is loaded when something is to be done: a valid token needs none. */
export function createAuthorizer(world: AuthorizerWorld): Authorizer {
  const { server, options, folder, vault, now } = world
  const key = { server, resource: options.resource, profile: options.profile }
  // Without the folder nobody has ever signed in: there is no name to be made.
  const mayBe = vault !== undefined || existsSync(folder)
  const stored = mayBe ? readStartTokens(fileOf(folder, key), vault) : undefined
  secrets.learn('token', stored?.accessToken)
  secrets.learn('secret', options.client?.clientSecret)
  secrets.learn('secret', options.client?.key)
  let held = stored !== undefined && isOurs(stored, options) ? hold(stored) : undefined
  let engine: Promise<import('./engine.ts').Engine> | undefined
  let pending: PendingSignIn | undefined
  const nonces = createNonces()

  const load = (): Promise<import('./engine.ts').Engine> =>
    (engine ??= import('./engine.ts').then(({ createEngine }) =>
      createEngine(world, {
        nonces,
        current: () => held,
        use(tokens) {
          held = tokens
        },
        show(signIn) {
          pending = signIn
        },
      }),
    ))

  return {
    credential: () => held?.authorization,
    headers({ method, url }) {
      if (held === undefined) return undefined
      const { authorization, headers, prove } = held
      if (prove === undefined) return headers
      return { authorization, dpop: prove({ method, url, nonce: nonces.of(url) }) }
    },
    noted: (answer) => held?.prove !== undefined && notedNonce(nonces, answer),
    due() {
      if (held === undefined || now() < held.renewAt) return undefined
      return load().then((loaded) => loaded.renewDue())
    },
    renew: async (refusal) => (await load()).renew(refusal),
    pending: () => pending,
    close: async () => (await engine)?.close(),
  }
}

function notedNonce(nonces: Nonces, { status, headers, url }: Answer): boolean {
  const nonce = headers['dpop-nonce']
  if (typeof nonce !== 'string' || !nonces.learn(url, nonce)) return false
  return status === 401 && String(headers['www-authenticate']).includes('use_dpop_nonce')
}
