import { z } from 'zod'

/** A token answer of an OpenID Connect provider. */
export const TokenAnswer = z.object({ access_token: z.string(), id_token: z.string() })

/** The claims of userinfo that have a fixed name; roles are read by a configured one. */
export const UserInfo = z.looseObject({
  sub: z.string(),
  preferred_username: z.string().optional(),
  email: z.string().optional(),
})

const IdTokenClaims = z.object({
  iss: z.string(),
  sub: z.string(),
  aud: z.union([z.string(), z.array(z.string())]),
  azp: z.string().optional(),
  exp: z.number(),
  nonce: z.string(),
})

interface Expected {
  readonly issuer: string
  readonly clientId: string
  readonly nonce: string
  readonly nowS: number
}

/** Two clocks that are set by different hands. */
const CLOCK_SKEW_S = 60

/**
 * The claims of an id token that came straight from the token endpoint, or undefined when one of
 * them is wrong. OpenID Connect Core §3.1.3.7 (6) allows TLS to stand in for the signature on that
 * way; do not use this function for a token that came through the browser.
 */
export function readIdToken(
  token: string,
  expected: Expected,
): { readonly sub: string } | undefined {
  const claims = IdTokenClaims.safeParse(decodePayload(token)).data
  if (claims === undefined) return undefined
  const audience = [claims.aud].flat()
  const isForUs =
    audience.includes(expected.clientId) &&
    (claims.azp === undefined ? audience.length === 1 : claims.azp === expected.clientId)
  const isGood =
    isForUs &&
    claims.iss === expected.issuer &&
    claims.nonce === expected.nonce &&
    claims.exp + CLOCK_SKEW_S > expected.nowS
  return isGood ? { sub: claims.sub } : undefined
}

function decodePayload(token: string): unknown {
  const [, payload = ''] = token.split('.')
  try {
    const bytes = Uint8Array.from(
      atob(payload.replaceAll('-', '+').replaceAll('_', '/')),
      (character) => character.charCodeAt(0),
    )
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}
