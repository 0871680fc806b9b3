/** The scopes of a space-separated list (RFC 6749 §3.3), each once, in their order. */
export function scopesOf(...lists: readonly (string | undefined)[]): readonly string[] {
  const scopes = lists.flatMap((list) => list?.split(/\s+/) ?? [])
  return [...new Set(scopes)].filter((scope) => scope !== '')
}

/** One list out of several; absent when there is nothing in them. */
export function joinScopes(...lists: readonly (string | undefined)[]): string | undefined {
  const scopes = scopesOf(...lists)
  return scopes.length === 0 ? undefined : scopes.join(' ')
}

/** Whether everything wanted is granted. */
export function covers(granted: string | undefined, wanted: string | undefined): boolean {
  const have = new Set(scopesOf(granted))
  return scopesOf(wanted).every((scope) => have.has(scope))
}
