import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { BridgeError } from '../errors.ts'
import {
  type Edit,
  editorOf,
  makeChange,
  planChange,
  planUndoing,
  undoChange,
} from '../hosts/change.ts'
import { unifiedDiff } from '../hosts/diff.ts'
import { tablesIn } from '../hosts/entries.ts'
import { type HostFile, readHostFile } from '../hosts/file.ts'
import { at, type Json } from '../hosts/json-value.ts'
import type { KeptChange } from '../hosts/journal.ts'
import { type Machine, thisMachine } from '../hosts/machine.ts'
import type { Host } from '../hosts/record.ts'
import { masked } from '../hosts/secrets.ts'
import { createLog } from '../log.ts'
import { pathsOf } from '../paths.ts'
import { hostsNamed, scopeOf } from './hosts-named.ts'
import type { RunCommand } from './table.ts'

/** Takes a server out of the configuration of a host. */
export const runUninstall: RunCommand = async ({ values, operands }, process) => {
  const [id, name, third] = operands
  if (id === undefined || name === undefined || third !== undefined) {
    throw new BridgeError('usage', 'A host and the name of an entry are needed.', {
      hint: 'Usage: bridge uninstall <host> <name>. bridge list shows both.',
    })
  }
  const machine = thisMachine(process, pathsOf(process.env).data)
  const host = hostsNamed([id])[0]!
  const scope = scopeOf(values)
  const json = values['json'] === true
  const dryRun = values['dry-run'] === true
  const log = createLog(process.stderr, '')
  const found = await find(host, name, host.files[scope]?.(machine.system) ?? [])
  if (found === undefined) {
    throw new BridgeError('usage', `${host.name} has no entry ${name} (--scope ${scope}).`, {
      hint: 'bridge list shows what there is.',
    })
  }
  const { file, path, secrets } = found
  const { text, act } = await removal(host, file, path, machine)
  const diff = unifiedDiff(file.path, file.text, text)
  if (!json) for (const line of diff) process.stderr.write(`${masked(line, secrets)}\n`)
  if (!dryRun) await act()
  if (json) {
    const shown = { host: host.id, name, scope, file: file.path, action: 'removed', dryRun }
    process.stdout.write(`${JSON.stringify(shown)}\n`)
  } else {
    log.warn(dryRun ? 'Nothing was written (--dry-run).' : `${name} removed from ${file.path}.`)
  }
  return 0
}

/** An entry, and the texts in it that are not shown. */
interface Found {
  readonly file: HostFile
  readonly path: readonly string[]
  readonly secrets: readonly string[]
}

async function find(
  host: Host,
  name: string,
  places: readonly string[],
): Promise<Found | undefined> {
  for (const place of places.filter((candidate) => existsSync(candidate))) {
    const file = await readHostFile(place)
    const root = editorOf(host, place).read(file.text)
    const paths = tablesIn(host, root).map((table) => table.concat(name))
    const path = paths.find((candidate) => at(root, candidate) !== undefined)
    if (path === undefined) continue
    // Whatever the entry holds in its environment may be secret, and need not be seen to be removed.
    const launch = host.shape.read(at(root, path) as Json)
    return { file, path, secrets: Object.values(launch?.env ?? {}) }
  }
  return undefined
}

/** When nothing has happened to the file since the entry was put in, it becomes what it was. */
async function removal(
  host: Host,
  file: HostFile,
  path: readonly string[],
  machine: Machine,
): Promise<{ text: string; act: () => Promise<unknown> }> {
  const { journal } = machine
  const added = (change: KeptChange): boolean => {
    const [entry, ...others] = change.entries
    const ours = change.file === file.path && change.after === file.seen?.hash
    return ours && others.length === 0 && entry?.before === null
  }
  const change = journal.list().find(added)
  if (change !== undefined && change.entries[0]!.path.join('\0') === path.join('\0')) {
    const undoing = await planUndoing(host, change, journal)
    if (undoing.how === 'whole') {
      return { text: undoing.text ?? '', act: () => undoChange(undoing, change, journal) }
    }
  }
  const edit: Edit = { path, members: undefined }
  const plan = planChange(host, file, [edit])
  const why = { kind: 'uninstall', run: randomUUID() } as const
  return { text: plan.text, act: () => makeChange(plan, journal, why) }
}
