import { existsSync } from 'node:fs'
import { posix, win32 } from 'node:path'
import { BridgeError } from '../errors.ts'
import { editorOf } from './change.ts'
import { type HostFile, readHostFile } from './file.ts'
import { at, isObject, type JsonObject } from './json-value.ts'
import { mentionsMcpRemote, type Recognised, recognise } from './recognise.ts'
import type { Host, Launch, Scope, System } from './record.ts'
import { HOSTS } from './table.ts'

/** An entry that starts this program or mcp-remote. */
export interface FoundEntry {
  readonly host: Host
  readonly scope: Scope
  readonly file: HostFile
  /** From the root of the file. */
  readonly path: readonly string[]
  readonly name: string
  readonly launch: Launch
  /** `undefined`: mcp-remote is in it in a way that is not understood. */
  readonly recognised: Recognised | undefined
}

/** What is in the files of all hosts. */
export interface Survey {
  readonly entries: readonly FoundEntry[]
  /** Files that cannot be understood. */
  readonly failures: readonly { readonly host: Host; readonly message: string }[]
  /** Files that a host does not read because there is another place that it reads, and they differ. */
  readonly shadowed: readonly Shadowed[]
}

interface Shadowed {
  readonly host: Host
  readonly read: string
  readonly ignored: string
}

const SCOPES: readonly Scope[] = ['user', 'project']

/** Looks through the files of all hosts. A file that two hosts read is looked at once. */
export async function survey(
  system: System,
  hosts: readonly Host[] = HOSTS,
  read: typeof readHostFile = readHostFile,
): Promise<Survey> {
  const entries: FoundEntry[] = []
  const failures: { host: Host; message: string }[] = []
  const shadowed: Shadowed[] = []
  const seen = new Set<string>()
  for (const host of hosts) {
    for (const scope of SCOPES) {
      let first: HostFile | undefined
      for (const path of host.files[scope]?.(system) ?? []) {
        if (seen.has(path)) continue
        seen.add(path)
        try {
          const file = await read(path)
          first ??= file
          if (file.seen === undefined) continue
          if (host.readsFirst === true && file.text !== first.text) {
            shadowed.push({ host, read: first.path, ignored: path })
          }
          entries.push(...entriesIn(host, scope, file))
        } catch (error) {
          if (!(error instanceof BridgeError)) throw error
          failures.push({ host, message: error.message })
        }
      }
    }
  }
  return { entries, failures, shadowed }
}

function entriesIn(host: Host, scope: Scope, file: HostFile): FoundEntry[] {
  const root = editorOf(host, file.path).read(file.text)
  const found: FoundEntry[] = []
  for (const table of tablesIn(host, root)) {
    for (const [name, value] of Object.entries(at(root, table) as JsonObject)) {
      const launch = host.shape.read(value)
      if (launch === undefined) continue
      const recognised = recognise(launch)
      if (recognised === undefined && !mentionsMcpRemote(launch)) continue
      found.push({ host, scope, file, path: [...table, name], name, launch, recognised })
    }
  }
  return found
}

/** The paths of a host's tables in the value of a file. */
export function tablesIn({ tables }: Host, root: unknown): (readonly string[])[] {
  return tables.flatMap((pattern) => tablesAt(root, pattern))
}

/** The paths of the tables that are there; `*` stands for every member. */
function tablesAt(root: unknown, pattern: readonly string[]): (readonly string[])[] {
  let paths: (readonly string[])[] = [[]]
  for (const name of pattern) {
    paths = paths.flatMap((path) => {
      const value = at(root, path)
      if (!isObject(value)) return []
      return (name === '*' ? Object.keys(value) : [name]).map((member) => path.concat(member))
    })
  }
  return paths.filter((path) => isObject(at(root, path)))
}

/** The file that a host reads: one that is there, or else the first place. */
export function fileToEdit(host: Host, scope: Scope, system: System): string | undefined {
  const places = host.files[scope]?.(system) ?? []
  if (host.readsFirst === true) return places[0]
  return places.find((place) => existsSync(place)) ?? places[0]
}

/** The hosts that have left a trace on this machine. */
export function hostsFound(system: System, exists: (path: string) => boolean = existsSync): Host[] {
  const { dirname } = system.platform === 'win32' ? win32 : posix
  return HOSTS.filter((host) =>
    (host.files.user?.(system) ?? []).some((file) => {
      const folder = dirname(file)
      return exists(file) || (folder !== system.home && exists(folder))
    }),
  )
}
