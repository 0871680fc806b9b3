import { required, type AuthEnv } from '../settings.ts'
import { github } from './github.ts'
import type { IdentityProvider } from './identity.ts'
import { oidc } from './oidc.ts'

const PROVIDERS: Readonly<Record<string, (env: AuthEnv) => IdentityProvider>> = {
  github: (env) =>
    github({
      clientId: required(env, 'GITHUB_CLIENT_ID'),
      clientSecret: required(env, 'GITHUB_CLIENT_SECRET'),
      baseUrl: env.GITHUB_BASE_URL ?? 'https://github.com',
      apiUrl: env.GITHUB_API_URL ?? 'https://api.github.com',
    }),
  oidc: (env) => {
    const issuer = required(env, 'OIDC_ISSUER')
    return oidc({
      issuer,
      clientId: required(env, 'OIDC_CLIENT_ID'),
      clientSecret: required(env, 'OIDC_CLIENT_SECRET'),
      name: env.OIDC_NAME ?? new URL(issuer).host,
      scopes: env.OIDC_SCOPES ?? 'openid profile',
      rolesClaim: env.OIDC_ROLES_CLAIM ?? 'roles',
    })
  },
}

/** The identity provider that `UPSTREAM` names. Another kind is one file and one row above. */
export function chooseProvider(env: AuthEnv): IdentityProvider {
  const make = PROVIDERS[env.UPSTREAM ?? '']
  if (make === undefined)
    throw new Error(`UPSTREAM must be one of ${Object.keys(PROVIDERS).join(', ')}`)
  return make(env)
}
