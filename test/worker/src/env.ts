import type { McpSession } from './mcp/session.ts'
import type { OwnerState } from './owner.ts'
import type { JobMessage } from './jobs.ts'

/** Which of the two deployments is running: open to anybody, or behind OAuth. */
export type Flavour = 'public' | 'oauth'

/** Bindings, secrets and variables of both flavours; what only one flavour has is optional. */
export interface Env {
  /** One Durable Object per session of the initialize era. */
  readonly SESSIONS: DurableObjectNamespace<McpSession>
  /** One Durable Object per owner: counters, change subscriptions, list of live sessions. */
  readonly OWNERS: DurableObjectNamespace<OwnerState>
  /** User preferences, with an expiry. */
  readonly PREFS: KVNamespace
  /** Notes and jobs; the tables are in `migrations/`. */
  readonly DB: D1Database
  /** Work that outlives the call that asked for it. */
  readonly JOBS: Queue<JobMessage>
  /** Requests per caller and period; the numbers are in the wrangler configuration. */
  readonly RATE_LIMITER: RateLimit
  /** The example secret that `secret_check` proves without showing it. */
  readonly DEMO_API_KEY?: string

  /** Public origin, e.g. `https://mcp.example.com`; derived from the request when absent. */
  readonly PUBLIC_URL?: string
  /** Comma-separated browser origins that may call, besides loopback and the own origin; `*` is any. */
  readonly ALLOWED_ORIGINS?: string
  /** Seconds without a request after which a session is deleted. */
  readonly SESSION_TTL_S?: string
  /** `1` registers the fixtures of the official conformance suite. */
  readonly CONFORMANCE_FIXTURES?: string
  /** `1` opens `/__test/*`, and only for a loopback address. */
  readonly TEST_HOOKS?: string

  /** OAuth flavour: grants, clients and tokens of the authorization server. */
  readonly OAUTH_KV?: KVNamespace
  /** OAuth flavour: which upstream identity provider signs people in, `github` or `oidc`. */
  readonly UPSTREAM?: string
  /** OAuth flavour, GitHub upstream. */
  readonly GITHUB_CLIENT_ID?: string
  readonly GITHUB_CLIENT_SECRET?: string
  /** OAuth flavour, GitHub upstream: other base URLs for GitHub Enterprise or a stand-in. */
  readonly GITHUB_BASE_URL?: string
  readonly GITHUB_API_URL?: string
  /** OAuth flavour, OpenID Connect upstream. */
  readonly OIDC_ISSUER?: string
  readonly OIDC_CLIENT_ID?: string
  readonly OIDC_CLIENT_SECRET?: string
  /** OAuth flavour: lifetimes of the tokens that this Worker issues. */
  readonly ACCESS_TOKEN_TTL_S?: string
  readonly REFRESH_TOKEN_TTL_S?: string
}
