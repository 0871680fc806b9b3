import { BridgeError } from '../errors.ts'
import type { ServerOptions } from '../options.ts'
import { readMcpRemote } from '../store/mcp-remote.ts'
import type { Edit } from './change.ts'
import type { FoundEntry } from './entries.ts'
import { fromMcpRemote } from './from-mcp-remote.ts'
import { launchOf, PINNED } from './launch.ts'
import type { Machine } from './machine.ts'
import type { Recognised } from './recognise.ts'
import type { Launch } from './record.ts'
import { entryArguments } from './server-arguments.ts'
import { readServerLine } from './server-line.ts'

/** What becomes of an entry that starts mcp-remote. */
export type Migration =
  | {
      readonly entry: FoundEntry
      readonly edit: Edit
      readonly secrets: readonly string[]
      /** What is different or left out, one line each. */
      readonly notes: readonly string[]
      /** What mcp-remote has stored about the server and is adopted at the first start. */
      readonly adopted: 'sign-in' | 'registration' | undefined
    }
  | { readonly entry: FoundEntry; readonly edit: undefined; readonly reasons: readonly string[] }

/** Works out how an entry for mcp-remote becomes one for this program, with the same meaning. */
export function planMigration(entry: FoundEntry, { system, program }: Machine): Migration {
  const left = (...reasons: string[]): Migration => ({ entry, edit: undefined, reasons })
  const { host, launch, recognised } = entry
  if (recognised === undefined) return left('it starts mcp-remote in a way of its own')
  const { platform, cwd } = system
  const { url, values, notes } = fromMcpRemote(recognised.args, { platform })
  if (url === undefined) return left('it has no address of a server')
  const expands = host.expands === true
  const own = entryArguments(url, values, { known: {}, given: launch.env, expands, cwd })
  const env = { ...launch.env, ...own.env }
  let options: ServerOptions
  try {
    options = readServerLine(own.args, standIns(own.args, { ...env }))
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error
    return left(error.message)
  }
  const started =
    restarted(recognised, own.args, env) ??
    launchOf(own.args, env, {
      program,
      // Who named a file of Node did it because the host does not find the right one.
      pinNode: /[\\/]/.test(launch.command),
      wrapsCommands: host.wrapsCommands === true,
    })
  return {
    entry,
    edit: { path: entry.path, members: host.shape.write(started) },
    secrets: own.secrets,
    notes: [...notes, ...own.warnings],
    adopted: adoptedBy(options, { ...system.env, ...env }),
  }
}

/** The same runner with another package. */
function restarted(
  { runner }: Recognised,
  args: readonly string[],
  env: Launch['env'],
): Launch | undefined {
  if (runner === undefined) return undefined
  const before = runner.filter((word) => word !== undefined)
  const npx = before.some((word) => /(?:^|[\\/])npx(?:-cli\.js|\.cmd)?$/i.test(word))
  // Without it npx may ask, on the stdin of the host, whether it may install.
  const yes = npx && !before.some((word) => word === '-y' || word === '--yes') ? ['-y'] : []
  const [command, ...words] = [...before, ...yes, PINNED]
  return { command: command!, args: [...words, ...args], env }
}

/** Variables that only the host can give are taken to be set: what they hold does not matter here. */
function standIns(args: readonly string[], env: Record<string, string>): Record<string, string> {
  const named = args.flatMap((word) =>
    [...word.matchAll(/\$\{([^}]*)\}/g)].map((match) => match[1]!),
  )
  for (const variable of named) env[variable] ??= 'x'
  return env
}

/** The relay looks in the same place when it first starts there (src/auth/import.ts). */
function adoptedBy(
  { url, auth, headers }: ServerOptions,
  env: NodeJS.ProcessEnv,
): 'sign-in' | 'registration' | undefined {
  if (headers['authorization'] !== undefined || auth.profile !== 'default') return undefined
  const { authorizeParams, clientMetadataUrl } = auth
  const resource = auth.resource === false ? undefined : auth.resource
  const found = readMcpRemote(env, { server: url, resource, authorizeParams, clientMetadataUrl })
  if (found === undefined) return undefined
  return found.tokens === undefined ? 'registration' : 'sign-in'
}
