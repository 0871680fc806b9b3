import type { ClientRegistrationCallbackResult } from '@cloudflare/workers-oauth-provider'

/** Registrations are written to KV for anybody who asks; real ones have a few hundred bytes. */
const MAX_METADATA_BYTES = 4096
/** A registration in use is renewed, so this is how long a forgotten one stays. */
export const REGISTRATION_TTL_S = 30 * 24 * 3600

/** The length of the limiter's period, for Retry-After. */
const LIMIT_PERIOD_S = 60

const LOOPBACK_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Decides about a client that registers itself. Anybody can do that under any name, so the one
 * thing that protects a person is where the browser may be sent: to an app on their own computer,
 * or to a host that the deployer listed. Apps of other hosts use a Client ID Metadata Document,
 * whose domain is verified.
 */
export function judgeRegistration(
  metadata: Readonly<Record<string, unknown>>,
  allowedHosts: readonly string[],
): ClientRegistrationCallbackResult | undefined {
  if (JSON.stringify(metadata).length > MAX_METADATA_BYTES) {
    return { code: 'invalid_client_metadata', description: 'Client metadata is too large' }
  }
  const uris = metadata['redirect_uris']
  const refused = Array.isArray(uris) && uris.some((uri) => !isWelcome(uri, allowedHosts))
  return refused
    ? {
        code: 'invalid_redirect_uri',
        description: 'Redirect URIs must be loopback or on a host that this server lists',
      }
    : undefined
}

/** Undefined when a registration may go on, else the answer to an address that sends too many. */
export async function refuseFlood(
  request: Request,
  limiter: RateLimit | undefined,
): Promise<Response | undefined> {
  const address = request.headers.get('cf-connecting-ip') ?? 'unknown'
  if (limiter === undefined || (await limiter.limit({ key: address })).success) return undefined
  return Response.json(
    { error: 'temporarily_unavailable', error_description: 'Too many registrations' },
    { status: 429, headers: { 'Retry-After': String(LIMIT_PERIOD_S) } },
  )
}

function isWelcome(uri: unknown, allowedHosts: readonly string[]): boolean {
  if (typeof uri !== 'string' || !URL.canParse(uri)) return false
  const { protocol, hostname } = new URL(uri)
  if (protocol === 'http:') return LOOPBACK_HOSTS.has(hostname)
  // Other schemes may stand beside a usable one (some editors list theirs); the library stores them
  // and refuses every request that uses one.
  return protocol !== 'https:' || allowedHosts.includes(hostname)
}
