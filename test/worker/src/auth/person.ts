import type { OAuthResourceAuth } from '@cloudflare/workers-oauth-provider'
import type { AuthInfo } from '@modelcontextprotocol/server'
import { ADMIN_SCOPE, BASE_SCOPE, SCOPES } from '../scopes.ts'
import type { Identity, Role } from './upstream/identity.ts'

/** What a grant remembers about the person, encrypted by the library under the token itself. */
export interface Person {
  readonly userId: string
  readonly login: string
  readonly roles: readonly Role[]
  /** Seconds since 1970. A refresh does not move it. */
  readonly signedInAt: number
}

/** The person of a finished sign-in. The deployer's list adds the admin role to the provider's word. */
export function toPerson(
  { userId, login, roles }: Identity,
  adminUserIds: readonly string[],
  signedInAt: number,
): Person {
  const isAdmin = roles.includes('admin') || adminUserIds.includes(userId)
  return { userId, login, roles: isAdmin ? ['admin'] : [], signedInAt }
}

/** The scopes to offer for a request: the base scope always, and what else was asked for and exists. */
export function offeredScopes(requested: readonly string[]): readonly string[] {
  return Object.keys(SCOPES).filter((scope) => scope === BASE_SCOPE || requested.includes(scope))
}

/** The scopes a person can be given. Consent is about what an app may do, roles about what a person may. */
export function grantableScopes(approved: readonly string[], roles: readonly Role[]): string[] {
  return offeredScopes(approved).filter((scope) => scope !== ADMIN_SCOPE || roles.includes('admin'))
}

/** A checked token as the MCP SDK hands it to tools. */
export function toAuthInfo(auth: OAuthResourceAuth, person: Person): AuthInfo {
  return {
    token: auth.token,
    clientId: auth.clientId ?? '',
    scopes: auth.scope,
    resource: new URL(auth.audience),
    ...(auth.expiresAt !== undefined && { expiresAt: auth.expiresAt }),
    extra: { userId: person.userId, login: person.login, roles: person.roles },
  }
}
