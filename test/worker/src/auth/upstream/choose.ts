import { required, type AuthEnv } from '../settings.ts'
import { github } from './github.ts'
import type { IdentityProvider } from './identity.ts'
import { oidc } from './oidc.ts'

const PROVIDERS: ReadonlyMap<string, (env: AuthEnv) => IdentityProvider> = new Map([
  ['github', configuredGitHub],
  ['oidc', configuredOidc],
])

/** The identity provider that `UPSTREAM` names. Another kind is one file and one row above. */
export function chooseProvider(env: AuthEnv): IdentityProvider {
  const make = PROVIDERS.get(env.UPSTREAM ?? '')
  if (make !== undefined) return make(env)
  throw new Error(`UPSTREAM must be one of ${[...PROVIDERS.keys()].join(', ')}`)
}

function configuredGitHub(env: AuthEnv): IdentityProvider {
  return github({
    clientId: required(env, 'GITHUB_CLIENT_ID'),
    clientSecret: required(env, 'GITHUB_CLIENT_SECRET'),
    baseUrl: env.GITHUB_BASE_URL ?? 'https://github.com',
    apiUrl: env.GITHUB_API_URL ?? 'https://api.github.com',
  })
}

function configuredOidc(env: AuthEnv): IdentityProvider {
  const issuer = required(env, 'OIDC_ISSUER')
  return oidc({
    issuer,
    clientId: required(env, 'OIDC_CLIENT_ID'),
    clientSecret: required(env, 'OIDC_CLIENT_SECRET'),
    name: env.OIDC_NAME ?? new URL(issuer).host,
    scopes: env.OIDC_SCOPES ?? 'openid profile',
    rolesClaim: env.OIDC_ROLES_CLAIM ?? 'roles',
  })
}
