import { readMcpRemote } from '../store/mcp-remote.ts'
import type { ServerRecord, StoredClient, StoredTokens } from '../store/record.ts'
import { supportedMethod } from './client-auth.ts'
import type { AuthContext } from './context.ts'
import type { Discovery } from './discover.ts'
import { knownIdentity } from './identity.ts'
import { withIssuer, withTokens } from './ledger.ts'
import { canonicalResource } from './resource.ts'

/**
 * The record with what mcp-remote knows about this server, at our first start there: a person who
 * changes over is not asked again. `undefined` when it knows nothing, or nothing that fits.
 */
export async function importSignIn(
  context: AuthContext,
  record: ServerRecord,
  hinted: string | undefined,
): Promise<ServerRecord | undefined> {
  const { options, server, find, log, env } = context
  const first = Object.keys(record.issuers).length === 0 && record.failed === undefined
  if (!first || options.profile !== 'default' || options.useIdToken) return undefined
  const { authorizeParams, clientMetadataUrl } = options
  const resource = options.resource === false ? undefined : options.resource
  const found = readMcpRemote(env, { server, resource, authorizeParams, clientMetadataUrl })
  if (found === undefined) return undefined
  // Stores of older versions do not name the issuer: then it is the one that the server trusts now.
  const issuer = found.tokens?.issuer ?? found.client?.issuer
  const discovery = await find(hinted, issuer === undefined ? [] : [issuer])
  if (issuer !== undefined && issuer !== discovery.issuer) return undefined
  const client = clientOf(found.client, discovery)
  const clientId = (knownIdentity(context, discovery)?.client ?? client)?.clientId
  if (clientId === undefined) return undefined
  log.warn(`adopted what mcp-remote knows about ${server.host}; its files stay as they are`)
  const more = client === undefined ? {} : { client }
  const { metadata } = discovery
  if (found.tokens === undefined) return withIssuer(record, discovery.issuer, { metadata, ...more })
  const { access_token, refresh_token, scope, expires_at } = found.tokens
  const tokens: StoredTokens = {
    accessToken: access_token,
    refreshToken: refresh_token,
    // Without a known end it is renewed at once: mcp-remote did not see it die.
    expiresAt: expires_at ?? (refresh_token === undefined ? undefined : 0),
    obtainedAt: 0,
    scope,
    requested: scope,
    resource: resource ?? discovery.resource?.resource ?? canonicalResource(server),
    clientId,
    grant: 'authorization_code',
  }
  return withTokens(record, discovery.issuer, metadata, tokens, more)
}

function clientOf(
  client: NonNullable<ReturnType<typeof readMcpRemote>>['client'],
  { metadata }: Discovery,
): StoredClient | undefined {
  if (client === undefined) return undefined
  const { client_id, client_secret, client_secret_expires_at: expires } = client
  const withSecret = ['client_secret_basic', 'client_secret_post']
  const assigned =
    client_secret === undefined
      ? 'none'
      : (supportedMethod(metadata, withSecret) ?? 'client_secret_basic')
  return {
    clientId: client_id,
    clientSecret: client_secret,
    secretExpiresAt: expires === undefined || expires === 0 ? undefined : expires * 1000,
    authMethod: client.token_endpoint_auth_method ?? assigned,
    redirectUris: client.redirect_uris ?? [],
  }
}
