import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
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
    const { mode, uid } = fstatSync(file)
    refuseOpenToOthers(path, source, mode, uid)
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw cause instanceof BridgeError ? cause : unreadable(path, source, cause)
  } finally {
    closeSync(file)
  }
}

/** As ssh and libpq do: root may keep a file for a group, nobody else lets others read it. */
function refuseOpenToOthers(path: string, source: string, mode: number, uid: number): void {
  // Windows has no such modes; what is below the user's profile is private there by inheritance.
  if (process.platform === 'win32') return
  if ((mode & (uid === 0 ? 0o037 : 0o077)) === 0) return
  const permissions = (mode & 0o777).toString(8).padStart(4, '0')
  throw new BridgeError('usage', `Others can read ${path} (mode ${permissions}, ${source}).`, {
    hint: `It holds a secret. Run: chmod 600 ${path}`,
  })
}

function unreadable(path: string, source: string, cause: unknown): BridgeError {
  const { code } = cause as NodeJS.ErrnoException
  return new BridgeError('usage', `Cannot read ${path} (${code}, ${source}).`, { cause })
}
