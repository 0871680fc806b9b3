import { quote } from './failure.ts'
import { claimsOf } from './jwt.ts'

/**
 * The name of the person behind an id token. It came over TLS from the token endpoint itself, which
 * stands for its signature (OpenID Connect Core §3.1.3.7, 6), and the name is only ever displayed.
 */
export function accountOf(idToken: string | undefined): string | undefined {
  const { email, preferred_username, name, sub } = claimsOf(idToken ?? '')
  const found = [email, preferred_username, name, sub].find(
    (claim) => typeof claim === 'string' && claim !== '',
  )
  return found === undefined ? undefined : quote(String(found))
}
