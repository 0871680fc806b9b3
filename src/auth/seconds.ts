/**
 * Milliseconds for the seconds that a server names. However large its number is, the result is one
 * that JSON can keep: `Infinity` would be read as a damaged file at the next start.
 */
export function millisecondsOf(seconds: number): number {
  return Math.min(seconds * 1000, Number.MAX_SAFE_INTEGER)
}
