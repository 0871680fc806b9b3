import { clientCredentialsGrantRequest } from 'oauth4webapi'
import type { StoredTokens } from '../../store/record.ts'
import { bindAnew } from '../binding.ts'
import type { AuthContext } from '../context.ts'
import type { Discovery } from '../discover.ts'
import { ownClient } from '../identity.ts'
import type { Asked } from '../request.ts'
import { persistently } from '../retry.ts'
import { requestTokens } from '../token-endpoint.ts'

/** Gets a token for the client itself: no person, no registration. */
export async function asClient(
  context: AuthContext,
  discovery: Discovery,
  { scope, resource, binding }: Asked,
): Promise<StoredTokens> {
  const client = ownClient(context, discovery)
  const { metadata } = discovery
  const bind = bindAnew(binding)
  const request = { metadata, client, resource, scope, grant: 'client_credentials', bind } as const
  return persistently(context.signal, () =>
    requestTokens(context, request, (server, oauthClient, authentication, options) => {
      const parameters = new URLSearchParams(scope === undefined ? {} : { scope })
      if (resource !== undefined) parameters.set('resource', resource)
      return clientCredentialsGrantRequest(server, oauthClient, authentication, parameters, options)
    }),
  )
}
