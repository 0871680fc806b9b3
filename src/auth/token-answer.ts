import { AuthFailure, type FailureKind, quote } from './failure.ts'
import { oauthError, refusesResource } from './oauth-error.ts'

/** What an error code of a token endpoint means (RFC 6749 §5.2, RFC 8628 §3.5). */
const KINDS: Readonly<Record<string, FailureKind>> = {
  invalid_grant: 'grant',
  invalid_client: 'client',
  unauthorized_client: 'client',
  invalid_target: 'resource',
  server_error: 'unreachable',
  temporarily_unavailable: 'unreachable',
}

/**
 * A response that oauth4webapi can read: it takes HTTP 401 with a challenge for something else than
 * the error in its body, and an `id_token`, which is only ever shown or sent, for something to be verified.
 */
export async function tokenAnswer(
  response: Response,
  url: string,
  onIdToken: (idToken: string | undefined) => void,
): Promise<Response> {
  const { status } = response
  const content = await response.text()
  const body = status === 200 ? tokenBody(content) : undefined
  if (body === undefined) return refuse(response, content, url)
  const { id_token, ...used } = body
  onIdToken(typeof id_token === 'string' ? id_token : undefined)
  return Response.json(used)
}

/** Says why there is no token. */
export function refuse(response: Response, content: string, url: string): never {
  const { status } = response
  const error = oauthError(content)
  const { origin } = new URL(url)
  const what = [error.code, error.description].filter((part) => part !== undefined).join(': ')
  const message = `${origin} gave no token (${what === '' ? `HTTP ${status}` : quote(what)}).`
  const seconds = Number(response.headers.get('retry-after') ?? 'NaN')
  throw new AuthFailure(kindOf(status, error, response), message, {
    code: error.code,
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
  })
}

function kindOf(
  status: number,
  error: ReturnType<typeof oauthError>,
  response: Response,
): FailureKind {
  if (refusesResource(error)) return 'resource'
  if (status >= 500 || status === 429 || status === 408) return 'unreachable'
  const known = error.code === undefined ? undefined : KINDS[error.code]
  if (known !== undefined) return known
  // A page in the place of JSON comes from something in between, and passes.
  if (response.headers.get('content-type')?.startsWith('text/html') === true) return 'unreachable'
  // Registrations that were deleted are reported in many ways (supabase/mcp: 422 with a message).
  if (error.code === undefined && (status === 401 || status === 422)) return 'client'
  return 'refused'
}

/** Members that are used, with the liberties that servers take put right (A-76). */
function tokenBody(content: string): Record<string, unknown> | undefined {
  let body: unknown
  try {
    body = JSON.parse(content)
  } catch {
    return undefined
  }
  if (typeof body !== 'object' || body === null || !('access_token' in body)) return undefined
  const { access_token, token_type, expires_in, refresh_token, scope, id_token } = body as Record<
    string,
    unknown
  >
  const seconds = Number.parseFloat(String(expires_in))
  return {
    access_token,
    id_token,
    token_type: typeof token_type === 'string' ? token_type : 'Bearer',
    // 0 is what servers say whose tokens have no end; a token that is dead already has no use.
    ...(Number.isFinite(seconds) && seconds > 0 ? { expires_in: seconds } : {}),
    ...(typeof refresh_token === 'string' && refresh_token !== '' ? { refresh_token } : {}),
    ...(typeof scope === 'string'
      ? { scope }
      : Array.isArray(scope)
        ? { scope: scope.join(' ') }
        : {}),
  }
}
