import packageJson from '../../package.json' with { type: 'json' }
import { printable } from '../log.ts'
import { check, fail, type Finding, ok, warn } from './check.ts'
import { type HostEntry, type HostFiles, OURS, readHostFiles } from './host-files.ts'

const PINNED = `${packageJson.name}@${packageJson.version}`

/** How the hosts on this machine start us. */
export const hosts = check({
  id: 'hosts',
  title: 'Host configuration',
  group: 'The hosts',
  codes: [
    'host_file_broken',
    'secret_in_arguments',
    'msix_twin',
    'space_in_arguments',
    'mcp_remote_entry',
    'not_pinned',
  ],
  run({ machine }) {
    const files = readHostFiles(machine)
    const [worst, ...more] = PROBLEMS.flatMap((problem) => problem(files))
    if (worst !== undefined) {
      return more.length === 0
        ? worst
        : { ...worst, seen: `${worst.seen} (and ${more.length} more)` }
    }
    const { entries } = files
    if (entries.length === 0) {
      return ok('no entry of Claude Desktop, Claude Code or Cursor starts us')
    }
    return ok(entries.map(placeOf).join(', '))
  },
})

type HostCode =
  | 'host_file_broken'
  | 'secret_in_arguments'
  | 'msix_twin'
  | 'space_in_arguments'
  | 'mcp_remote_entry'
  | 'not_pinned'

/** What can be wrong with the files of hosts, the worst first. */
const PROBLEMS: readonly ((files: HostFiles) => Finding<HostCode>[])[] = [
  ({ broken }) =>
    broken.map((file) =>
      fail(
        'host_file_broken',
        `${file} is no JSON: its host starts nothing`,
        `node -e "JSON.parse(require('fs').readFileSync('${file.replaceAll('\\', '/')}', 'utf8'))"`,
      ),
    ),
  ({ entries }) =>
    entries.flatMap((entry) => {
      const secret = secretOf(entry)
      if (secret === undefined) return []
      const seen = `${placeOf(entry)}: ${secret.what} can be read by every program on this machine`
      return [fail('secret_in_arguments', seen, secret.fix)]
    }),
  ({ twins }) =>
    twins.map(([read, ignored]) =>
      warn(
        'msix_twin',
        `Claude Desktop reads ${read} and not ${ignored}, which differs`,
        `copy "${ignored}" "${read}"`,
      ),
    ),
  ({ entries }) =>
    entries
      .filter(({ args }) => args.some((word) => /\s/.test(word)))
      .map((entry) =>
        warn(
          'space_in_arguments',
          `${placeOf(entry)}: an argument has a space in it, at which some hosts cut it apart`,
          'Put the value into "env", and ${NAME} into the argument, as in "--header", "Authorization:${NAME}".',
        ),
      ),
  ({ entries }) => entries.flatMap(notPinned),
]

function notPinned(entry: HostEntry): Finding<HostCode>[] {
  const found = packageOf(entry)
  if (found === undefined) return []
  const [at, name, version] = found
  // Arguments that may hold a secret are not repeated.
  const fix = shownArgs(entry) ? `"args": ${JSON.stringify(entry.args.with(at, PINNED))}` : PINNED
  if (name === 'mcp-remote') {
    return [warn('mcp_remote_entry', `${placeOf(entry)} starts mcp-remote`, fix)]
  }
  if (version !== undefined && /^\d+\.\d+\.\d+/.test(version)) return []
  const seen = `${placeOf(entry)}: without an exact version npx asks the registry at every start`
  return [warn('not_pinned', seen, fix)]
}

function placeOf({ host, name }: HostEntry): string {
  return `${host}, "${printable(name)}"`
}

/** The package among the arguments of npx: where, which one, which version. */
function packageOf({ args }: HostEntry): readonly [number, string, string | undefined] | undefined {
  const at = args.findIndex((word) => OURS.test(word) && !/[\\/]/.test(word))
  if (at === -1) return undefined
  const [name = '', version] = args[at]!.split('@')
  return [at, name, version]
}

interface Secret {
  readonly what: string
  readonly fix: string
}

const SECRET_NAME = /auth|token|secret|password|passwd|api[-_]?key|cookie|credential|session/i

/** The first secret that stands in the arguments as it is; its value is never shown. */
function secretOf({ name, args }: HostEntry): Secret | undefined {
  for (const [index, word] of args.entries()) {
    const header =
      /^--header=(.*)$/s.exec(word)?.[1] ?? (args[index - 1] === '--header' ? word : '')
    const [, title = '', value = ''] = /^([^:]+):(.*)$/s.exec(header) ?? []
    if (SECRET_NAME.test(title) && literal(value) !== '') {
      const variable = `${name}_${title}`.toUpperCase().replaceAll(/[^A-Z\d]+/g, '_')
      const argument = `${title}:\${${variable}}`
      return {
        what: `the header ${printable(title)} in its arguments`,
        fix: `Write "--header", ${JSON.stringify(argument)} and "env": { "${variable}": "<what stood behind the colon>" }`,
      }
    }
    if (/"client_secret"\s*:\s*"(?!\$\{)/.test(word)) {
      return {
        what: 'the secret of the client in its arguments',
        fix: 'Write ${CLIENT_SECRET} in its place, and "env": { "CLIENT_SECRET": "<the secret>" }',
      }
    }
    if (!URL.canParse(word)) continue
    const { searchParams, username, password } = new URL(word)
    const parameter = [...searchParams].find(
      ([key, text]) => SECRET_NAME.test(key) && literal(text) !== '',
    )
    if (parameter !== undefined || username !== '' || password !== '') {
      const what =
        parameter === undefined
          ? 'the password in the URL'
          : `the parameter ${printable(parameter[0])} of the URL`
      return {
        what,
        fix: 'Send it as a header, if the server takes one: "--header-file", "<a file of yours with mode 0600>"',
      }
    }
  }
  return undefined
}

/** What is left of a value without variables and the name of its scheme. */
function literal(value: string): string {
  return value.replaceAll(/\$\{[^}]*\}|\bBearer\b|\bBasic\b|\s/gi, '')
}

/** Whether the arguments may be repeated: none of them can hold a secret. */
function shownArgs({ args }: HostEntry): boolean {
  return args.every(
    (word) => !word.includes('?') && !/^--(header|.*secret|.*client-info|proxy)/.test(word),
  )
}
