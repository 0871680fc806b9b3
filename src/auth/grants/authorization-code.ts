import {
  authorizationCodeGrantRequest,
  AuthorizationResponseError,
  type AuthorizationServer,
  calculatePKCECodeChallenge,
  generateRandomCodeVerifier,
  generateRandomState,
  validateAuthResponse,
} from 'oauth4webapi'
import type { PendingCode, StoredTokens } from '../../store/record.ts'
import type { ServerMetadata } from '../../store/server-metadata.ts'
import { bindAnew } from '../binding.ts'
import type { AuthContext } from '../context.ts'
import type { Discovery } from '../discover.ts'
import { AuthFailure, quote } from '../failure.ts'
import { refusesResource } from '../oauth-error.ts'
import { scopesOf } from '../scopes.ts'
import { requestTokens } from '../token-endpoint.ts'

/** What one authorization request is made of. */
export interface CodeRequest {
  readonly clientId: string
  readonly redirectUri: string
  readonly scope: string | undefined
  readonly resource: string | undefined
}

/** The part of a pending sign-in that is the code flow's own. */
export type CodeFlow = Pick<PendingCode, 'link' | 'state' | 'verifier' | 'redirectUri'>

/**
 * Throws when the server does not promise to check PKCE or has no page: before it is told of
 * any client.
 */
export function requireCodeFlow(
  { options }: AuthContext,
  { issuer, metadata, published }: Discovery,
): string {
  const methods = metadata.code_challenge_methods_supported
  if (published && !options.allowMissingPkce && methods?.includes('S256') !== true) {
    const found = methods === undefined ? 'is missing' : `is ${quote(methods.join(', '))}`
    throw new AuthFailure(
      'refused',
      `${issuer} does not protect the sign-in: code_challenge_methods_supported ${found} in its metadata, S256 is needed.`,
      {
        hint: 'If its documentation says that it supports PKCE, pass --allow-missing-pkce.',
      },
    )
  }
  if (metadata.authorization_endpoint === undefined) {
    throw new AuthFailure('refused', `${issuer} has no page to sign in on.`, {
      hint: 'It may offer --device-code or --client-credentials.',
    })
  }
  return metadata.authorization_endpoint
}

/** Builds the authorization request. Throws like `requireCodeFlow`. */
export async function beginCodeFlow(
  context: AuthContext,
  discovery: Discovery,
  { clientId, redirectUri, scope, resource }: CodeRequest,
): Promise<CodeFlow> {
  const page = requireCodeFlow(context, discovery)
  const verifier = generateRandomCodeVerifier()
  const state = generateRandomState()
  const link = new URL(page)
  // It has none (RFC 6749 §3.1), and URL parsers leave there what they encode everywhere else.
  link.hash = ''
  const set = (name: string, value: string | undefined): void => {
    if (value !== undefined) link.searchParams.set(name, value)
  }
  set('response_type', 'code')
  set('client_id', clientId)
  set('redirect_uri', redirectUri)
  set('state', state)
  set('code_challenge', await calculatePKCECodeChallenge(verifier))
  set('code_challenge_method', 'S256')
  set('scope', scope)
  set('resource', resource)
  // Without consent no refresh token comes for it (OpenID Connect Core §11).
  if (scopesOf(scope).includes('offline_access')) set('prompt', 'consent')
  for (const [name, value] of Object.entries(context.options.authorizeParams)) set(name, value)
  return { link: link.href, state, verifier, redirectUri }
}

/** Judges what the browser brought back and redeems the code. */
export async function completeCodeFlow(
  context: AuthContext,
  metadata: ServerMetadata,
  flow: PendingCode,
  answer: URLSearchParams,
): Promise<StoredTokens> {
  const { client, scope, resource, redirectUri, verifier, binding } = flow
  const checked = check(metadata, flow, answer)
  const bind = bindAnew(binding)
  const request = { metadata, client, resource, scope, grant: 'authorization_code', bind } as const
  return requestTokens(context, request, (server, oauthClient, authentication, options) =>
    authorizationCodeGrantRequest(
      server,
      oauthClient,
      authentication,
      checked,
      redirectUri,
      verifier,
      options,
    ),
  )
}

/** `iss` first: of a response that came from elsewhere not even the error is looked at. */
function check(
  metadata: ServerMetadata,
  flow: PendingCode,
  answer: URLSearchParams,
): URLSearchParams {
  const params = new URLSearchParams(answer)
  // An assumed issuer is no measure for a real one.
  if (!flow.published) params.delete('iss')
  const server = metadata as AuthorizationServer
  try {
    return validateAuthResponse(server, { client_id: flow.client.clientId }, params, flow.state)
  } catch (error) {
    if (error instanceof AuthorizationResponseError) throw refusal(metadata, error)
    throw new AuthFailure(
      'refused',
      'The browser came back with an answer that is not from the authorization server; it was not used.',
      {
        hint: 'Try again. If it happens again, somebody may be interfering with the sign-in.',
        cause: error,
      },
    )
  }
}

function refusal({ issuer }: ServerMetadata, response: AuthorizationResponseError): AuthFailure {
  const { error: code, error_description: description } = response
  const why = description === undefined ? code : `${code}: ${description}`
  if (refusesResource({ code, description })) {
    return new AuthFailure(
      'resource',
      `${issuer} refuses the resource parameter (${quote(why)}).`,
      { code },
    )
  }
  if (code === 'access_denied') {
    return new AuthFailure('refused', `The sign-in was denied (${quote(why)}).`, { code })
  }
  const dead = code === 'invalid_client' || code === 'unauthorized_client'
  return new AuthFailure(
    dead ? 'client' : 'refused',
    `${issuer} refused the sign-in (${quote(why)}).`,
    { code },
  )
}
