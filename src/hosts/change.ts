import { isDeepStrictEqual } from 'node:util'
import { BridgeError } from '../errors.ts'
import { jsonEditor } from './edit-json.ts'
import { tomlEditor } from './edit-toml.ts'
import { type Editor, notEditable } from './editor.ts'
import {
  bytesOf,
  hashOf,
  type HostFile,
  readHostFile,
  removeHostFile,
  replaceHostFile,
} from './file.ts'
import type { ChangeKind, EntryChange, Journal, KeptChange } from './journal.ts'
import { at, isObject, withValueAt } from './json-value.ts'
import type { Host, Members } from './record.ts'

/** What is to become of one entry; without members it is removed. */
export interface Edit {
  readonly path: readonly string[]
  readonly members: Members | undefined
}

/** A change of one file that has been thought through and not been made. */
export interface Plan {
  readonly host: Host
  readonly file: HostFile
  readonly text: string
  readonly entries: readonly EntryChange[]
}

/** The editor for a host's format. */
export function editorOf({ format }: Pick<Host, 'format'>, file: string): Editor {
  switch (format) {
    case 'json':
      return jsonEditor(file, true)
    case 'jsonc':
      return jsonEditor(file, false)
    case 'toml':
      return tomlEditor(file)
  }
}

/** Works a change out, and makes sure that it changes nothing but these entries. */
export function planChange(host: Host, file: HostFile, edits: readonly Edit[]): Plan {
  const editor = editorOf(host, file.path)
  let { text } = file
  let expected = editor.read(text)
  const entries: EntryChange[] = []
  for (const { path, members } of edits) {
    const before = editor.source(text, path) ?? null
    const entry = members && merged(at(expected, path), members)
    text = members === undefined ? editor.remove(text, path) : editor.put(text, path, members)
    expected = withValueAt(expected, path, entry)
    if (!isDeepStrictEqual(at(editor.read(text), path), at(expected, path))) {
      throw notEditable(file.path, path, 'has a form that is not edited')
    }
    entries.push({ path, before, after: editor.source(text, path) ?? null })
  }
  const tables = edits.map(({ path }) => path.slice(0, -1))
  if (!isDeepStrictEqual(filled(editor.read(text), tables), filled(expected, tables))) {
    const [{ path }] = edits as [Edit]
    throw notEditable(file.path, path, 'cannot be changed without changing something else')
  }
  return { host, file, text, entries }
}

/** A table without entries may be there or not: it means the same. */
function filled(value: unknown, tables: readonly (readonly string[])[]): unknown {
  return tables.reduce((whole, path) => withValueAt(whole, path, at(whole, path) ?? {}), value)
}

function merged(entry: unknown, members: Members): unknown {
  const all = Object.entries({ ...(isObject(entry) ? entry : {}), ...members })
  return Object.fromEntries(all.filter(([, value]) => value !== undefined))
}

/** Whether a plan changes anything. */
export function isIdle({ file, text }: Plan): boolean {
  return text === file.text
}

/** Keeps what is there and makes the change. Returns the path of the backup. */
export async function makeChange(
  { host, file, text, entries }: Plan,
  journal: Journal,
  why: { kind: ChangeKind; run: string },
  meanwhile?: () => void | Promise<void>,
): Promise<string> {
  const change = {
    ...why,
    host: host.id,
    file: file.path,
    existed: file.seen !== undefined,
    after: hashOf(bytesOf(file, text)),
    entries,
  }
  const kept = await journal.keep(change, bytesOf(file, file.text).toString('utf8'))
  try {
    await replaceHostFile(file, text, meanwhile)
  } catch (error) {
    await journal.drop(kept)
    throw error
  }
  return kept.backup
}

/** What undoing a change comes to. */
export type Undoing =
  /** The file becomes what it was, byte for byte; without a text there was none. */
  | { readonly how: 'whole'; readonly file: HostFile; readonly text: string | undefined }
  /** Something else in the file has changed since: only the entries go back. */
  | { readonly how: 'entries'; readonly file: HostFile; readonly text: string }
  | { readonly how: 'nothing'; readonly file: HostFile }

/** Works out how a change is undone. Throws `BridgeError` when its entries were changed since. */
export async function planUndoing(
  host: Host,
  change: KeptChange,
  journal: Journal,
): Promise<Undoing> {
  const file = await readHostFile(change.file)
  const before = journal.before(change)
  if (file.seen !== undefined && file.seen.hash === change.after && before !== undefined) {
    const text = before.slice(file.bom ? 1 : 0)
    return { how: 'whole', file, text: change.existed ? text : undefined }
  }
  const editor = editorOf(host, file.path)
  let { text } = file
  for (const { path, before: old, after } of change.entries.toReversed()) {
    const now = editor.source(text, path) ?? null
    if (isSame(editor, now, old)) continue
    if (!isSame(editor, now, after)) {
      throw new BridgeError(
        'host_file_unusable',
        `${file.path}: ${path.join('.')} was changed since. It is left as it is.`,
        { hint: 'Change it by hand; the file as it was is in the backup.' },
      )
    }
    text = old === null ? editor.remove(text, path) : editor.restore(text, path, old)
    if (!isSame(editor, editor.source(text, path) ?? null, old)) {
      throw notEditable(file.path, path, 'has a form that is not edited')
    }
  }
  return text === file.text ? { how: 'nothing', file } : { how: 'entries', file, text }
}

/** Undoes a change, and forgets it. */
export async function undoChange(
  undoing: Undoing,
  change: KeptChange,
  journal: Journal,
): Promise<void> {
  switch (undoing.how) {
    case 'whole':
      if (undoing.text === undefined) await removeHostFile(undoing.file)
      else await replaceHostFile(undoing.file, undoing.text)
      break
    case 'entries':
      await replaceHostFile(undoing.file, undoing.text)
      break
    case 'nothing':
  }
  await journal.drop(change)
}

function isSame(editor: Editor, one: string | null, other: string | null): boolean {
  if (one === other) return true
  if (one === null || other === null) return false
  return isDeepStrictEqual(editor.read(one), editor.read(other))
}
