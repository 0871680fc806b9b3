import { BridgeError } from '../errors.ts'
import { planUndoing, undoChange } from '../hosts/change.ts'
import type { Machine } from '../hosts/machine.ts'
import type { Host } from '../hosts/record.ts'

/** What undoing a migration came to. */
export interface UndoOutcome {
  readonly undone: readonly { readonly host: string; readonly file: string; readonly how: string }[]
  readonly refused: readonly { readonly host: string; readonly message: string }[]
}

/** Undoes the last run of `bridge migrate`, file by file. */
export async function undoMigration(
  hosts: readonly Host[],
  { journal }: Machine,
  dryRun: boolean,
  say: (line: string) => void,
): Promise<UndoOutcome> {
  const undone: { host: string; file: string; how: string }[] = []
  const refused: { host: string; message: string }[] = []
  const migrations = journal.list().filter(({ kind }) => kind === 'migrate')
  const last = migrations.filter(({ run }) => run === migrations[0]?.run)
  for (const change of last) {
    const host = hosts.find(({ id }) => id === change.host)
    if (host === undefined) continue
    try {
      const undoing = await planUndoing(host, change, journal)
      const { file } = undoing
      // No diff: which values in it are secret is not known here.
      say(`${file.path}: ${change.entries.map(({ path }) => path.at(-1)).join(', ')}`)
      if (!dryRun) await undoChange(undoing, change, journal)
      undone.push({ host: host.id, file: file.path, how: undoing.how })
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error
      refused.push({ host: host.id, message: error.message })
      say(error.message)
    }
  }
  if (last.length === 0) say('There is no migration to undo.')
  else if (dryRun) say(`${undone.length} files to be restored. Nothing was written (--dry-run).`)
  else say(`${undone.length} files restored.`)
  return { undone, refused }
}
