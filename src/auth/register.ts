import * as z from 'zod/mini'
import { catch as otherwise } from 'zod/mini'
import type { StoredClient } from '../store/record.ts'
import type { ServerMetadata } from '../store/server-metadata.ts'
import { supportedMethod } from './client-auth.ts'
import { type Registration, registrationBody } from './client-metadata.ts'
import { AuthFailure, quote } from './failure.ts'
import type { AuthHttp } from './fetch.ts'
import { oauthError } from './oauth-error.ts'
import { millisecondsOf } from './seconds.ts'

/** The answer to a registration, read leniently: much of what RFC 7591 demands is left out in practice. */
const Registered = z.object({
  client_id: z.string().check(z.minLength(1)),
  client_secret: otherwise(z.optional(z.string()), undefined),
  client_secret_expires_at: otherwise(z.optional(z.coerce.number()), undefined),
  token_endpoint_auth_method: otherwise(z.optional(z.string()), undefined),
  redirect_uris: otherwise(z.optional(z.array(z.string())), undefined),
})

/** Registers a client (RFC 7591). */
export async function register(
  http: AuthHttp,
  metadata: ServerMetadata,
  wanted: Omit<Registration, 'authMethod'>,
): Promise<StoredClient> {
  const endpoint = new URL(metadata.registration_endpoint!)
  const authMethod = supportedMethod(metadata, [
    'none',
    'client_secret_basic',
    'client_secret_post',
  ])
  const body = registrationBody({ ...wanted, authMethod: authMethod ?? 'none' })
  const response = await http.fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
  })
  const content = await response.text()
  if (response.status !== 200 && response.status !== 201) {
    throw refused(response, content, endpoint)
  }
  return clientOf(content, endpoint, wanted.redirectUri, metadata)
}

function refused(response: Response, content: string, endpoint: URL): AuthFailure {
  const { status } = response
  const { code, description } = oauthError(content)
  const reason = code ?? description
  const said =
    reason === undefined
      ? ''
      : `: ${quote(code === undefined ? reason : [code, description].filter(Boolean).join(', '))}`
  if (status >= 500 || status === 429) {
    return new AuthFailure(
      'unreachable',
      `${endpoint.origin} answered ${status} to our registration${said}.`,
    )
  }
  const redirect = code === 'invalid_redirect_uri' || code === 'invalid_client_metadata'
  return new AuthFailure(
    redirect ? 'redirect' : 'refused',
    `${endpoint.origin} refuses to register this client (${status})${said}.`,
    {
      hint: 'Register a client with the operator of the server and pass its --client-id.',
    },
  )
}

function clientOf(
  content: string,
  endpoint: URL,
  redirectUri: string,
  metadata: ServerMetadata,
): StoredClient {
  let answer: z.infer<typeof Registered>
  try {
    answer = Registered.parse(JSON.parse(content))
  } catch (cause) {
    throw new AuthFailure(
      'refused',
      `${endpoint.origin} answered our registration without a client.`,
      { cause },
    )
  }
  const { client_id, client_secret, client_secret_expires_at, redirect_uris } = answer
  if (redirect_uris !== undefined && !redirect_uris.includes(redirectUri)) {
    // Servers that rewrite redirect URIs refuse the one that was sent on the sign-in page.
    throw new AuthFailure(
      'redirect',
      `${endpoint.origin} registered ${quote(redirect_uris.join(', '))} instead of ${redirectUri}.`,
    )
  }
  const assigned =
    client_secret === undefined
      ? 'none'
      : (supportedMethod(metadata, ['client_secret_basic', 'client_secret_post']) ??
        'client_secret_basic')
  return {
    clientId: client_id,
    clientSecret: client_secret,
    // 0 means "never" (RFC 7591 §3.2.1).
    secretExpiresAt:
      client_secret_expires_at === undefined || client_secret_expires_at === 0
        ? undefined
        : millisecondsOf(client_secret_expires_at),
    authMethod: answer.token_endpoint_auth_method ?? assigned,
    redirectUris: [redirectUri],
  }
}
