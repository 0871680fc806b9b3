import { randomUUID } from 'node:crypto'
import { BridgeError } from '../errors.ts'
import { isIdle, makeChange } from '../hosts/change.ts'
import { unifiedDiff } from '../hosts/diff.ts'
import {
  type InstallPlan,
  membersOf,
  nameFor,
  planInstall,
  prepare,
  type Request,
  snippet,
} from '../hosts/install.ts'
import { type Machine, thisMachine } from '../hosts/machine.ts'
import { addByOwnCommand } from '../hosts/own-command.ts'
import type { Host, PrintedHost } from '../hosts/record.ts'
import { masked } from '../hosts/secrets.ts'
import { serverValues } from '../hosts/server-arguments.ts'
import { readServerLine } from '../hosts/server-line.ts'
import { createLog } from '../log.ts'
import { list, text, type Values } from '../option-values.ts'
import { readServerOptions } from '../options.ts'
import { pathsOf } from '../paths.ts'
import { ask, chooseHost } from './choose-host.ts'
import { INSTALL_OPTIONS } from './host-options.ts'
import { anyHostNamed, scopeOf } from './hosts-named.ts'
import type { CommandLine, RunCommand } from './table.ts'

/** Puts a server into the configuration of a host. */
export const runInstall: RunCommand = async (line, process) => {
  const machine = thisMachine(process, pathsOf(process.env).data)
  const { host, url } = await whereAndWhat(line, machine, process)
  const request = requestOf(line, url)
  const { values } = line
  const prepared = prepare(host, request, machine)
  validate([url, ...request.verbatim], request, prepared.launch.env, process.env)
  if (values['print'] === true || !('shape' in host)) {
    return print(host, request, prepared, process)
  }
  const installation = await planInstall(host, request, machine)
  return perform(installation, request, machine, values, process)
}

/** The operands, asked for where they are missing and somebody is there to answer. */
async function whereAndWhat(
  { operands, behind }: CommandLine,
  machine: Machine,
  process: NodeJS.Process,
): Promise<{ host: Host | PrintedHost; url: string }> {
  const [first, second, third] = operands.slice(0, operands.length - behind)
  if (third !== undefined) throw new BridgeError('usage', `${third} is too much.`)
  const named = first !== undefined && !URL.canParse(first)
  const host = named ? anyHostNamed(first) : await chooseHost(machine.system, process)
  const given = named ? second : first
  if (!named && second !== undefined) throw new BridgeError('usage', `${second} is too much.`)
  if (given !== undefined) return { host, url: given }
  if (process.stdin.isTTY === true)
    return { host, url: await ask('Address of the server? ', process) }
  throw new BridgeError('usage', 'No server URL.', {
    hint: `Usage: bridge install ${host.id} <server_url>`,
  })
}

function requestOf({ values, operands, behind }: CommandLine, url: string): Request {
  const name = text(values['name']) ?? (URL.canParse(url) ? nameFor(new URL(url)) : '')
  if (!/^[\w-]{1,64}$/.test(name) && text(values['name']) !== undefined) {
    throw new BridgeError('usage', `${name} is no name for an entry.`, {
      hint: 'Letters, digits, - and _, at most 64.',
    })
  }
  return {
    url,
    name,
    scope: scopeOf(values),
    values: serverValues(values, INSTALL_OPTIONS),
    env: variablesOf(list(values['env'])),
    verbatim: operands.slice(operands.length - behind),
    pinNode: values['pin-node'] === true,
  }
}

function variablesOf(lines: readonly string[]): Record<string, string> {
  const variables = lines.map((line) => {
    const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(line) ?? []
    // Not quoted: it may hold a secret.
    if (name === undefined) throw new BridgeError('usage', '--env is not of the form NAME=value.')
    return [name, value!] as const
  })
  return Object.fromEntries(variables)
}

/** What the entry is going to start must be able to read its own command line. */
function validate(
  [url, ...verbatim]: readonly string[],
  { values, env }: Request,
  entryEnv: Readonly<Record<string, string>>,
  processEnv: NodeJS.ProcessEnv,
): void {
  const all = { ...processEnv, ...env, ...entryEnv }
  readServerOptions({ command: 'install', values, operands: [url!] }, all)
  if (verbatim.length > 0) readServerLine([url!, ...verbatim], all)
}

function print(
  host: Host | PrintedHost,
  { name, scope }: Request,
  { launch, warnings }: ReturnType<typeof prepare>,
  { stdout, stderr }: NodeJS.Process,
): number {
  const log = createLog(stderr, '')
  if ('shape' in host) {
    log.warn(`${host.name}: bridge install ${host.id} writes this (--scope ${scope}).`)
    const own = host.ownCommand?.(name, membersOf(host, launch), launch)
    if (own !== undefined) log.warn(`Its own command: ${own.map(quoted).join(' ')}`)
  } else {
    log.warn(`${host.name}: this belongs into ${host.place}.`)
  }
  for (const warning of warnings) log.warn(`Warning: ${warning}`)
  stdout.write(snippet(host, name, launch))
  return 0
}

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

async function perform(
  installation: InstallPlan,
  request: Request,
  machine: Machine,
  values: Values,
  process: NodeJS.Process,
): Promise<number> {
  const { plan, action, secrets, warnings } = installation
  const { name, scope } = request
  const { host, file } = plan
  const json = values['json'] === true
  const dryRun = values['dry-run'] === true
  const log = createLog(process.stderr, '')
  const say = (line: string): void => {
    if (!json) log.warn(line)
  }
  let backup: string | undefined
  if (isIdle(plan)) say(`Nothing to do: ${name} is in ${file.path} already.`)
  else {
    const diff = unifiedDiff(file.path, file.text, plan.text)
    if (!json) for (const line of diff) process.stderr.write(`${masked(line, secrets)}\n`)
    if (!dryRun) backup = await write(installation, request, machine)
    say(dryRun ? 'Nothing was written (--dry-run).' : `${name} ${action} in ${file.path}.`)
    if (backup !== undefined && file.seen !== undefined) say(`The file as it was: ${backup}`)
    if (!dryRun) say(host.reload)
  }
  if (!isIdle(plan)) for (const warning of warnings) say(`Warning: ${warning}`)
  if (json) {
    const shown = { host: host.id, name, scope, file: file.path, action, dryRun, backup, warnings }
    process.stdout.write(`${JSON.stringify(shown)}\n`)
  }
  return 0
}

/** By the host's own command where that is safer, else by ourselves. Returns the path of the backup. */
async function write(
  installation: InstallPlan,
  request: Request,
  machine: Machine,
): Promise<string | undefined> {
  const { plan, action, secrets, entry, launch } = installation
  const { host } = plan
  const why = { kind: 'install', run: randomUUID() } as const
  // Every program on the machine can read the words of a command.
  const fit = action === 'added' && request.scope === 'user' && secrets.length === 0
  if (host.prefersOwnCommand !== true || !fit) return makeChange(plan, machine.journal, why)
  const words = host.ownCommand!(request.name, entry, launch)
  const backup = await addByOwnCommand(words, plan, machine, why)
  if (backup !== undefined) return backup
  // It may have written something nevertheless.
  const { plan: again } = await planInstall(host, request, machine)
  return isIdle(again) ? undefined : makeChange(again, machine.journal, why)
}
