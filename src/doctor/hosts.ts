import { type FoundEntry, survey, type Survey } from '../hosts/entries.ts'
import { type Problem, problemsOf } from '../hosts/problems.ts'
import { HOSTS } from '../hosts/table.ts'
import { printable } from '../log.ts'
import { check, fail, type Finding, ok, warn } from './check.ts'
import type { Machine } from './machine.ts'

/** What the problems of entries are here, the worst first. */
const KINDS = {
  'secret-in-arguments': ['fail', 'secret_in_arguments'],
  'missing-file': ['fail', 'program_missing'],
  'old-node': ['fail', 'node_too_old_in_entry'],
  'space-in-arguments': ['warn', 'space_in_arguments'],
  'missing-variable': ['warn', 'variable_missing'],
  'needs-cmd': ['warn', 'npx_without_cmd'],
  'mcp-remote': ['warn', 'mcp_remote_entry'],
  'not-understood': ['warn', 'entry_not_understood'],
  unpinned: ['warn', 'not_pinned'],
  outdated: ['warn', 'entry_outdated'],
} as const satisfies Readonly<Record<Problem['code'], readonly ['fail' | 'warn', string]>>

type HostCode = 'host_file_broken' | 'msix_twin' | (typeof KINDS)[Problem['code']][1]

/** How the hosts on this machine start us: what `bridge list` shows, as findings. */
export const hosts = check({
  id: 'hosts',
  title: 'Host configuration',
  group: 'The hosts',
  codes: ['host_file_broken', 'msix_twin', ...Object.values(KINDS).map(([, code]) => code)],
  async run({ machine }) {
    const { platform, home, cwd, env, list: namesIn } = machine
    const found = await survey({ platform, home, cwd, env, namesIn }, HOSTS, machine.hostFile)
    const [worst, ...more] = findings(found, machine)
    if (worst === undefined) {
      const entries = found.entries.map(placeOf).join(', ')
      return ok(entries === '' ? 'no entry of a host starts us' : entries)
    }
    if (more.length === 0) return worst
    return { ...worst, seen: `${worst.seen} (and ${more.length} more: bridge list)` }
  },
})

/** Everything that is wrong, the worst first. */
function findings(
  { entries, failures, shadowed }: Survey,
  { platform, isFile }: Machine,
): Finding<HostCode>[] {
  const broken = failures.map(({ message }) =>
    fail('host_file_broken', printable(message), 'Repair it; its host starts nothing until then.'),
  )
  const twins = shadowed.map(({ host, read, ignored }) =>
    warn(
      'msix_twin',
      `${host.name} reads ${read} and not ${ignored}, which differs`,
      `copy "${ignored}" "${read}"`,
    ),
  )
  const kinds = Object.keys(KINDS)
  const problems = entries
    .flatMap((entry) => problemsOf(entry, platform, isFile).map((problem) => ({ entry, problem })))
    .sort((a, b) => kinds.indexOf(a.problem.code) - kinds.indexOf(b.problem.code))
    .map(({ entry, problem: { code, message, fix } }) => {
      const [level, ours] = KINDS[code]
      return { level, code: ours, seen: printable(`${placeOf(entry)}: ${message}`), fix }
    })
  const all: Finding<HostCode>[] = [...broken, ...twins, ...problems]
  return [
    ...all.filter(({ level }) => level === 'fail'),
    ...all.filter(({ level }) => level !== 'fail'),
  ]
}

function placeOf({ host, name, scope }: FoundEntry): string {
  const where = scope === 'project' ? ' (this project)' : ''
  return `${host.name}${where}, "${printable(name)}"`
}
