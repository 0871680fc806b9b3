import {
  insufficientScope,
  OAuthAuthorizationServer,
  OAuthResourceServer,
  type OAuthResourceAuth,
} from '@cloudflare/workers-oauth-provider'
import { logEvent } from '../log.ts'
import { BASE_SCOPE, SCOPES } from '../scopes.ts'
import { rejectAfter } from './hooks.ts'
import { makeLifetimes, nowInSeconds, type Lifetimes } from './lifetimes.ts'
import type { Person } from './person.ts'
import { judgeRegistration, refuseFlood, REGISTRATION_TTL_S } from './registration.ts'
import type { AuthEnv, Settings } from './settings.ts'

/** The protected endpoints. Each is a resource of its own: a token for one does not open the other. */
const RESOURCE_PATHS = ['/mcp', '/sse'] as const
const METADATA_PREFIX = '/.well-known/oauth-protected-resource'
const TOKEN_PATH = '/oauth/token'
const REGISTRATION_PATH = '/oauth/register'

/** Serves a request whose token was checked. */
export type ProtectedHandler = (
  request: Request,
  env: AuthEnv,
  ctx: ExecutionContext,
  auth: OAuthResourceAuth,
  person: Person,
) => Promise<Response>

/** Both OAuth roles of one origin. */
export interface Authority {
  readonly server: OAuthAuthorizationServer<AuthEnv>
  /** Serves the protected endpoints, all metadata, and token, revocation and registration requests. */
  fetch(request: Request, env: AuthEnv, ctx: ExecutionContext): Promise<Response>
}

/** Builds the authorization server and one resource server per protected path. */
export function makeAuthority(
  origin: string,
  settings: Settings,
  handler: ProtectedHandler,
): Authority {
  const lifetimes = makeLifetimes(settings.accessTokenTtlS, settings.refreshTokenTtlS)
  const server = makeAuthorizationServer(origin, settings, lifetimes)
  const resources = RESOURCE_PATHS.map((path) => ({
    path,
    server: makeResourceServer(origin, path, server, lifetimes, handler),
  }))
  return {
    server,
    async fetch(request, env, ctx) {
      const { pathname } = new URL(request.url)
      const resource = resources.find(({ path }) => isServedBy(path, pathname))
      if (resource !== undefined) return resource.server.fetch(request, env, ctx)
      if (pathname === REGISTRATION_PATH) {
        const refusal = await refuseFlood(request, env.REGISTRATION_LIMITER)
        if (refusal !== undefined) return refusal
      }
      const answer = await server.fetch(request, env, ctx)
      return pathname === TOKEN_PATH ? lifetimes.restate(answer) : answer
    },
  }
}

function makeAuthorizationServer(origin: string, settings: Settings, lifetimes: Lifetimes) {
  return new OAuthAuthorizationServer<AuthEnv>({
    issuer: origin,
    resources: RESOURCE_PATHS.map((path) => origin + path),
    // Clients of the 2025-03-26 revision do not name a resource.
    defaultResource: `${origin}/mcp`,
    tokenEndpoint: TOKEN_PATH,
    scopesSupported: Object.keys(SCOPES),
    clientRegistrationEndpoint: REGISTRATION_PATH,
    clientRegistrationTTL: REGISTRATION_TTL_S,
    clientRegistrationCallback: ({ clientMetadata }) =>
      judgeRegistration(clientMetadata, settings.registrationHosts),
    clientIdMetadataDocumentEnabled: true,
    accessTokenTTL: lifetimes.storedAccessS,
    refreshTokenTTL: lifetimes.storedRefreshS,
    tokenExchangeCallback({ props }) {
      lifetimes.checkSignIn((props as Person).signedInAt, nowInSeconds())
    },
    onError({ code, status, internal }) {
      logEvent('warn', 'oauth_error', {
        code,
        status,
        check: `${internal.category}/${internal.reason}`,
      })
    },
  })
}

function makeResourceServer(
  origin: string,
  path: string,
  server: OAuthAuthorizationServer<AuthEnv>,
  lifetimes: Lifetimes,
  handler: ProtectedHandler,
) {
  return new OAuthResourceServer<AuthEnv, Person>({
    resourceMetadata: {
      resource: origin + path,
      authorization_servers: [origin],
      resource_name: 'bridge-worker',
    },
    requiredScopes: [BASE_SCOPE],
    validateToken: (env, request) => async (resource, token) => {
      const checked = await server.validateToken<Person>(resource, token, env)
      if (checked === null) return null
      const limitS = await rejectAfter(request, env)
      if (lifetimes.isAccessOver(checked.expiresAt, nowInSeconds(), limitS)) return null
      return { ...checked, expiresAt: lifetimes.accessExpiry(checked.expiresAt) }
    },
    handler: {
      fetch(request, env, ctx) {
        // The library advertises the base scope but leaves its check to us: a client may have asked
        // the token endpoint for less than it was granted.
        return ctx.auth.scope.includes(BASE_SCOPE)
          ? handler(request, env, ctx, ctx.auth, ctx.props)
          : insufficientScope(ctx.auth, [BASE_SCOPE])
      },
    },
  })
}

/** Whether a path is the resource, lies below it, or is its metadata document. */
function isServedBy(resource: string, pathname: string): boolean {
  return (
    pathname === resource ||
    pathname.startsWith(`${resource}/`) ||
    pathname === METADATA_PREFIX + resource
  )
}
