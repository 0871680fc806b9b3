/**
 * A name for a file from what must not be read off it, as hexadecimal digits. Node's crypto is loaded
 * by the first call: it is a tenth of a start, and a start that finds nothing stored needs none of it.
 */
export function hashed(text: string, digits: number): string {
  const { createHash } = process.getBuiltinModule('node:crypto')
  return createHash('sha256').update(text).digest('hex').slice(0, digits)
}

/** Random bytes, as text that can stand in a URL and in a file name. */
export function randomText(bytes: number): string {
  return process.getBuiltinModule('node:crypto').randomBytes(bytes).toString('base64url')
}
