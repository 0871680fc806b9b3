import { quote } from './failure.ts'

/** What an id token says that is shown or counted with; it decides nothing here. */
interface Claims {
  readonly email?: unknown
  readonly preferred_username?: unknown
  readonly name?: unknown
  readonly sub?: unknown
  readonly exp?: unknown
}

/**
 * The name of the person behind an id token. It came over TLS from the token endpoint itself, which
 * stands for its signature (OpenID Connect Core §3.1.3.7, 6), and the name is only ever displayed.
 */
export function accountOf(idToken: string | undefined): string | undefined {
  const { email, preferred_username, name, sub } = claimsOf(idToken)
  const found = [email, preferred_username, name, sub].find(
    (claim) => typeof claim === 'string' && claim !== '',
  )
  return found === undefined ? undefined : quote(String(found))
}

/** When an id token ends, in milliseconds since 1970; `undefined` when it does not say. */
export function endOf(idToken: string): number | undefined {
  const { exp } = claimsOf(idToken)
  return typeof exp === 'number' && Number.isFinite(exp) ? exp * 1000 : undefined
}

function claimsOf(idToken: string | undefined): Claims {
  const [, payload] = idToken?.split('.') ?? []
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString('utf8'))
    return typeof claims === 'object' && claims !== null ? claims : {}
  } catch {
    return {}
  }
}
