import { genericTokenEndpointRequest } from 'oauth4webapi'
import { TOKEN_EXCHANGE_GRANT } from '../../store/server-metadata.ts'
import { clientAuthentications, endpointsFor } from '../client-auth.ts'
import type { AuthContext } from '../context.ts'
import type { Discovery } from '../discover.ts'
import { AuthFailure } from '../failure.ts'
import { ownClient } from '../identity.ts'
import type { Asked } from '../request.ts'
import { persistently } from '../retry.ts'
import { clearly, endpointOptions, tryEach } from '../token-endpoint.ts'

const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type'

/** The identity assertion for another authorization server (ID-JAG). */
const ID_JAG = `${TOKEN_TYPE}:id-jag`

/**
 * Asks the identity provider to vouch for the person at the authorization server of an MCP server
 * (RFC 8693, SEP-990 §4): an assertion that is good for this one place, for some minutes.
 *
 * @param idp the context of the identity provider
 * @param audience the issuer of the authorization server
 */
export async function exchangeIdToken(
  idp: AuthContext,
  provider: Discovery,
  idToken: string,
  audience: string,
  { scope, resource }: Asked,
): Promise<string> {
  const { metadata } = provider
  const client = ownClient(idp, provider)
  const server = endpointsFor(client, idp.options, metadata)
  const parameters = {
    requested_token_type: ID_JAG,
    subject_token: idToken,
    subject_token_type: `${TOKEN_TYPE}:id_token`,
    audience,
    ...(resource === undefined ? {} : { resource }),
    ...(scope === undefined ? {} : { scope }),
  }
  const ways = await clientAuthentications(client, idp.options, metadata)
  const oauthClient = { client_id: client.clientId }
  const answer = await persistently(idp.signal, () =>
    clearly(async () => {
      const response = await tryEach(ways, (way) =>
        genericTokenEndpointRequest(
          server,
          oauthClient,
          way,
          TOKEN_EXCHANGE_GRANT,
          parameters,
          endpointOptions(idp),
        ),
      )
      return (await response.json()) as Record<string, unknown> | null
    }),
  )
  const { access_token: assertion, issued_token_type: type } = answer ?? {}
  if (typeof assertion === 'string' && assertion !== '' && type === ID_JAG) return assertion
  throw new AuthFailure(
    'refused',
    `${metadata.issuer} gave no identity assertion for ${audience}.`,
    { hint: 'The identity provider has to support cross-application access (ID-JAG).' },
  )
}
