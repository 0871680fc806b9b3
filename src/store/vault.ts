import { rename, rm } from 'node:fs/promises'
import { readPrivate, writePrivate } from './files.ts'

/** Where the text of one record is kept: a private file, or the system's keychain. */
export interface Vault {
  /** How messages name it. */
  readonly name: string
  /** The text; `undefined` when there is none. Rejects when it cannot be had. */
  read(): Promise<string | undefined>
  /** Replaces the text at once and for good. */
  write(text: string): Promise<void>
  /** Deletes the text, and what was put aside; settles also when there was none. */
  remove(): Promise<void>
  /** Puts what cannot be understood out of the way; tells where, `undefined` when it was gone. */
  setAside(text: string): Promise<string | undefined>
}

/** A vault, and what was in it when it was opened. */
export interface OpenVault extends Vault {
  readonly opened: string | undefined
}

/** A file of ours as vault. */
export function fileVault(file: string): Vault {
  return {
    name: file,
    read: async () => readPrivate(file),
    write: (text) => writePrivate(file, text),
    async remove() {
      await rm(file, { force: true })
      await rm(`${file}.damaged`, { force: true })
    },
    async setAside() {
      const aside = `${file}.damaged`
      try {
        await rename(file, aside)
        return aside
      } catch (error) {
        // Another process was faster.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
  }
}
