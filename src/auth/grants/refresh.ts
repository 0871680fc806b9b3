import { refreshTokenGrantRequest } from 'oauth4webapi'
import type { StoredClient, StoredIssuer, StoredTokens } from '../../store/record.ts'
import type { AuthContext } from '../context.ts'
import { persistently } from '../retry.ts'
import { requestTokens } from '../token-endpoint.ts'

/** Exchanges a refresh token. What the answer leaves out stays as it was. */
export async function refresh(
  context: AuthContext,
  { metadata }: StoredIssuer,
  client: StoredClient,
  tokens: StoredTokens,
  resource: string | undefined,
): Promise<StoredTokens> {
  const refreshToken = tokens.refreshToken!
  const request = { metadata, client, resource, scope: tokens.scope, grant: tokens.grant }
  const fresh = await persistently(context.signal, () =>
    requestTokens(context, request, (server, oauthClient, authentication, options) =>
      refreshTokenGrantRequest(server, oauthClient, authentication, refreshToken, options),
    ),
  )
  const { requested } = tokens
  return { ...fresh, requested, refreshToken: fresh.refreshToken ?? refreshToken }
}
