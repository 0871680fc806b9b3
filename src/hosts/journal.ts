import { readdirSync } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { KEPT_BACKUPS } from '../limits.ts'
import { readPrivate, writePrivate } from '../store/files.ts'
import { isObject } from './json-value.ts'

/** Why a file was changed. */
export type ChangeKind = 'install' | 'uninstall' | 'migrate'

/** An entry before and after a change, as text; `null`: there was none. */
export interface EntryChange {
  readonly path: readonly string[]
  readonly before: string | null
  readonly after: string | null
}

/** What was done to one file, kept so that it can be undone. */
interface Change {
  readonly layout: typeof LAYOUT
  readonly kind: ChangeKind
  /** Changes of one run of a command have the same. */
  readonly run: string
  readonly host: string
  readonly file: string
  /** Whether there was a file before. */
  readonly existed: boolean
  /** Hash of the file after the change; `null`: somebody else wrote it. */
  readonly after: string | null
  readonly entries: readonly EntryChange[]
}

/** A change with its name in the journal. */
export interface KeptChange extends Change {
  readonly name: string
}

/** The changes that this program made to the files of hosts, with the files as they were before. */
export interface Journal {
  /** Keeps a change and the content before; returns the path of the backup. */
  keep(change: Omit<Change, 'layout'>, before: string): Promise<KeptChange & { backup: string }>
  /** The newest first. */
  list(): readonly KeptChange[]
  /** The file as it was before; `undefined` when it is not kept any more. */
  before(change: KeptChange): string | undefined
  drop(change: KeptChange): Promise<void>
}

/** Layout of the records. */
const LAYOUT = 1

/** A journal in the folder of the program's data. Nobody else can read it: entries may hold secrets. */
export function openJournal(data: string, now: () => number = Date.now): Journal {
  const folder = join(data, 'hosts')
  let count = 0
  const fileOf = (name: string, ending: string): string => join(folder, `${name}.${ending}`)
  const journal: Journal = {
    async keep(change, before) {
      const stamp = new Date(now()).toISOString().replaceAll(':', '-')
      const name = `${stamp}-${process.pid}-${String(count++).padStart(4, '0')}`
      const backup = fileOf(name, 'before')
      await writePrivate(backup, before)
      await writePrivate(fileOf(name, 'json'), JSON.stringify({ layout: LAYOUT, ...change }))
      await prune(change)
      return { layout: LAYOUT, ...change, name, backup }
    },
    list() {
      const names = namesIn(folder).filter((name) => name.endsWith('.json'))
      return names
        .sort()
        .toReversed()
        .flatMap((name) => read(name.slice(0, -'.json'.length)))
    },
    before: ({ name }) => readPrivate(fileOf(name, 'before')),
    async drop({ name }) {
      await unlink(fileOf(name, 'json')).catch(() => {})
      await unlink(fileOf(name, 'before')).catch(() => {})
    },
  }
  return journal

  function read(name: string): KeptChange[] {
    try {
      const value: unknown = JSON.parse(readPrivate(fileOf(name, 'json'))!)
      if (!isObject(value) || value['layout'] !== LAYOUT) return []
      return [{ ...(value as unknown as Change), name }]
    } catch {
      return []
    }
  }

  async function prune({ file, kind }: Pick<Change, 'file' | 'kind'>): Promise<void> {
    const alike = journal.list().filter((kept) => kept.file === file && kept.kind === kind)
    for (const old of alike.slice(KEPT_BACKUPS)) await journal.drop(old)
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
