import { genericTokenEndpointRequest } from 'oauth4webapi'
import type { StoredTokens } from '../../store/record.ts'
import { JWT_BEARER_GRANT } from '../../store/server-metadata.ts'
import { bindAnew } from '../binding.ts'
import type { AuthContext } from '../context.ts'
import type { Discovery } from '../discover.ts'
import { ownClient } from '../identity.ts'
import type { Asked } from '../request.ts'
import { persistently } from '../retry.ts'
import { requestTokens } from '../token-endpoint.ts'

/** Exchanges somebody else's assertion for an access token (RFC 7523 §2.1). */
export async function byAssertion(
  context: AuthContext,
  discovery: Discovery,
  { scope, resource, binding }: Asked,
  assertion: string,
  grant: 'enterprise' | 'workload',
): Promise<StoredTokens> {
  const client = ownClient(context, discovery)
  const { metadata } = discovery
  const bind = bindAnew(binding)
  const request = { metadata, client, resource, scope, grant, bind }
  const parameters = {
    assertion,
    ...(scope === undefined ? {} : { scope }),
    ...(resource === undefined ? {} : { resource }),
  }
  const tokens = await persistently(context.signal, () =>
    requestTokens(context, request, (server, oauthClient, authentication, options) =>
      genericTokenEndpointRequest(
        server,
        oauthClient,
        authentication,
        JWT_BEARER_GRANT,
        parameters,
        options,
      ),
    ),
  )
  // Whoever vouches for us is asked each time: a refresh token would outlive what it says (SEP-990).
  return { ...tokens, refreshToken: undefined }
}
