import { BridgeError } from '../errors.ts'
import type { Members } from './record.ts'

/**
 * Changes entries of a configuration in its text: every byte that belongs to something else stays.
 * Paths lead from the root to the entry. All of it throws `BridgeError` for a text that is not valid,
 * or that has the entry in a form that is not edited.
 */
export interface Editor {
  /** The whole value, to be looked at. */
  read(text: string): unknown
  /** Sets members of an entry, which is made when it is not there; `undefined` removes a member. */
  put(text: string, path: readonly string[], members: Members): string
  remove(text: string, path: readonly string[]): string
  /** The text of an entry, to be put back as it was. */
  source(text: string, path: readonly string[]): string | undefined
  /** Puts an entry in whose text `source` gave. */
  restore(text: string, path: readonly string[], source: string): string
}

/** The failure that a file cannot be understood, with the place in it as editors count. */
export function unparsable(file: string, text: string, offset: number, why: string): BridgeError {
  const before = text.slice(0, offset).split(/\r\n|\n|\r/)
  const place = `${file}:${before.length}:${before.at(-1)!.length + 1}`
  return new BridgeError('host_file_unusable', `${place}: ${why}. The file is left as it is.`, {
    hint: 'Repair it, and run the command again.',
  })
}

/** The failure that an entry has a form that this program does not edit. */
export function notEditable(file: string, path: readonly string[], why: string): BridgeError {
  return new BridgeError('host_file_unusable', `${file}: ${path.join('.')} ${why}.`, {
    hint: 'Change it by hand; --print shows what belongs there.',
  })
}

/** How lines end in a text. */
export function lineEndOf(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? '\n'
}
