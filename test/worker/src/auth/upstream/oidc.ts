import { ask } from './ask.ts'
import { failed, type IdentityProvider, type Role } from './identity.ts'
import { discover } from './oidc-discovery.ts'
import { readIdToken, TokenAnswer, UserInfo } from './oidc-tokens.ts'
import { randomToken, sha256 } from './pkce.ts'

interface OidcOptions {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly name: string
  readonly scopes: string
  readonly rolesClaim: string
}

/** Any OpenID Connect provider: discovery, PKCE, nonce, the id token's claims, then userinfo. */
export function oidc(options: OidcOptions): IdentityProvider {
  const { issuer, clientId, clientSecret } = options
  return {
    name: options.name,

    async start(callbackUrl) {
      const metadata = await discover(issuer)
      if (!metadata.ok) return undefined
      const secrets = { verifier: randomToken(), nonce: randomToken() }
      const challenge = await sha256(secrets.verifier)
      return {
        secrets,
        location(state) {
          const url = new URL(metadata.value.authorization_endpoint)
          const parameters = {
            response_type: 'code',
            client_id: clientId,
            redirect_uri: callbackUrl,
            scope: options.scopes,
            state,
            nonce: secrets.nonce,
            code_challenge: challenge,
            code_challenge_method: 'S256',
          }
          for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
          return url.href
        },
      }
    },

    async finish(answer, callbackUrl, { verifier, nonce }) {
      const query = answer.searchParams
      const metadata = await discover(issuer)
      if (!metadata.ok) return metadata
      const promisesIss = metadata.value.authorization_response_iss_parameter_supported === true
      const iss = query.get('iss')
      // RFC 9207 §2.4, and before anything else in the answer is believed.
      if (iss === null ? promisesIss : iss !== issuer)
        return failed('refused', 'answer of another issuer')
      const error = query.get('error')
      if (error !== null) return failed(error === 'access_denied' ? 'denied' : 'refused', error)

      const token = await ask(metadata.value.token_endpoint, TokenAnswer, {
        method: 'POST',
        headers: { Authorization: basic(clientId, clientSecret) },
        body: new URLSearchParams({
          grant_type: 'authorization_code',
          code: query.get('code') ?? '',
          redirect_uri: callbackUrl,
          code_verifier: verifier,
        }),
      })
      if (!token.ok) return token
      const claims = readIdToken(token.value.id_token, {
        issuer,
        clientId,
        nonce,
        nowS: Date.now() / 1000,
      })
      if (claims === undefined) return failed('refused', 'id token not acceptable')

      const user = await ask(metadata.value.userinfo_endpoint, UserInfo, {
        headers: { Authorization: `Bearer ${token.value.access_token}` },
      })
      if (!user.ok) return user
      // OpenID Connect Core §5.3.2: userinfo of another subject must not be used.
      if (user.value.sub !== claims.sub) return failed('refused', 'userinfo of another subject')
      return {
        ok: true,
        identity: {
          // A hash, because a subject is unique only together with its issuer, may be 255 characters
          // of anything, and becomes part of storage keys.
          userId: `oidc-${(await sha256(`${issuer} ${claims.sub}`)).slice(0, 22)}`,
          login: user.value.preferred_username ?? user.value.email ?? claims.sub,
          roles: rolesOf(user.value[options.rolesClaim]),
        },
      }
    },
  }
}

const rolesOf = (claim: unknown): readonly Role[] =>
  (Array.isArray(claim) ? claim.includes('admin') : claim === 'admin') ? ['admin'] : []

// RFC 6749 §2.3.1: both halves are form-encoded before Base64.
const basic = (clientId: string, clientSecret: string): string =>
  `Basic ${btoa(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`)}`
