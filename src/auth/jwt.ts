/** The claims of a JWT, unverified: for reading only; none when it is another kind of token. */
export function claimsOf(token: string): Readonly<Record<string, unknown>> {
  try {
    const text = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')
    const claims: unknown = JSON.parse(text)
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** When a JWT ends, in milliseconds since 1970; `undefined` when it does not say so. */
export function endOf(token: string): number | undefined {
  const { exp } = claimsOf(token)
  return typeof exp === 'number' && exp > 0 ? exp * 1000 : undefined
}
