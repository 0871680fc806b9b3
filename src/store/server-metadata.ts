import * as z from 'zod/mini'
import { catch as otherwise } from 'zod/mini'

/** A list of words that may be missing or `null`; a list of anything else is as good as none. */
const words = otherwise(z.optional(z.array(z.string())), undefined)

/** A text that may be missing or `null`. */
const text = otherwise(z.optional(z.string()), undefined)

const flag = otherwise(z.optional(z.boolean()), undefined)

/** The grant of RFC 8628. */
export const DEVICE_CODE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

/** Authorization server metadata (RFC 8414 §2, OpenID Connect Discovery §3): what of it is used. */
export const ServerMetadata = z.object({
  issuer: z.string(),
  authorization_endpoint: text,
  token_endpoint: z.string(),
  registration_endpoint: text,
  revocation_endpoint: text,
  device_authorization_endpoint: text,
  scopes_supported: words,
  code_challenge_methods_supported: words,
  grant_types_supported: words,
  token_endpoint_auth_methods_supported: words,
  token_endpoint_auth_signing_alg_values_supported: words,
  client_id_metadata_document_supported: flag,
  authorization_response_iss_parameter_supported: flag,
  dpop_signing_alg_values_supported: words,
  authorization_grant_profiles_supported: words,
  tls_client_certificate_bound_access_tokens: flag,
  /** Where a client with a certificate goes instead (RFC 8705 §5). */
  mtls_endpoint_aliases: otherwise(
    z.optional(z.object({ token_endpoint: text, device_authorization_endpoint: text })),
    undefined,
  ),
})

/** The grant of RFC 7523 §2.1. */
export const JWT_BEARER_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** The grant of RFC 8693. */
export const TOKEN_EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** Grants that need nobody at an authorization endpoint. */
const WITHOUT_AUTHORIZATION = new Set([
  'client_credentials',
  DEVICE_CODE_GRANT,
  JWT_BEARER_GRANT,
  TOKEN_EXCHANGE_GRANT,
])

/** Whether a document is of use at all: an error page in JSON has none of these. */
export function isUsable({
  authorization_endpoint,
  grant_types_supported,
}: ServerMetadata): boolean {
  if (authorization_endpoint !== undefined) return true
  return grant_types_supported?.some((grant) => WITHOUT_AUTHORIZATION.has(grant)) ?? false
}

/** What is known about an authorization server. */
export type ServerMetadata = z.infer<typeof ServerMetadata>
