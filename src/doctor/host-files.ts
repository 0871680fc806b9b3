import type { Machine } from './machine.ts'
import { pathOf } from './machine.ts'

/** A way to start a server, as a host's configuration has it. */
export interface HostEntry {
  readonly host: string
  readonly file: string
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** The configuration files of hosts that were found. */
export interface HostFiles {
  /** The entries that start us or mcp-remote. */
  readonly entries: readonly HostEntry[]
  /** Files that are no JSON. */
  readonly broken: readonly string[]
  /** Two files of Claude Desktop, of which it reads only the first. */
  readonly twins: readonly (readonly [read: string, ignored: string])[]
}

/** Reads the files of Claude Desktop, Claude Code and Cursor: `mcpServers` in JSON. */
export function readHostFiles(machine: Machine): HostFiles {
  const entries: HostEntry[] = []
  const broken: string[] = []
  for (const [host, file] of placesOf(machine)) {
    const text = machine.read(file)
    if (text === undefined || text.trim() === '') continue
    try {
      entries.push(...entriesOf(host, file, JSON.parse(text)))
    } catch {
      broken.push(file)
    }
  }
  return { entries, broken, twins: twinsOf(machine) }
}

function placesOf(machine: Machine): readonly (readonly [host: string, file: string])[] {
  const { home } = machine
  const { join } = pathOf(machine)
  return [
    ...desktopFiles(machine).map((file) => ['Claude Desktop', file] as const),
    ['Claude Code', join(home, '.claude.json')],
    ['Cursor', join(home, '.cursor', 'mcp.json')],
  ]
}

const DESKTOP_FILE = 'claude_desktop_config.json'

/** The file of an MSIX package first: that is the one that is read where there is one. */
function desktopFiles(machine: Machine): readonly string[] {
  const { env, home, platform } = machine
  const { join } = pathOf(machine)
  if (platform === 'darwin')
    return [join(home, 'Library', 'Application Support', 'Claude', DESKTOP_FILE)]
  if (platform !== 'win32') return [join(home, '.config', 'Claude', DESKTOP_FILE)]
  const packages = join(env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'Packages')
  // The suffix is the publisher's: it differs between builds.
  const inPackages = machine
    .list(packages)
    .filter((name) => name.startsWith('Claude_'))
    .map((name) => join(packages, name, 'LocalCache', 'Roaming', 'Claude', DESKTOP_FILE))
  return [
    ...inPackages,
    join(env['APPDATA'] ?? join(home, 'AppData', 'Roaming'), 'Claude', DESKTOP_FILE),
  ]
}

function twinsOf(machine: Machine): HostFiles['twins'] {
  const files = desktopFiles(machine)
  const plain = files.at(-1)!
  const other = machine.read(plain)
  return files
    .slice(0, -1)
    .filter((file) => other !== undefined && machine.read(file) !== other)
    .map((file) => [file, plain] as const)
}

/** `mcpServers` at the top, and in each of the projects of Claude Code. */
function entriesOf(host: string, file: string, config: unknown): HostEntry[] {
  const projects = Object.values(objectOf(objectOf(config)['projects']))
  return [config, ...projects].flatMap((part) =>
    Object.entries(objectOf(objectOf(part)['mcpServers'])).flatMap(([name, entry]) => {
      const { command, args, env } = objectOf(entry)
      if (typeof command !== 'string') return []
      const words = Array.isArray(args) ? args.filter((word) => typeof word === 'string') : []
      if (![command, ...words].some((word) => OURS.test(word))) return []
      const texts = Object.entries(objectOf(env)).filter(([, value]) => typeof value === 'string')
      const variables = Object.fromEntries(texts) as Record<string, string>
      return [{ host, file, name, command, args: words, env: variables }]
    }),
  )
}

/** Packages and programs that this is about, with or without a version. */
export const OURS = /(^|[\\/])(mcp-remote|mcp-bridge|bridge)(@[^\\/]*|\.cjs|\.cmd)?$/

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {}
}
