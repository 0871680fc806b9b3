import { z } from 'zod'
import { ask } from './ask.ts'
import { failed, type IdentityProvider } from './identity.ts'
import { randomToken, sha256 } from './pkce.ts'

interface GitHubOptions {
  readonly clientId: string
  readonly clientSecret: string
  /** `https://github.com`, or a GitHub Enterprise host. */
  readonly baseUrl: string
  readonly apiUrl: string
}

// A refused code comes as HTTP 200 with `error`, which has no `access_token`.
const TokenAnswer = z.object({ access_token: z.string() })
const User = z.object({ id: z.int(), login: z.string() })

/** GitHub as the identity provider. It is asked who the person is and for nothing else. */
export function github({
  clientId,
  clientSecret,
  baseUrl,
  apiUrl,
}: GitHubOptions): IdentityProvider {
  return {
    name: 'GitHub',

    async start(callbackUrl) {
      const secrets = { verifier: randomToken(), nonce: '' }
      const challenge = await sha256(secrets.verifier)
      return {
        secrets,
        location: (state) =>
          `${baseUrl}/login/oauth/authorize?${new URLSearchParams({
            client_id: clientId,
            redirect_uri: callbackUrl,
            scope: 'read:user',
            state,
            code_challenge: challenge,
            code_challenge_method: 'S256',
          })}`,
      }
    },

    async finish(answer, callbackUrl, { verifier }) {
      const error = answer.searchParams.get('error')
      if (error !== null) return failed(error === 'access_denied' ? 'denied' : 'refused', error)
      const token = await ask(`${baseUrl}/login/oauth/access_token`, TokenAnswer, {
        method: 'POST',
        body: new URLSearchParams({
          client_id: clientId,
          client_secret: clientSecret,
          code: answer.searchParams.get('code') ?? '',
          redirect_uri: callbackUrl,
          code_verifier: verifier,
        }),
      })
      if (!token.ok) return token
      const user = await ask(`${apiUrl}/user`, User, {
        headers: { Authorization: `Bearer ${token.value.access_token}` },
      })
      if (!user.ok) return user
      const { id, login } = user.value
      return { ok: true, identity: { userId: `github-${id}`, login, roles: [] } }
    },
  }
}
