import { parseArgs } from 'node:util'
import { type CommandLine, COMMANDS } from './commands/table.ts'
import { BridgeError } from './errors.ts'
import { nearest } from './nearest.ts'
import type { OptionSpec, Values } from './option-values.ts'
import { SERVER_OPTIONS } from './options.ts'

/** The options of every command. */
export const GENERAL_OPTIONS: readonly OptionSpec[] = [
  { name: 'help', short: 'h', help: 'Show this help, or that of a command.' },
  { name: 'version', help: 'Show the version.' },
]

/** Takes a command line apart. Throws `BridgeError` for options that the command does not know. */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const at = commandAt(argv)
  const command = at === undefined ? undefined : COMMANDS.find(({ name }) => name === argv[at])
  if (command !== undefined) {
    const rest = argv.filter((_, index) => index !== at)
    const { values, positionals } = parse(rest, command.options, command.name)
    return { command: command.name, values, operands: positionals }
  }
  const { values, positionals } = parse(argv, SERVER_OPTIONS, undefined)
  if (positionals[0] !== undefined) refuseTypingError(positionals[0])
  return { command: undefined, values, operands: positionals }
}

/** Where the first word stands that is neither an option nor the value of one. */
function commandAt(argv: readonly string[]): number | undefined {
  const { tokens } = parseArgs({
    args: [...argv],
    options: configOf(SERVER_OPTIONS),
    strict: false,
    tokens: true,
  })
  return tokens.find(({ kind }) => kind === 'positional')?.index
}

function configOf(specs: readonly OptionSpec[]) {
  return Object.fromEntries(
    [...specs, ...GENERAL_OPTIONS].map(({ name, short, value, multiple }) => [
      name,
      {
        type: value === undefined ? ('boolean' as const) : ('string' as const),
        ...(short === undefined ? {} : { short }),
        ...(multiple === true ? { multiple } : {}),
      },
    ]),
  )
}

function parse(
  argv: readonly string[],
  specs: readonly OptionSpec[],
  command: string | undefined,
): { values: Values; positionals: string[] } {
  try {
    return parseArgs({ args: [...argv], options: configOf(specs), allowPositionals: true })
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
      throw new BridgeError('usage', message.split('\n', 1)[0]!, { cause })
    }
    throw unknownOption(/'(-[^']*)'/.exec(message)?.[1] ?? '', specs, command, cause)
  }
}

/** An option that another command takes is no typing error. */
function unknownOption(
  unknown: string,
  specs: readonly OptionSpec[],
  command: string | undefined,
  cause: unknown,
): BridgeError {
  const name = unknown.replace(/^-+/, '')
  const owners = COMMANDS.filter(({ options }) => options.some((option) => option.name === name))
  if (owners.length > 0) {
    const verbs = owners.map((owner) => `bridge ${owner.name}`).join(', ')
    return new BridgeError('usage', `--${name} belongs to ${verbs}.`, { cause })
  }
  const near = nearest(
    name,
    [...specs, ...GENERAL_OPTIONS].map((option) => option.name),
  )
  const program = command === undefined ? 'bridge' : `bridge ${command}`
  const hint =
    near === undefined ? `${program} --help lists the options.` : `Did you mean --${near}?`
  return new BridgeError('usage', `Unknown option ${unknown}.`, { hint, cause })
}

/** A word is no URL: it was to be a command. */
function refuseTypingError(word: string): void {
  if (!/^[a-z][a-z-]*$/i.test(word) || word === 'localhost') return
  const near = nearest(
    word,
    COMMANDS.map(({ name }) => name),
  )
  throw new BridgeError('usage', `Unknown command ${word}.`, {
    hint: near === undefined ? 'Usage: bridge <server_url>' : `Did you mean bridge ${near}?`,
  })
}
