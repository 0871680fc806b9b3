/** A word for a shell. */
export function quoted(word: string): string {
  return `"${word.replaceAll(/["\\$`]/g, String.raw`\$&`)}"`
}

/** A command of ours on a server. */
export function bridge(command: string, url: URL, ...options: readonly string[]): string {
  return ['bridge', command, shownUrl(url), ...options].join(' ')
}

/** A URL for people: a query may hold a secret. */
export function shownUrl(url: URL): string {
  return `${url.origin}${url.pathname}${url.search === '' ? '' : '?…'}`
}
