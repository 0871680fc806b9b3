import { randomBytes } from 'node:crypto'
import { KEYCHAIN_PIECE_CHARS } from '../limits.ts'
import { type Ask, KeychainFailure } from './keychain-link.ts'
import type { OpenVault } from './vault.ts'

/** What stands in place of a text that was too long for one entry: where its pieces are. */
const PIECES = /^pieces ([\da-f]+) (\d+)$/

/** How often a text is looked for whose pieces were replaced meanwhile. */
const MAX_TRIES = 3

/**
 * An entry of the system's keychain as vault. Throws `KeychainFailure` for a keychain that does not
 * give back what it was given: some systems have one that forgets, or none behind the interface.
 */
export async function openKeychain(
  account: string,
  ask: Ask,
  maxChars = process.platform === 'win32' ? KEYCHAIN_PIECE_CHARS : Infinity,
): Promise<OpenVault> {
  const nameOf = (entry: string, version: string, piece: number): string =>
    `${entry}.${version}.${piece}`

  async function read(): Promise<string | undefined> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const head = await ask({ account })
      const [, version, count] = PIECES.exec(head ?? '') ?? []
      if (version === undefined) return head
      const names = Array.from({ length: Number(count) }, (_, i) => nameOf(account, version, i))
      const pieces = await Promise.all(names.map((name) => ask({ account: name })))
      if (pieces.every((piece) => piece !== undefined)) return pieces.join('')
    }
    throw new KeychainFailure('a part of the sign-in is missing there')
  }

  async function removeFrom(entry: string): Promise<void> {
    const [, version, count = 0] = PIECES.exec((await ask({ account: entry })) ?? '') ?? []
    await ask({ account: entry, write: null })
    if (version === undefined) return
    for (let i = 0; i < Number(count); i++) {
      await ask({ account: nameOf(entry, version, i), write: null })
    }
  }

  /** The head goes last: whoever reads finds the old text or the new one. */
  async function writeTo(entry: string, text: string): Promise<void> {
    const [, old, count = 0] = PIECES.exec((await ask({ account: entry })) ?? '') ?? []
    if (text.length <= maxChars) {
      await ask({ account: entry, write: text })
    } else {
      const version = randomBytes(4).toString('hex')
      const pieces = Math.ceil(text.length / maxChars)
      for (let i = 0; i < pieces; i++) {
        const piece = text.slice(i * maxChars, (i + 1) * maxChars)
        await ask({ account: nameOf(entry, version, i), write: piece })
      }
      await ask({ account: entry, write: `pieces ${version} ${pieces}` })
    }
    if (old === undefined) return
    for (let i = 0; i < Number(count); i++) {
      await ask({ account: nameOf(entry, old, i), write: null })
    }
  }

  const opened = await read()
  let known = opened
  // What was read back now was kept over a restart: a better proof than the one to come.
  if (opened === undefined) await probe(account, ask)
  return {
    name: 'the entry in the keychain',
    opened,
    async read() {
      try {
        known = await read()
      } catch (error) {
        // It may have been locked since: what was there is no reason to ask a person to sign in.
        if (!(error instanceof KeychainFailure) || known === undefined) throw error
      }
      return known
    },
    async write(text) {
      await writeTo(account, text)
      known = text
    },
    async remove() {
      await removeFrom(account)
      await removeFrom(`${account}.damaged`)
      known = undefined
    },
    async setAside(text) {
      await writeTo(`${account}.damaged`, text)
      await ask({ account, write: null })
      return 'another entry of the keychain'
    },
  }
}

/** Writes, reads and deletes an entry; one of its own, as another process may start at the same time. */
async function probe(account: string, ask: Ask): Promise<void> {
  const nonce = randomBytes(12).toString('hex')
  const entry = `${account}.probe.${nonce}`
  await ask({ account: entry, write: nonce })
  const found = await ask({ account: entry })
  await ask({ account: entry, write: null })
  const left = await ask({ account: entry })
  if (found === nonce && left === undefined) return
  throw new KeychainFailure('it does not keep what it is given')
}
