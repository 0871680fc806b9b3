import {
  allowInsecureRequests,
  type AuthorizationServer,
  type Client,
  type ClientAuth,
  customFetch,
  processRefreshTokenResponse,
  type TokenEndpointRequestOptions,
} from 'oauth4webapi'
import type { StoredClient, StoredTokens } from '../store/record.ts'
import { ACCESS_TOKEN } from '../store/start.ts'
import type { ServerMetadata } from '../store/server-metadata.ts'
import type { Bind } from './binding.ts'
import { clientAuthentications, endpointsFor } from './client-auth.ts'
import type { AuthContext } from './context.ts'
import { boundThumbprint, createProver, type Prover } from './dpop.ts'
import { AuthFailure, quote } from './failure.ts'
import { accountOf } from './id-token.ts'
import { endOf } from './jwt.ts'
import { createNonces } from './nonces.ts'
import { millisecondsOf } from './seconds.ts'
import { refuse, tokenAnswer } from './token-answer.ts'

/** What a token request works with. */
export type TokenContext = Pick<AuthContext, 'http' | 'nonces' | 'now' | 'options' | 'permit'>

/** One grant, ready to be sent with any way to authenticate the client. */
export type SendGrant = (
  server: AuthorizationServer,
  client: Client,
  authentication: ClientAuth,
  options: TokenEndpointRequestOptions,
) => Promise<Response>

/** What tokens are asked for. */
export interface TokenRequest {
  readonly metadata: ServerMetadata
  readonly client: StoredClient
  readonly resource: string | undefined
  /** The scopes asked for: what is granted when the answer does not say (RFC 6749 §5.1). */
  readonly scope: string | undefined
  readonly grant: StoredTokens['grant']
  /** The key that the tokens are to be bound to. */
  readonly bind?: Bind | undefined
}

/** Asks the token endpoint; throws `AuthFailure` for whatever is no token. */
export async function requestTokens(
  context: TokenContext,
  request: TokenRequest,
  send: SendGrant,
): Promise<StoredTokens> {
  const { metadata, client, resource, scope, grant, bind } = request
  // What was stored under another policy is not used under this one.
  context.permit(metadata.issuer)
  const server = endpointsFor(client, context.options, metadata)
  const oauthClient: Client = { client_id: client.clientId }
  const prover = bind && createProver(bind.key)
  let idToken: string | undefined
  const options: TokenEndpointRequestOptions = {
    ...requestOptions(context, prover, (received) => {
      idToken = received
    }),
    additionalParameters: resource === undefined ? {} : { resource },
  }
  const ways = await clientAuthentications(client, context.options, metadata)
  const startedAt = context.now()
  const answer = await clearly(async () => {
    const response = await tryEach(ways, (way) =>
      withNonce(prover, () => send(server, oauthClient, way, options)),
    )
    return processRefreshTokenResponse(server, oauthClient, response)
  })
  const { refresh_token, expires_in, token_type } = answer
  const access_token = context.options.useIdToken ? idToken : answer.access_token
  if (access_token === undefined) {
    throw new AuthFailure('refused', `${metadata.issuer} gave no id token (--use-id-token).`, {
      hint: 'It belongs to the scope openid: --scope "openid …".',
    })
  }
  if (!ACCESS_TOKEN.test(access_token)) {
    throw new AuthFailure('refused', `${metadata.issuer} gave a token that cannot be sent.`)
  }
  return {
    accessToken: access_token,
    refreshToken: refresh_token,
    // Counted from the request: the answer may have been under way for a while.
    expiresAt: context.options.useIdToken
      ? endOf(access_token)
      : expires_in && startedAt + millisecondsOf(expires_in),
    obtainedAt: context.now(),
    scope: answer.scope ?? scope,
    requested: scope,
    resource,
    clientId: client.clientId,
    account: accountOf(idToken),
    grant,
    proofKey: keyOf(metadata, token_type, access_token, bind, prover),
  }
}

/** The key that a token is bound to; throws when it is not what was asked for (RFC 9449 §5). */
function keyOf(
  { issuer }: ServerMetadata,
  type: string,
  token: string,
  bind: Bind | undefined,
  prover: Prover | undefined,
): StoredTokens['proofKey'] {
  if (type === 'dpop' && bind !== undefined) {
    const bound = boundThumbprint(token)
    if (bound === undefined || bound === prover?.thumbprint) return bind.key
    throw new AuthFailure('refused', `${issuer} gave a token that is bound to another key.`)
  }
  if (type !== 'bearer') {
    throw new AuthFailure('refused', `${issuer} gave a token of the kind ${quote(type)}.`)
  }
  if (bind?.required !== true) return undefined
  throw new AuthFailure(
    'refused',
    `${issuer} gave a token that anybody could use (token_type Bearer); this account's tokens are bound to a key.`,
    { hint: 'Somebody may be interfering. If the server has changed its mind, pass --dpop off.' },
  )
}

/** Whatever oauth4webapi finds wrong with an answer is one more way to be refused. */
export async function clearly<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof AuthFailure || !(cause instanceof Error)) throw cause
    throw new AuthFailure(
      'refused',
      `The authorization server is not to be understood: ${cause.message}.`,
      { cause },
    )
  }
}

/** How oauth4webapi sends: through our guard, which has its own opinion on http. */
function requestOptions(
  context: TokenContext,
  prover: Prover | undefined,
  onIdToken: (idToken: string | undefined) => void,
): TokenEndpointRequestOptions {
  return {
    [allowInsecureRequests]: true,
    [customFetch]: async (url, init) =>
      tokenAnswer(await ask(context, url, init as RequestInit, prover), url, onIdToken),
  }
}

/** Parameters whose values appear in no message, also when the server repeats them in its refusal. */
const SECRETS = [
  'code',
  'code_verifier',
  'refresh_token',
  'client_secret',
  'client_assertion',
  'device_code',
  'assertion',
  'subject_token',
  'token',
]

async function ask(
  { http, nonces }: Pick<AuthContext, 'http' | 'nonces'>,
  url: string,
  init: RequestInit,
  prover?: Prover,
): Promise<Response> {
  const target = new URL(url)
  const requestHeaders = new Headers(init.headers)
  if (prover !== undefined) {
    const nonce = nonces.of(target)
    requestHeaders.set('dpop', prover.proof({ method: 'POST', url: target, nonce }))
  }
  const response = await http.fetch(target, {
    ...init,
    headers: Object.fromEntries(requestHeaders),
  })
  const { status, headers, body } = response
  nonces.learn(target, headers.get('dpop-nonce') ?? undefined)
  if (status === 200 || body === null) return response
  const form = new URLSearchParams(String(init.body))
  const [, basic] = requestHeaders.get('authorization')?.split(' ') ?? []
  let content = await response.text()
  for (const secret of [basic, ...SECRETS.map((name) => form.get(name))]) {
    if (secret) content = content.replaceAll(secret, '…')
  }
  return new Response(content, { status, headers })
}

/** The same for endpoints whose good answer is no token for the MCP server. */
export function endpointOptions({ http }: Pick<AuthContext, 'http'>): TokenEndpointRequestOptions {
  const context = { http, nonces: createNonces() }
  return {
    [allowInsecureRequests]: true,
    [customFetch]: async (url, init) => {
      const response = await ask(context, url, init as RequestInit)
      return response.status === 200 ? response : refuse(response, await response.text(), url)
    },
  }
}

/** Sends a request with one way to authenticate after the other, as long as the client is refused. */
export async function tryEach(
  ways: readonly ClientAuth[],
  send: (way: ClientAuth) => Promise<Response>,
): Promise<Response> {
  for (let i = 0; ; i++) {
    try {
      return await send(ways[i]!)
    } catch (error) {
      const refused = error instanceof AuthFailure && error.kind === 'client'
      if (!refused || i + 1 === ways.length) throw error
    }
  }
}

/** Once more, as a whole, with the nonce that came with the refusal (RFC 9449 §8). */
async function withNonce(
  prover: Prover | undefined,
  send: () => Promise<Response>,
): Promise<Response> {
  try {
    return await send()
  } catch (error) {
    const wanted = error instanceof AuthFailure && error.code === 'use_dpop_nonce'
    if (!wanted || prover === undefined) throw error
    return send()
  }
}
