import { openCredentials } from '../store/credentials.ts'
import type { PendingFlow } from '../store/record.ts'
import type { AuthContext } from './context.ts'
import { discoverIssuer, type Discovery } from './discover.ts'
import type { IdpOptions } from './enterprise-options.ts'
import { createAuthHttp, lookupAll } from './fetch.ts'
import { idpPlace } from './idp-place.ts'
import type { AuthorizerWorld } from './index.ts'
import { createNonces } from './nonces.ts'
import { createRefusals } from './refusals.ts'
import { signIn } from './sign-in.ts'
import { renewSilently } from './silent.ts'
import { readToken } from './token-source.ts'

/** The company's identity provider: one sign-in there serves every server that trusts it. */
export interface Idp {
  readonly context: AuthContext
  /** What it says about itself. */
  provider(): Promise<Discovery>
  /**
   * An ID token, got without a person; `undefined` when one is needed.
   *
   * @param stale one that it does not accept any more
   */
  idToken(stale: string | undefined): Promise<string | undefined>
  /** Whether there is no point in asking for another ID token at once. */
  readonly fixed: boolean
  /** Has somebody sign in there. Processes of all servers wait for the same page. */
  signIn(insist: boolean, show: (flow: PendingFlow | undefined) => void): Promise<void>
  close(): Promise<void>
}

/** The identity provider of one start. Its record is of its own, beside those of the servers. */
export function createIdp(
  idpOptions: IdpOptions,
  us: Omit<AuthContext, 'idp'>,
  { connector, folder, idpVault }: AuthorizerWorld,
): Idp {
  const { issuer, client, idToken: source, device } = idpOptions
  const { log, env, signal, now } = us
  const { allowHttp, allowPrivate, profile } = us.options
  const server = new URL(issuer)
  // The user has named it: it may be in a private network although the MCP server is a public one.
  const http = createAuthHttp({
    server,
    allowHttp,
    allowPrivate,
    lookup: lookupAll,
    connector,
    signal,
  })
  const place = idpPlace(folder, idpOptions, profile)
  const context: AuthContext = {
    server,
    options: {
      ...us.options,
      grant: device ? 'device_code' : 'authorization_code',
      client,
      clientMetadataUrl: undefined,
      issuer,
      scope: undefined,
      resource: false,
      dpop: 'off',
      // Not to be sent anywhere but back to the provider, for its word at other places.
      useIdToken: true,
      tokenEndpoint: undefined,
      idp: undefined,
    },
    http,
    store: openCredentials(place.folder, place.key, log, signal, idpVault),
    log,
    env,
    signal,
    now,
    nonces: createNonces(),
    idp: undefined,
    refusals: createRefusals(),
    permit: us.permit,
    find: () => discoverIssuer(http, issuer),
  }
  /** The last ID token that was not accepted. */
  let refused: string | undefined

  return {
    context,
    fixed: source !== undefined,
    async provider() {
      const { current, issuers } = await context.store.read()
      const metadata = current === undefined ? undefined : issuers[current]?.metadata
      if (current === undefined || metadata === undefined) return context.find(undefined, [])
      return { issuer: current, metadata, published: true, resource: undefined }
    },
    async idToken(stale) {
      if (source !== undefined) return readToken(source, context)
      refused = stale ?? refused
      const hints = { refused, hinted: undefined, challenged: undefined, dpop: false }
      const outcome = await renewSilently(context, hints)
      // Where ID tokens are wanted they are what a record holds (`useIdToken`).
      return outcome === 'needs-person' ? undefined : outcome.tokens.accessToken
    },
    async signIn(insist, show) {
      const wanted = { hinted: undefined, challenged: 'openid', dpop: false, insist }
      await signIn(context, { refused, scope: undefined, ...wanted }, show)
    },
    close: http.close,
  }
}
