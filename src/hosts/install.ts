import { BridgeError } from '../errors.ts'
import type { Values } from '../option-values.ts'
import { editorOf, type Plan, planChange } from './change.ts'
import { fileToEdit } from './entries.ts'
import { holdsPassword, lostVariables } from './environment.ts'
import { readHostFile } from './file.ts'
import { at, type Json } from './json-value.ts'
import { launchOf } from './launch.ts'
import type { Machine } from './machine.ts'
import { recognise } from './recognise.ts'
import type { Host, Launch, Members, PrintedHost, Scope } from './record.ts'
import { entryArguments } from './server-arguments.ts'

/** What is to be installed. */
export interface Request {
  readonly url: string
  readonly name: string
  readonly scope: Scope
  /** The options of the server. */
  readonly values: Values
  /** Variables for the entry, as the person gave them. */
  readonly env: Readonly<Record<string, string>>
  /** Arguments for the entry that are taken as they are. */
  readonly verbatim: readonly string[]
  readonly pinNode: boolean
}

/** A launch for one host, and what is to be said about it. */
export interface Prepared {
  readonly launch: Launch
  readonly secrets: readonly string[]
  readonly warnings: readonly string[]
}

/** An entry that is about to be written. */
export interface InstallPlan extends Prepared {
  readonly plan: Plan
  readonly action: 'added' | 'changed' | 'nothing'
  readonly entry: Members
}

const DEFAULT_TRAITS = { environment: 'six' } as const

/** Puts the launch of an entry together. */
export function prepare(
  host: Host | PrintedHost,
  { url, values, env, verbatim, pinNode }: Request,
  { system, program }: Machine,
): Prepared {
  const traits: Pick<Host, 'environment' | 'expands' | 'wrapsCommands'> =
    'shape' in host ? host : DEFAULT_TRAITS
  const known = { ...system.env, ...env }
  const expands = traits.expands === true
  const spelling = { known, given: env, expands, cwd: system.cwd }
  const own = entryArguments(url, values, spelling)
  const lost = lostVariables(traits, system.platform, system.env)
  const wrapsCommands = traits.wrapsCommands === true
  const launch = launchOf(
    [...own.args, ...verbatim],
    { ...lost, ...own.env, ...env },
    { program, pinNode, wrapsCommands },
  )
  const proxies = Object.values(lost).filter(holdsPassword)
  const secrets = [...own.secrets, ...proxies]
  const warnings = [...own.warnings]
  if (secrets.some((secret) => Object.values(launch.env).includes(secret))) {
    warnings.push(`The configuration of ${host.name} holds a secret in plain text now.`)
  }
  return { launch, secrets, warnings }
}

/** The members of a new entry. */
export function membersOf(host: Host, launch: Launch): Members {
  const { command, ...rest } = host.shape.write(launch)
  const { type, ...extras } = host.extras
  return { ...(type === undefined ? {} : { type }), command, ...rest, ...extras }
}

/** Works an installation out. Throws `BridgeError` when the name belongs to something else. */
export async function planInstall(
  host: Host,
  request: Request,
  machine: Machine,
): Promise<InstallPlan> {
  const prepared = prepare(host, request, machine)
  const { name, scope } = request
  const path = fileToEdit(host, scope, machine.system)
  if (path === undefined) {
    throw new BridgeError('usage', `${host.name} has no configuration of a ${scope}.`, {
      hint: `Leave --scope ${scope} out.`,
    })
  }
  const file = await readHostFile(path)
  const place = [...host.tables[0]!, name]
  const existing = at(editorOf(host, path).read(file.text), place) as Json | undefined
  if (existing !== undefined) {
    const launch = host.shape.read(existing)
    if (launch === undefined || recognise(launch) === undefined) {
      throw new BridgeError('usage', `${name} is taken in ${path}: it starts something else.`, {
        hint: 'Choose another name with --name.',
      })
    }
  }
  const members = membersOf(host, prepared.launch)
  // What the person has set beside the launch stays.
  const edit = existing === undefined ? members : host.shape.write(prepared.launch)
  const plan = planChange(host, file, [{ path: place, members: edit }])
  const action = existing === undefined ? 'added' : plan.text === file.text ? 'nothing' : 'changed'
  return { ...prepared, plan, action, entry: members }
}

/** What a file with this entry alone looks like. */
export function snippet(host: Host | PrintedHost, name: string, launch: Launch): string {
  if (!('shape' in host)) return host.snippet(name, launch)
  const path = [...host.tables[0]!, name]
  const start = host.format === 'toml' ? '' : '{}\n'
  return editorOf(host, host.name).put(start, path, membersOf(host, launch))
}

/** A name for a server: what is its own in the host name. */
export function nameFor(url: URL): string {
  const labels = url.hostname.replace(/^\[|\]$/g, '').split(/[.:]/)
  const common = new Set(['mcp', 'www', 'api'])
  const own = labels.filter((label, index) => {
    const top = index === labels.length - 1 && labels.length > 1 && !/^\d+$/.test(label)
    return label !== '' && !top && !common.has(label)
  })
  const words = own.length === 0 ? labels : own
  return words.join('-').replaceAll(/[^\w-]/g, '-')
}
