import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { GrantContext } from 'oidc-provider'
import type { OidcOptions } from './oidc.ts'
import { readJwt, signJwt } from './jwt.ts'

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag'
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token'

/** Whose word is taken, for what. */
export interface Signer {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** A key to sign assertions with. */
export function newSigner(): Signer {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

function refuse(context: GrantContext, error: string, error_description: string): void {
  context.status = 400
  context.body = { error, error_description }
}

/** An identity provider that vouches for the people who have signed in there (RFC 8693, ID-JAG). */
export function companyProvider(signer: Signer): OidcOptions {
  const client = {
    client_id: 'laptop',
    token_endpoint_auth_method: 'none',
    application_type: 'native',
    redirect_uris: ['http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token', TOKEN_EXCHANGE],
  }
  return {
    clients: [client],
    more: {
      // Short, so that the tests see it renewed.
      ttl: { IdToken: 3600, AccessToken: 3600, RefreshToken: 3600 },
    },
    prepare(provider) {
      const names = ['subject_token', 'subject_token_type', 'requested_token_type', 'audience']
      const exchange = async (context: GrantContext): Promise<void> => {
        const { params, client: asking } = context.oidc
        const { subject_token = '', audience, resource, scope } = params
        const fits =
          params['subject_token_type'] === ID_TOKEN && params['requested_token_type'] === ID_JAG
        if (!fits) return refuse(context, 'invalid_request', 'types')
        const { payload } = await provider.IdToken.validate(subject_token, asking)
        if (revoked.has(subject_token)) return refuse(context, 'invalid_grant', 'revoked')
        const now = Math.floor(Date.now() / 1000)
        const claims = {
          iss: provider.issuer,
          sub: payload.sub,
          aud: audience,
          resource,
          scope,
          client_id: 'bridge-at-server',
          iat: now,
          exp: now + 60,
        }
        context.body = {
          access_token: signJwt({ typ: 'oauth-id-jag+jwt' }, claims, signer.privateKey),
          issued_token_type: ID_JAG,
          token_type: 'N_A',
        }
        seenIdTokens.push(subject_token)
      }
      provider.registerGrantType(TOKEN_EXCHANGE, exchange, [...names, 'resource', 'scope'])
    },
  }
}

/** ID tokens that the provider does not take any more, and those that it has taken. */
export const revoked = new Set<string>()
export const seenIdTokens: string[] = []

/** An authorization server that takes signed assertions in the place of a person (RFC 7523). */
export function trustingServer(
  { publicKey }: Signer,
  clients: readonly object[],
  typ: string | undefined,
): OidcOptions {
  return {
    clients: clients.map((client) => ({
      redirect_uris: [],
      response_types: [],
      grant_types: [JWT_BEARER],
      ...client,
    })),
    prepare(provider) {
      const grant = async (context: GrantContext): Promise<void> => {
        const { params, client } = context.oidc
        const { assertion = '', resource = '' } = params
        let jwt: ReturnType<typeof readJwt>
        try {
          jwt = readJwt(assertion, publicKey)
        } catch {
          return refuse(context, 'invalid_grant', `not to be read: ${assertion}`)
        }
        const { header, claims } = jwt
        const fits =
          header['typ'] === typ &&
          claims['aud'] === provider.issuer &&
          Number(claims['exp']) * 1000 > Date.now() &&
          (typ === undefined || claims['client_id'] === client.clientId)
        if (!fits) return refuse(context, 'invalid_grant', 'another assertion is wanted')
        const token = new provider.ClientCredentials({ client, scope: 'mcp:read' })
        const info = { scope: 'mcp:read', audience: resource, accessTokenFormat: 'opaque' }
        token.resourceServer = new provider.ResourceServer(resource, info)
        context.oidc.entity('ClientCredentials', token)
        context.body = {
          access_token: await token.save(),
          expires_in: token.expiration,
          token_type: 'Bearer',
        }
      }
      provider.registerGrantType(JWT_BEARER, grant, ['assertion', 'resource', 'scope'])
    },
  }
}
