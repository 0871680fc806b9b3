import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { MAX_LISTED_SIGN_INS } from '../limits.ts'
import { openEntry } from './choose.ts'
import { readPrivate } from './files.ts'
import { KeychainFailure, linkToKeychain } from './keychain-link.ts'
import { PROVIDERS } from './place.ts'
import { ServerRecord } from './record.ts'
import { fileVault, type Vault } from './vault.ts'

/** One stored record and where it is. */
export interface StoredRecord {
  /** Whom the sign-in is with: a server, or the company's identity provider, which serves many. */
  readonly holder: 'server' | 'identity provider'
  /** Where its file is, or would be. */
  readonly file: string
  readonly where: 'file' | 'keychain'
  readonly vault: Vault
  readonly record: ServerRecord
  /** Milliseconds since 1970. */
  readonly usedAt: number | undefined
}

/** What there is in a store. */
export interface Listing {
  readonly records: readonly StoredRecord[]
  /** What could not be read, by its name below the folder, and why. */
  readonly unreadable: readonly { readonly name: string; readonly why: string }[]
}

const ENTRY = /^[\da-f]{32}\.(json|keychain)$/

/** Reads every record below `folder`, those in the keychain and of identity providers included. */
export async function listRecords(folder: string): Promise<Listing> {
  const servers = await listFolder(folder, 'server')
  const providers = await listFolder(join(folder, PROVIDERS), 'identity provider')
  const broken = providers.unreadable.map(({ name, why }) => ({ name: join(PROVIDERS, name), why }))
  return {
    records: [...servers.records, ...providers.records],
    unreadable: [...servers.unreadable, ...broken],
  }
}

async function listFolder(folder: string, holder: StoredRecord['holder']): Promise<Listing> {
  const names = await readdir(folder).catch(() => [])
  const records: StoredRecord[] = []
  const unreadable: { name: string; why: string }[] = []
  for (const name of names.filter((entry) => ENTRY.test(entry)).slice(0, MAX_LISTED_SIGN_INS)) {
    const file = join(folder, name.replace(/keychain$/, 'json'))
    const inKeychain = name.endsWith('keychain')
    try {
      const found = inKeychain
        ? await readEntry(file)
        : { vault: fileVault(file), text: readPrivate(file) }
      if (found.text === undefined) continue
      const record = ServerRecord.parse(JSON.parse(found.text))
      if (!URL.canParse(record.server)) throw new TypeError('no URL')
      const usedAt = (await stat(join(folder, name))).mtimeMs
      const where = inKeychain ? 'keychain' : 'file'
      records.push({ holder, file, where, vault: found.vault, record, usedAt })
    } catch (error) {
      // What a record holds must not get into a message: parsers quote.
      const known = error instanceof KeychainFailure || (error as Error).name === 'StoreRefusal'
      unreadable.push({ name, why: known ? (error as Error).message : 'it cannot be understood' })
    }
  }
  return { records, unreadable }
}

async function readEntry(file: string): Promise<{ vault: Vault; text: string | undefined }> {
  const vault = await openEntry(file, linkToKeychain())
  return { vault, text: vault.opened }
}
