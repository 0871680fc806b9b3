import { tokenChallenge } from '../auth/challenge.ts'
import { type AuthHttp, createAuthHttp, lookupAll } from '../auth/fetch.ts'
import { currentTokens } from '../auth/ledger.ts'
import type { ResourceMetadata } from '../auth/metadata.ts'
import { createHttpClient, type HttpSend } from '../http/client.ts'
import type { Certificates } from '../http/certificates.ts'
import { type Network, openNetwork } from '../http/network.ts'
import { proxyFor } from '../http/proxies.ts'
import type { Proxy } from '../http/options.ts'
import { withHeaders } from '../http/with-headers.ts'
import { MAX_REDIRECTS } from '../limits.ts'
import { silentLog } from '../log.ts'
import type { ServerOptions } from '../options.ts'
import { listRecords, type StoredRecord } from '../store/list.ts'
import type { StoredClient, StoredIssuer, StoredTokens } from '../store/record.ts'
import { fileOf } from '../store/place.ts'
import type { ServerMetadata } from '../store/server-metadata.ts'
import { type Found, issuerOf, metadataOf, resourceOf } from './documents.ts'
import { type Answer, initialize } from './knock.ts'
import { type Spoken, speaking } from './speaking.ts'
import { targetOf } from './tls.ts'

/** A server under examination. What several checks look at is asked once. */
export interface Server {
  readonly options: ServerOptions
  /** The proxy on the way to it. */
  readonly proxy: Proxy | undefined
  /** Ends all that is under way. */
  readonly signal: AbortSignal
  /** Certificates that the user named; rejects with `BridgeError` for unusable ones. */
  certificates(): Promise<Certificates | undefined>
  /** For metadata and authorization servers. */
  http(): Promise<AuthHttp>
  /** What the endpoint answers to somebody who has not signed in. */
  answer(): Promise<Answer>
  /** What the endpoint speaks, as far as it can be known; with the stored token where one is asked for. */
  spoken(): Promise<Spoken>
  /** What it answers to the stored token; `undefined` without one that is still valid. */
  answerToToken(): Promise<Answer | undefined>
  /** Sends with the user's headers, and the stored token when that is wanted. */
  sender(withToken?: boolean): Promise<HttpSend>
  /** Whether it wants a sign-in of ours. */
  asksForSignIn(): Promise<boolean>
  /** Where the challenge says that the metadata is. */
  hint(): Promise<string | undefined>
  /** Its description of its protection. */
  resource(): Promise<Found<ResourceMetadata> | undefined>
  /** The issuer that a sign-in would go to; `undefined` when it is not the one that the user demands. */
  trusted(): Promise<string | undefined>
  /** What that issuer says about itself. */
  metadata(): Promise<Found<ServerMetadata> | undefined>
  stored(): Promise<StoredRecord | undefined>
  tokens(): Promise<StoredTokens | undefined>
  /** What is stored about the authorization server in use. */
  issuer(): Promise<StoredIssuer | undefined>
  /** The client that was registered there. */
  registered(): Promise<StoredClient | undefined>
  close(): Promise<void>
}

/** Prepares to examine a server; nothing is sent. */
export function openServer(
  options: ServerOptions,
  credentials: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  now: () => number,
): Server {
  const { url, auth, headers, network: wanted } = options
  const network = once(() => openNetwork(wanted, env, silentLog))
  const client = once(async () => createHttpClient(await network()))
  const auths: AuthHttp[] = []

  const http = once(async () => {
    const made = await authHttp(options, await network(), signal)
    auths.push(made)
    return made
  })

  const stored = once(async () => {
    const file = fileOf(credentials, {
      server: url,
      resource: auth.resource,
      profile: auth.profile,
    })
    const { records } = await listRecords(credentials)
    return records.find((entry) => entry.file === file)
  })
  const issuer = async (): Promise<StoredIssuer | undefined> => {
    const record = (await stored())?.record
    return record?.current === undefined ? undefined : record.issuers[record.current]
  }
  const tokens = async (): Promise<StoredTokens | undefined> => {
    const entry = await stored()
    return entry && currentTokens(entry.record)
  }

  async function sender(withToken = false): Promise<HttpSend> {
    const token = withToken ? (await tokens())?.accessToken : undefined
    const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` }
    return withHeaders({ ...bearer, ...headers }, (await client()).send)
  }

  async function knock(withToken: boolean): Promise<Answer> {
    const send = await sender(withToken)
    let answer = await initialize(send, url, signal)
    // As the relay does: inside the origin only.
    for (let hop = 0; hop < MAX_REDIRECTS; hop++) {
      const target = redirectOf(answer)
      if (target?.origin !== url.origin) break
      answer = await initialize(send, target, signal)
    }
    return answer
  }

  const answer = once(() => knock(false))
  const answerToToken = once(async () => {
    const held = await tokens()
    const lives = held !== undefined && (held.expiresAt === undefined || held.expiresAt > now())
    return lives ? knock(true) : undefined
  })

  const server: Server = {
    options,
    proxy: proxyFor(targetOf(url), wanted.proxies),
    signal,
    certificates: once(async () => {
      const { caFile, systemCa, clientCertificate } = wanted
      if (caFile === undefined && !systemCa && clientCertificate === undefined) return undefined
      return (await import('../http/certificates.ts')).readCertificates(wanted, env)
    }),
    http,
    answer,
    answerToToken,
    sender,
    spoken: once(() => speaking(server)),
    async asksForSignIn() {
      return (await answer()).status === 401 && headers['authorization'] === undefined
    },
    hint: async () => tokenChallenge((await answer()).authenticate)?.resourceMetadata,
    resource: once(() => resourceOf(server)),
    trusted: once(() => issuerOf(server)),
    metadata: once(() => metadataOf(server)),
    stored,
    tokens,
    issuer,
    registered: async () => (await issuer())?.client,
    async close() {
      await Promise.all(auths.map((made) => made.close()))
      await (await client().catch(() => undefined))?.destroy()
    },
  }
  return server
}

/** Where an answer redirects to, if it does. */
export function redirectOf({ status, location, url }: Answer): URL | undefined {
  if (status < 300 || status >= 400 || location === undefined) return undefined
  return URL.canParse(location, url.href) ? new URL(location, url) : undefined
}

function authHttp(
  { url, auth }: ServerOptions,
  { connector }: Network,
  signal: AbortSignal,
): AuthHttp {
  const { allowHttp, allowPrivate } = auth
  return createAuthHttp({
    server: url,
    allowHttp,
    allowPrivate,
    lookup: lookupAll,
    connector,
    signal,
  })
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  return () => (running ??= work())
}
