import {
  type AuthorizationServer,
  processRevocationResponse,
  revocationRequest,
} from 'oauth4webapi'
import type { StoredClient, StoredIssuer, StoredTokens } from '../store/record.ts'
import { clientAuthentications } from './client-auth.ts'
import type { AuthContext } from './context.ts'
import { expected } from './failure.ts'
import { clearly, endpointOptions, tryEach } from './token-endpoint.ts'

/** What became of the tokens at their authorization server. */
export type Revocation =
  | { readonly outcome: 'revoked' | 'not offered' | 'no tokens' }
  | { readonly outcome: 'failed'; readonly why: string }

/**
 * Asks an authorization server to forget the tokens it gave us (RFC 7009). The refresh token goes
 * first: with it most servers forget the access tokens as well (§2.1), and without it nothing lasts.
 *
 * @param what an identity provider is asked to end the session: the ID token that is kept of it is a
 *   statement, and no server takes one back
 */
export async function revoke(
  context: Pick<AuthContext, 'http' | 'options'>,
  { metadata, client, tokens }: StoredIssuer,
  what: 'tokens' | 'session' = 'tokens',
): Promise<Revocation> {
  if (tokens === undefined) return { outcome: 'no tokens' }
  const { revocation_endpoint } = metadata
  const { accessToken, refreshToken } = tokens
  if (revocation_endpoint === undefined) return { outcome: 'not offered' }
  if (what === 'session' && refreshToken === undefined) return { outcome: 'not offered' }
  const { options, http } = context
  const server = metadata as AuthorizationServer
  const owner = client?.clientId === tokens.clientId ? client : ownerOf(tokens, options.client)

  async function send(token: string, hint: string): Promise<void> {
    const ways = await clientAuthentications(owner, options, metadata)
    const request = {
      ...endpointOptions({ http }),
      additionalParameters: { token_type_hint: hint },
    }
    await clearly(async () => {
      const response = await tryEach(ways, (way) =>
        revocationRequest(server, { client_id: owner.clientId }, way, token, request),
      )
      await processRevocationResponse(response)
    })
  }

  try {
    await http.check(new URL(revocation_endpoint))
    if (refreshToken !== undefined) await send(refreshToken, 'refresh_token')
    if (what === 'session') return { outcome: 'revoked' }
    try {
      await send(accessToken, 'access_token')
    } catch (error) {
      // A server may know only refresh tokens by heart (RFC 7009 §2.2.1).
      const { code } = expected(error)
      if (refreshToken === undefined || code !== 'unsupported_token_type') throw error
    }
    return { outcome: 'revoked' }
  } catch (error) {
    const { code, message } = expected(error)
    return { outcome: 'failed', why: code ?? message }
  }
}

/** The client of the tokens when it was not registered for us. */
function ownerOf(
  { clientId }: StoredTokens,
  configured: AuthContext['options']['client'],
): StoredClient {
  const known = configured?.clientId === clientId ? configured : undefined
  const method =
    known?.key !== undefined
      ? 'private_key_jwt'
      : known?.clientSecret !== undefined
        ? 'client_secret_basic'
        : 'none'
  return { clientId, authMethod: known?.authMethod ?? method, redirectUris: [] }
}
