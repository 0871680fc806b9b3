import { existsSync } from 'node:fs'
import { rm, utimes } from 'node:fs/promises'
import { writePrivate } from './files.ts'
import { LAYOUT, type StoreKey } from './place.ts'

/** The note beside where the file would be that says that a record is in the keychain. */
function noteOf(file: string): string {
  return file.replace(/json$/, 'keychain')
}

/** Notes that the record of a server is in the keychain, whose entries cannot be listed. */
export function noteEntry(file: string, { server, profile }: Omit<StoreKey, 'resource'>): void {
  const note = noteOf(file)
  if (existsSync(note)) return
  const text = JSON.stringify({ layout: LAYOUT, server: server.href, profile })
  // Without it `bridge status` does not know the sign-in; everything else does.
  writePrivate(note, text).catch(() => {})
}

/** Notes that a stored sign-in is used now: the time of its file says when that was last. */
export function noteUse(file: string, inKeychain: boolean): void {
  const now = new Date()
  utimes(inKeychain ? noteOf(file) : file, now, now).catch(() => {})
}

/** Takes the note away together with its record. */
export function removeNote(file: string): Promise<void> {
  return rm(noteOf(file), { force: true })
}
