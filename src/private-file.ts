import { closeSync, fstatSync, openSync, readFileSync, type Stats } from 'node:fs'
import { BridgeError } from './errors.ts'

/**
 * Reads a file of the user that holds a secret or a private key. Throws `BridgeError` when it cannot
 * be read, and when others can read it: a key that everybody has proves nothing.
 *
 * @param source the option that names the file
 */
export function readPrivateFile(path: string, source: string): string {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (cause) {
    throw unreadable(path, source, cause)
  }
  try {
    // Of the file that is open, not of the name: that may have come to mean another one.
    const found = fstatSync(file)
    if (isOpenToOthers(found)) {
      const what = `Others can read ${path} (mode ${permissionsOf(found)}, ${source}).`
      throw new BridgeError('usage', what, { hint: `It holds a secret. Run: chmod 600 ${path}` })
    }
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw cause instanceof BridgeError ? cause : unreadable(path, source, cause)
  } finally {
    closeSync(file)
  }
}

/** As ssh and libpq do: root may keep a file for a group, nobody else lets others read it. */
export function isOpenToOthers({ mode, uid }: Pick<Stats, 'mode' | 'uid'>): boolean {
  // Windows has no such modes; what is below the user's profile is private there by inheritance.
  return process.platform !== 'win32' && (mode & (uid === 0 ? 0o037 : 0o077)) !== 0
}

/** Permissions as `ls` and `chmod` count them. */
export function permissionsOf({ mode }: Pick<Stats, 'mode'>): string {
  return (mode & 0o777).toString(8).padStart(4, '0')
}

function unreadable(path: string, source: string, cause: unknown): BridgeError {
  const { code } = cause as NodeJS.ErrnoException
  return new BridgeError('usage', `Cannot read ${path} (${code}, ${source}).`, { cause })
}
