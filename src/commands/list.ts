import { survey } from '../hosts/entries.ts'
import type { FoundEntry } from '../hosts/entries.ts'
import { thisMachine } from '../hosts/machine.ts'
import { problemsOf } from '../hosts/problems.ts'
import { printable } from '../log.ts'
import { pathsOf } from '../paths.ts'
import { hostsNamed } from './hosts-named.ts'
import type { RunCommand } from './table.ts'

/** Shows what starts this program or mcp-remote, in all hosts, and what is wrong with it. */
export const runList: RunCommand = async ({ values, operands }, process) => {
  const { system } = thisMachine(process, pathsOf(process.env).data)
  const { entries, failures, shadowed } = await survey(system, hostsNamed(operands))
  const rows = entries.map((entry) => ({
    host: entry.host.id,
    scope: entry.scope,
    name: entry.name,
    program: entry.recognised?.program ?? 'mcp-remote',
    version: entry.recognised?.version ?? null,
    server: serverOf(entry),
    file: entry.file.path,
    problems: problemsOf(entry, system.platform),
  }))
  if (values['json'] === true) {
    const unreadable = failures.map(({ host, message }) => ({ host: host.id, message }))
    const ignored = shadowed.map(({ host, read, ignored: file }) => ({ host: host.id, file, read }))
    process.stdout.write(`${JSON.stringify({ entries: rows, unreadable, ignored })}\n`)
    return 0
  }
  for (const { host, scope, name, program, version, server, file, problems } of rows) {
    const what = `${program}${version === null ? '' : ` ${version}`}`
    const where = `${host} (${scope}) ${file}`
    const lines = [`${name}: ${what} ${server ?? ''}`, `  ${where}`]
    for (const problem of problems) lines.push(`  ! ${problem.message}`)
    for (const line of lines) process.stdout.write(`${printable(line).trimEnd()}\n`)
  }
  if (rows.length === 0) process.stderr.write('No host starts bridge or mcp-remote.\n')
  for (const { host, read, ignored } of shadowed) {
    const line = `${host.name} reads ${read} and not ${ignored}, which differs.`
    process.stderr.write(`${printable(line)}\n`)
  }
  for (const { message } of failures) process.stderr.write(`${printable(message)}\n`)
  return 0
}

/** The address without what may be secret in it. */
function serverOf({ recognised }: FoundEntry): string | null {
  const address = recognised?.args.find((word) => /^https?:\/\//.test(word))
  if (address === undefined || !URL.canParse(address)) return null
  const { origin, pathname, search } = new URL(address)
  return `${origin}${pathname}${search === '' ? '' : '?…'}`
}
