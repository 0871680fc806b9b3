import { randomUUID } from 'node:crypto'
import { BridgeError, exitCodeOf } from '../errors.ts'
import { makeChange, type Plan, planChange } from '../hosts/change.ts'
import { unifiedDiff } from '../hosts/diff.ts'
import { survey } from '../hosts/entries.ts'
import { thisMachine } from '../hosts/machine.ts'
import { type Migration, planMigration } from '../hosts/migrate.ts'
import { masked } from '../hosts/secrets.ts'
import { createLog } from '../log.ts'
import { pathsOf } from '../paths.ts'
import { hostsNamed } from './hosts-named.ts'
import type { RunCommand } from './table.ts'
import { undoMigration } from './undo.ts'

type Rewrite = Extract<Migration, { readonly notes: readonly string[] }>

/** Replaces mcp-remote by this program in the configurations of hosts, or undoes that. */
export const runMigrate: RunCommand = async ({ values, operands }, process) => {
  const machine = thisMachine(process, pathsOf(process.env).data)
  const hosts = hostsNamed(operands)
  const json = values['json'] === true
  const dryRun = values['dry-run'] === true
  const log = createLog(process.stderr, '')
  const say = (line: string): void => {
    if (!json) log.warn(line)
  }
  const show = (line: string): void => {
    if (!json) process.stderr.write(`${line}\n`)
  }
  if (values['undo'] === true) {
    const outcome = await undoMigration(hosts, machine, dryRun, say)
    if (json) process.stdout.write(`${JSON.stringify({ ...outcome, dryRun })}\n`)
    return outcome.refused.length === 0 ? 0 : exitCodeOf('host_file_unusable')
  }
  const { entries, failures } = await survey(machine.system, hosts)
  const migrations = entries
    .filter(({ recognised }) => recognised?.program !== 'bridge')
    .map((entry) => planMigration(entry, machine))
  const rewrites = migrations.filter((migration): migration is Rewrite => 'notes' in migration)
  const unreadable = failures.map(({ host, message }) => ({ host: host.id, message }))
  const migrated: object[] = []
  const run = randomUUID()
  for (const group of byFile(rewrites)) {
    const { host } = group[0]!.entry
    try {
      const plan = planned(group, say, show)
      const backup = dryRun
        ? undefined
        : await makeChange(plan, machine.journal, { kind: 'migrate', run })
      for (const migration of group) migrated.push({ ...described(migration), backup })
      if (backup !== undefined) say(`${plan.file.path} was changed. The file as it was: ${backup}`)
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error
      unreadable.push({ host: host.id, message: error.message })
    }
  }
  const left = migrations.flatMap((migration) => ('reasons' in migration ? [migration] : []))
  for (const { entry, reasons } of left) {
    say(`${entry.name} in ${entry.file.path} is left as it is:`)
    for (const reason of reasons) say(`  ${reason}`)
  }
  for (const { message } of unreadable) say(message)
  say(summary(migrated.length, left.length, dryRun))
  if (json) {
    const stays = left.map(({ entry, reasons }) => Object.assign(named({ entry }), { reasons }))
    const shown = { migrated, left: stays, unreadable, dryRun }
    process.stdout.write(`${JSON.stringify(shown)}\n`)
  }
  return unreadable.length === 0 ? 0 : exitCodeOf('host_file_unusable')
}

function byFile(rewrites: readonly Rewrite[]): Rewrite[][] {
  const groups = new Map<string, Rewrite[]>()
  for (const rewrite of rewrites) {
    const { path } = rewrite.entry.file
    groups.set(path, [...(groups.get(path) ?? []), rewrite])
  }
  return [...groups.values()]
}

/** Works the change of one file out and shows it, entry by entry. */
function planned(
  group: readonly Rewrite[],
  say: (line: string) => void,
  show: (line: string) => void,
): Plan {
  const { host, file } = group[0]!.entry
  let { text } = file
  for (const { entry, edit, secrets, notes, adopted } of group) {
    const step = planChange(host, { ...file, text }, [edit])
    say(`${host.name}: ${entry.name}`)
    for (const line of unifiedDiff(file.path, text, step.text)) show(masked(line, secrets))
    for (const note of notes) say(`  ${note}`)
    if (adopted !== undefined) say(`  Its ${adopted} is adopted at the first start.`)
    ;({ text } = step)
  }
  return planChange(
    host,
    file,
    group.map(({ edit }) => edit),
  )
}

function named({ entry }: Pick<Migration, 'entry'>): object {
  const { host, scope, file, name } = entry
  return { host: host.id, scope, file: file.path, name }
}

function described(migration: Rewrite): object {
  const { notes, adopted } = migration
  return { ...named(migration), notes, adopted: adopted ?? null }
}

function summary(migrated: number, left: number, dryRun: boolean): string {
  if (migrated + left === 0) return 'No host starts mcp-remote.'
  const rest = left === 0 ? '' : `, ${left} left as they are`
  if (dryRun) return `${migrated} to be migrated${rest}. Nothing was written (--dry-run).`
  const undo = migrated === 0 ? '' : ' bridge migrate --undo undoes it. Restart the hosts.'
  return `${migrated} migrated${rest}.${undo}`
}
