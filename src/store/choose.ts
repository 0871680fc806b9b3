import { createHash } from 'node:crypto'
import { unlink } from 'node:fs/promises'
import { BridgeError } from '../errors.ts'
import { KEYCHAIN_MS } from '../limits.ts'
import type { Log } from '../log.ts'
import { readPrivate } from './files.ts'
import { openKeychain } from './keychain.ts'
import { type Ask, KeychainFailure, linkToKeychain } from './keychain-link.ts'
import { takeLock } from './lock.ts'
import { readStartTokens } from './start.ts'
import type { OpenVault } from './vault.ts'

/**
 * The keychain's entry for a record; `undefined` when the file has to do, which is said. What an
 * earlier start has put into the file moves to the keychain.
 */
export async function chooseKeychain(
  file: string,
  log: Log,
  strict: boolean,
  ask: Ask = linkToKeychain(),
): Promise<OpenVault | undefined> {
  try {
    const vault = await openEntry(file, ask)
    return await moved(file, vault, log)
  } catch (error) {
    if (!(error instanceof KeychainFailure)) throw error
    const why = `The keychain cannot be used: ${error.message}.`
    if (strict) {
      throw new BridgeError('store_unusable', why, {
        hint: 'Sign-ins are kept in a private file without --store keychain-only.',
        cause: error,
      })
    }
    log.warn(`${why} The sign-in is kept in a file.`)
    return undefined
  }
}

/** The keychain's entry for the record that would be in `file`; throws `KeychainFailure`. */
export function openEntry(file: string, ask: Ask): Promise<OpenVault> {
  // Another BRIDGE_HOME is another installation, but the keychain is the same.
  return openKeychain(createHash('sha256').update(file).digest('hex').slice(0, 32), ask)
}

/** A refresh token in two places would be used twice: it moves, and only when it is the newer one. */
async function moved(file: string, vault: OpenVault, log: Log): Promise<OpenVault> {
  if (!isNewer(file, vault)) return vault
  const signal = AbortSignal.timeout(KEYCHAIN_MS)
  const lock = await takeLock(file.replace(/json$/, 'lock'), KEYCHAIN_MS, signal)
  if (lock === undefined) return vault
  try {
    if (!isNewer(file, vault)) return { ...vault, opened: await vault.read() }
    const text = readPrivate(file)!
    await vault.write(text)
    await unlink(file)
    log.warn('The stored sign-in was moved from its file into the keychain.')
    return { ...vault, opened: text }
  } finally {
    await lock.release()
  }
}

function isNewer(file: string, vault: OpenVault): boolean {
  const inFile = readStartTokens(file)
  const inKeychain = readStartTokens(file, vault)
  return inFile !== undefined && inFile.obtainedAt > (inKeychain?.obtainedAt ?? 0)
}
