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
import { clientAuthentications } from './client-auth.ts'
import type { AuthContext } from './context.ts'
import { AuthFailure, type FailureKind, quote } from './failure.ts'
import type { AuthHttp } from './fetch.ts'
import { oauthError, refusesResource } from './oauth-error.ts'
import { accountOf, endOf } from './id-token.ts'
import { millisecondsOf } from './seconds.ts'

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
}

/** Asks the token endpoint; throws `AuthFailure` for whatever is no token. */
export async function requestTokens(
  context: AuthContext,
  request: TokenRequest,
  send: SendGrant,
): Promise<StoredTokens> {
  const { metadata, client, resource, scope, grant } = request
  const server = metadata as AuthorizationServer
  const oauthClient: Client = { client_id: client.clientId }
  let idToken: string | undefined
  const options: TokenEndpointRequestOptions = {
    ...requestOptions(context, (received) => {
      idToken = received
    }),
    additionalParameters: resource === undefined ? {} : { resource },
  }
  const ways = await clientAuthentications(client, context.options.client, metadata)
  const startedAt = context.now()
  const answer = await clearly(async () => {
    const response = await tryEach(ways, (way) => send(server, oauthClient, way, options))
    return processRefreshTokenResponse(server, oauthClient, response)
  })
  if (answer.token_type !== 'bearer') {
    throw new AuthFailure(
      'refused',
      `${metadata.issuer} gave a token of the kind ${quote(answer.token_type)}.`,
    )
  }
  const { refresh_token, expires_in } = answer
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
  }
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
  { http }: AuthContext,
  onIdToken: (idToken: string | undefined) => void,
): TokenEndpointRequestOptions {
  return {
    [allowInsecureRequests]: true,
    [customFetch]: async (url, init) =>
      tokenAnswer(await ask(http, url, init as RequestInit), url, onIdToken),
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
  'token',
]

async function ask(http: AuthHttp, url: string, init: RequestInit): Promise<Response> {
  const response = await http.fetch(new URL(url), init)
  const { status, headers, body } = response
  if (status === 200 || body === null) return response
  const form = new URLSearchParams(String(init.body))
  const [, basic] = new Headers(init.headers).get('authorization')?.split(' ') ?? []
  let content = await response.text()
  for (const secret of [basic, ...SECRETS.map((name) => form.get(name))]) {
    if (secret) content = content.replaceAll(secret, '…')
  }
  return new Response(content, { status, headers })
}

/** The same for endpoints whose good answer is no token: device authorization, revocation. */
export function endpointOptions({ http }: Pick<AuthContext, 'http'>): TokenEndpointRequestOptions {
  return {
    [allowInsecureRequests]: true,
    [customFetch]: async (url, init) => {
      const response = await ask(http, url, init as RequestInit)
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

/** What an error code of a token endpoint means (RFC 6749 §5.2, RFC 8628 §3.5). */
const KINDS: Readonly<Record<string, FailureKind>> = {
  invalid_grant: 'grant',
  invalid_client: 'client',
  unauthorized_client: 'client',
  invalid_target: 'resource',
  server_error: 'unreachable',
  temporarily_unavailable: 'unreachable',
}

/**
 * A response that oauth4webapi can read: it takes HTTP 401 with a challenge for something else than
 * the error in its body, and an `id_token`, which is only ever shown or sent, for something to be verified.
 */
async function tokenAnswer(
  response: Response,
  url: string,
  onIdToken: (idToken: string | undefined) => void,
): Promise<Response> {
  const { status } = response
  const content = await response.text()
  const body = status === 200 ? tokenBody(content) : undefined
  if (body === undefined) return refuse(response, content, url)
  const { id_token, ...used } = body
  onIdToken(typeof id_token === 'string' ? id_token : undefined)
  return Response.json(used)
}

function refuse(response: Response, content: string, url: string): never {
  const { status } = response
  const error = oauthError(content)
  const { origin } = new URL(url)
  const what = [error.code, error.description].filter((part) => part !== undefined).join(': ')
  const message = `${origin} gave no token (${what === '' ? `HTTP ${status}` : quote(what)}).`
  const seconds = Number(response.headers.get('retry-after') ?? 'NaN')
  throw new AuthFailure(kindOf(status, error, response), message, {
    code: error.code,
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
  })
}

function kindOf(
  status: number,
  error: ReturnType<typeof oauthError>,
  response: Response,
): FailureKind {
  if (refusesResource(error)) return 'resource'
  if (status >= 500 || status === 429 || status === 408) return 'unreachable'
  const known = error.code === undefined ? undefined : KINDS[error.code]
  if (known !== undefined) return known
  // A page in the place of JSON comes from something in between, and passes.
  if (response.headers.get('content-type')?.startsWith('text/html') === true) return 'unreachable'
  // Registrations that were deleted are reported in many ways (supabase/mcp: 422 with a message).
  if (error.code === undefined && (status === 401 || status === 422)) return 'client'
  return 'refused'
}

/** Members that are used, with the liberties that servers take put right (A-76). */
function tokenBody(content: string): Record<string, unknown> | undefined {
  let body: unknown
  try {
    body = JSON.parse(content)
  } catch {
    return undefined
  }
  if (typeof body !== 'object' || body === null || !('access_token' in body)) return undefined
  const { access_token, id_token, token_type, expires_in, refresh_token, scope } = body as Record<
    string,
    unknown
  >
  const seconds = Number.parseFloat(String(expires_in))
  return {
    access_token,
    id_token,
    token_type: typeof token_type === 'string' ? token_type : 'Bearer',
    // 0 is what servers say whose tokens have no end; a token that is dead already has no use.
    ...(Number.isFinite(seconds) && seconds > 0 ? { expires_in: seconds } : {}),
    ...(typeof refresh_token === 'string' && refresh_token !== '' ? { refresh_token } : {}),
    ...(typeof scope === 'string'
      ? { scope }
      : Array.isArray(scope)
        ? { scope: scope.join(' ') }
        : {}),
  }
}
