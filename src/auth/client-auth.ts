import {
  type AuthorizationServer,
  type ClientAuth,
  ClientSecretPost,
  None,
  TlsClientAuth,
} from 'oauth4webapi'
import type { StoredClient } from '../store/record.ts'
import type { ServerMetadata } from '../store/server-metadata.ts'
import { privateKeyJwt } from './client-key.ts'
import type { AuthOptions, ConfiguredClient } from './options.ts'

/** The first of the methods that the server supports; without a list it supports Basic (RFC 8414 §2). */
export function supportedMethod(
  metadata: ServerMetadata,
  methods: readonly string[],
): string | undefined {
  const { token_endpoint_auth_methods_supported: supported } = metadata
  return methods.find((method) => supported?.includes(method) ?? true)
}

/** Ways to authenticate, most likely first; the next one is for servers that answer `invalid_client`. */
export async function clientAuthentications(
  { clientId, clientSecret: assigned, authMethod }: StoredClient,
  { client: configured }: AuthOptions,
  metadata: ServerMetadata,
): Promise<readonly ClientAuth[]> {
  // The user's own secret is never stored, so it is looked up each time.
  const own = configured?.clientId === clientId ? configured : undefined
  const clientSecret = assigned ?? own?.clientSecret
  if (authMethod === 'private_key_jwt') return [await privateKeyJwt(own?.key ?? '', metadata)]
  // The connection itself says who we are; the request only names the client (RFC 8705 §2).
  if (CERTIFICATE_METHODS.includes(authMethod)) return [TlsClientAuth()]
  if (authMethod === 'none' || clientSecret === undefined) return [None()]
  if (authMethod === 'client_secret_post') return [ClientSecretPost(clientSecret)]
  const plain = `${clientId}:${clientSecret}`
  const encoded = `${formEncoded(clientId)}:${formEncoded(clientSecret)}`
  // Servers that do not undo the form encoding of RFC 6749 §2.3.1 see another id and secret.
  return plain === encoded ? [basic(plain)] : [basic(encoded), basic(plain)]
}

/** The two ways to be known by a certificate: by its name, or by itself (RFC 8705 §2). */
const CERTIFICATE_METHODS = ['tls_client_auth', 'self_signed_tls_client_auth']

/** How a client whose secrets are at hand authenticates, as far as the server says what it takes. */
export function methodFor(
  metadata: ServerMetadata,
  { key, clientSecret }: ConfiguredClient,
  certificate: boolean,
): string {
  if (key !== undefined) return 'private_key_jwt'
  if (clientSecret !== undefined) {
    const methods = ['client_secret_basic', 'client_secret_post']
    return supportedMethod(metadata, methods) ?? 'client_secret_basic'
  }
  // A certificate may be for the connection only: it is the client's when the server says so.
  const listed = metadata.token_endpoint_auth_methods_supported !== undefined
  const byCertificate =
    certificate && listed ? supportedMethod(metadata, CERTIFICATE_METHODS) : undefined
  return byCertificate ?? 'none'
}

/**
 * The server with the endpoints that this client uses. Requests that need our certificate go where
 * one is asked for (RFC 8705 §5): those of a client that is known by it, and those that bring tokens
 * which are bound to it.
 */
export function endpointsFor(
  { authMethod }: StoredClient,
  { certificate }: AuthOptions,
  metadata: ServerMetadata,
): AuthorizationServer {
  const { mtls_endpoint_aliases: aliases, ...rest } = metadata
  const bound = certificate && metadata.tls_client_certificate_bound_access_tokens === true
  if (!bound && !CERTIFICATE_METHODS.includes(authMethod)) return rest as AuthorizationServer
  const token_endpoint = aliases?.token_endpoint ?? rest.token_endpoint
  const device = aliases?.device_authorization_endpoint ?? rest.device_authorization_endpoint
  return { ...rest, token_endpoint, device_authorization_endpoint: device } as AuthorizationServer
}

function basic(credentials: string): ClientAuth {
  return (_server, _client, _body, headers) => {
    headers.set('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`)
  }
}

/**
 * As browsers encode forms: `-`, `_`, `.` and `*` stay. oauth4webapi's own Basic escapes them too,
 * which is legal, but many servers do not decode, and most ids have a dash in them.
 */
function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}
