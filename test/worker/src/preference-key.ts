/** Where KV keeps a preference; the owner comes first, so that nobody reads another's. */
export function preferenceKey(owner: string, name: string): string {
  return `pref:${owner}:${name}`
}
