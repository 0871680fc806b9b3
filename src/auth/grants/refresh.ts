import { refreshTokenGrantRequest } from 'oauth4webapi'
import type { StoredClient, StoredIssuer, StoredTokens } from '../../store/record.ts'
import type { AuthContext } from '../context.ts'
import { persistently } from '../retry.ts'
import { requestTokens } from '../token-endpoint.ts'

/** Exchanges a refresh token. What the answer leaves out stays as it was. */
export async function refresh(
  context: AuthContext,
  { metadata, refusesResource }: StoredIssuer,
  client: StoredClient,
  tokens: StoredTokens,
  resource: string | undefined,
): Promise<StoredTokens> {
  const { refreshToken = '', scope, requested, proofKey } = tokens
  const bind = proofKey && { key: proofKey, required: true }
  const request = { metadata, client, resource, scope, grant: tokens.grant, bind }
  // Entra needs one of the two to know whom the token is for (AADSTS90009); others need neither.
  const named = resource === undefined ? {} : { resource }
  const repeated = refusesResource === true && scope !== undefined ? { scope } : {}
  const additionalParameters = { ...named, ...repeated }
  const fresh = await persistently(context.signal, () =>
    requestTokens(context, request, (server, oauthClient, authentication, options) => {
      const all = { ...options, additionalParameters }
      return refreshTokenGrantRequest(server, oauthClient, authentication, refreshToken, all)
    }),
  )
  const kept = { requested, account: fresh.account ?? tokens.account }
  return { ...fresh, ...kept, refreshToken: fresh.refreshToken ?? refreshToken }
}
