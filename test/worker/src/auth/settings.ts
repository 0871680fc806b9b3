import type { Env } from '../env.ts'

/** What the OAuth flavour needs besides the bindings of both flavours. */
export interface AuthEnv extends Env {
  /** Clients, grants, tokens and pending sign-ins, all written by the OAuth library. */
  readonly OAUTH_KV: KVNamespace
  /** Registrations per address and minute; the numbers are in the wrangler configuration. */
  readonly REGISTRATION_LIMITER?: RateLimit
  /** Signs the cookie that remembers an approval, 32 characters or more; without it every sign-in asks. */
  readonly CONSENT_SECRET?: string
  /** Comma-separated https hosts to which a self-registered app may send the browser back. */
  readonly DCR_REDIRECT_HOSTS?: string
  /** Comma-separated user ids, as `whoami` tells them, that hold the admin role. */
  readonly ADMIN_USER_IDS?: string
  /** OpenID Connect upstream: the name on the consent page; the issuer's host when absent. */
  readonly OIDC_NAME?: string
  /** OpenID Connect upstream: scopes to ask for; `openid profile` when absent. */
  readonly OIDC_SCOPES?: string
  /** OpenID Connect upstream: the claim that lists a person's roles; `roles` when absent. */
  readonly OIDC_ROLES_CLAIM?: string
}

/** The numbers and lists of the OAuth flavour, read once. */
export interface Settings {
  readonly accessTokenTtlS: number
  readonly refreshTokenTtlS: number
  readonly consentSecret: string | undefined
  readonly registrationHosts: readonly string[]
  readonly adminUserIds: readonly string[]
}

/** What the library asks of a signing key. */
const MIN_SECRET_LENGTH = 32
const HOUR_S = 3600
const DAY_S = 24 * HOUR_S

/** Reads the variables and refuses values that would weaken the server silently. */
export function readSettings(env: AuthEnv): Settings {
  return {
    accessTokenTtlS: readSeconds('ACCESS_TOKEN_TTL_S', env.ACCESS_TOKEN_TTL_S, HOUR_S),
    refreshTokenTtlS: readSeconds('REFRESH_TOKEN_TTL_S', env.REFRESH_TOKEN_TTL_S, 30 * DAY_S),
    consentSecret: readSecret('CONSENT_SECRET', env.CONSENT_SECRET),
    registrationHosts: readList(env.DCR_REDIRECT_HOSTS),
    adminUserIds: readList(env.ADMIN_USER_IDS),
  }
}

/** The value of a variable without which the chosen upstream cannot work. */
export function required(env: AuthEnv, name: keyof AuthEnv): string {
  const value = env[name]
  if (typeof value !== 'string' || value === '') throw new Error(`${name} is not set`)
  return value
}

function readSeconds(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback
  const seconds = Number(text)
  if (!Number.isInteger(seconds) || seconds < 1)
    throw new Error(`${name} is not a number of seconds`)
  return seconds
}

function readSecret(name: string, text: string | undefined): string | undefined {
  if (text === undefined || text.length >= MIN_SECRET_LENGTH) return text
  throw new Error(`${name} has fewer than ${MIN_SECRET_LENGTH} characters`)
}

const readList = (text = ''): readonly string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
