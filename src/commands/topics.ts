import { GENERAL_OPTIONS, SERVER_OPTIONS } from '../options.ts'

/** A page of the help that is about no command. */
interface Topic {
  readonly name: string
  readonly help: string
  readonly text: () => string
}

/** Variables that belong to no option. */
const VARIABLES: readonly (readonly [name: string, help: string])[] = [
  [
    'BRIDGE_HOME',
    'The folder of everything that is kept, instead of the usual places of the system.',
  ],
  ['BRIDGE_LOG', 'debug: say more on stderr, and where in the program a failure comes from.'],
  ['NODE_EXTRA_CA_CERTS', 'A file with more certificate authorities, read by Node itself.'],
  [
    'MCP_REMOTE_CONFIG_DIR',
    'Where mcp-remote keeps the sign-ins that are adopted. Default: ~/.mcp-auth.',
  ],
]

/** Exit codes and what they mean; docs/errors.md and the README have the same. */
export const EXIT_CODE_MEANINGS: readonly (readonly [code: string, meaning: string])[] = [
  ['0', 'the host closed stdin; a command did what it was asked for'],
  ['1', 'unexpected: a mistake in this program; a check of doctor failed'],
  ['2', 'usage: an unknown option, an unusable URL, a missing variable'],
  ['3', 'the server, or its authorization server, cannot be reached'],
  ['4', 'a sign-in is needed, or nobody signed in in time'],
  ['5', 'the sign-in was refused or failed'],
  ['6', 'the server failed, a tool reported an error, or there is no MCP server at the address'],
  [
    '7',
    "the sign-in could not be kept, the keychain that was insisted on is not there, or a host's file could not be read or changed",
  ],
  ['128 + n', 'ended by signal n'],
]

/** What `bridge help` knows beyond the commands. */
export const TOPICS: readonly Topic[] = [
  { name: 'environment', help: 'The variables that are read.', text: environment },
  { name: 'exit-codes', help: 'What the exit codes mean.', text: exitCodes },
]

function environment(): string {
  const options = [...SERVER_OPTIONS, ...GENERAL_OPTIONS].flatMap(({ name, variable }) =>
    variable === undefined ? [] : [[variable, `As --${name}.`] as const],
  )
  return `Environment variables; an option on the command line wins.

${rows([...options, ...VARIABLES])}
`
}

function exitCodes(): string {
  return `Exit codes; 3 to 7 are of commands: the relay tells its host, and stays.

${rows(EXIT_CODE_MEANINGS)}
`
}

function rows(entries: readonly (readonly [string, string])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length))
  return entries.map(([name, help]) => `  ${name.padEnd(width)}  ${help}`).join('\n')
}
