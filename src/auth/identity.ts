import { generateRandomCodeVerifier, genericTokenEndpointRequest } from 'oauth4webapi'
import type { ServerRecord, StoredClient } from '../store/record.ts'
import { methodFor } from './client-auth.ts'
import type { AuthContext } from './context.ts'
import type { Discovery } from './discover.ts'
import { AuthFailure, expected } from './failure.ts'
import { register } from './register.ts'
import { requestTokens, type TokenContext } from './token-endpoint.ts'

/** Who we are for one authorization server. */
export interface Identity {
  readonly client: StoredClient
  /** Where it comes from: only a registered one is kept in the store, and may be replaced. */
  readonly source: 'configured' | 'document' | 'registered'
}

/** What the identity is for. */
export interface Purpose {
  readonly redirectUri: string
  readonly device: boolean
  readonly scope: string | undefined
  /** Whether the registration works for certain: tokens of it were accepted a moment ago. */
  readonly trusted: boolean
}

/** The client that needs no request: the user's own, or the one that describes itself. */
export function knownIdentity(
  { options }: AuthContext,
  { metadata }: Discovery,
): Identity | undefined {
  if (options.client !== undefined) {
    const { clientId, authMethod } = options.client
    const method = authMethod ?? methodFor(metadata, options.client, options.certificate)
    const client = { clientId, authMethod: method, redirectUris: [] }
    return { client, source: 'configured' }
  }
  if (options.clientMetadataUrl === undefined) return undefined
  if (metadata.client_id_metadata_document_supported !== true) return undefined
  const client = { clientId: options.clientMetadataUrl, authMethod: 'none', redirectUris: [] }
  return { client, source: 'document' }
}

/** The client of a grant without a person: it is registered beforehand, or describes itself. */
export function ownClient(context: AuthContext, discovery: Discovery): StoredClient {
  const identity = knownIdentity(context, discovery)
  if (identity !== undefined) return identity.client
  throw new AuthFailure('refused', `${discovery.issuer} needs to know the client.`, {
    hint: 'Register one there and pass its --client-id.',
  })
}

/** The registration of an earlier sign-in, as long as it lives. */
export function storedClient(
  { now }: AuthContext,
  { issuer }: Discovery,
  record: ServerRecord,
): StoredClient | undefined {
  const client = record.issuers[issuer]?.client
  if (client === undefined) return undefined
  const { secretExpiresAt } = client
  return secretExpiresAt === undefined || secretExpiresAt > now() ? client : undefined
}

/** The client for a sign-in; registers one where there is none for this redirect URI. */
export async function identify(
  context: AuthContext,
  discovery: Discovery,
  record: ServerRecord,
  purpose: Purpose,
): Promise<Identity> {
  const known = knownIdentity(context, discovery)
  if (known !== undefined) return known
  const stored = storedClient(context, discovery, record)
  const { metadata, issuer } = discovery
  const fits = stored?.redirectUris.includes(purpose.redirectUri) === true
  if (fits && (purpose.trusted || (await isAlive(context, metadata, stored)))) {
    return { client: stored, source: 'registered' }
  }
  if (metadata.registration_endpoint === undefined) {
    throw new AuthFailure('refused', `${issuer} does not let programs register themselves.`, {
      hint: `Register a client there with the redirect URI ${purpose.redirectUri} and pass its --client-id.`,
    })
  }
  const own = context.options.clientMetadata
  const { redirectUri, device, scope } = purpose
  const client = await register(context.http, metadata, { redirectUri, device, scope, own })
  return { client, source: 'registered' }
}

/**
 * Whether the server still knows a registration. A sign-in page would say so to the person, where
 * nobody can help it: so the token endpoint is asked with a code that cannot be, and answers
 * `invalid_grant` to those it knows.
 */
export async function isAlive(
  context: TokenContext,
  metadata: Discovery['metadata'],
  client: StoredClient,
): Promise<boolean> {
  const request = {
    metadata,
    client,
    resource: undefined,
    scope: undefined,
    grant: 'authorization_code',
  } as const
  try {
    await requestTokens(context, request, (server, oauthClient, authentication, options) =>
      genericTokenEndpointRequest(
        server,
        oauthClient,
        authentication,
        'authorization_code',
        {
          code: 'is-this-client-known',
          redirect_uri: client.redirectUris[0]!,
          code_verifier: generateRandomCodeVerifier(),
        },
        options,
      ),
    )
  } catch (error) {
    return expected(error).kind !== 'client'
  }
  return true
}
