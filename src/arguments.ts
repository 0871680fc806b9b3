import { parseArgs } from 'node:util'
import { type CommandLine, COMMANDS, JSON_OPTION } from './commands/table.ts'
import { BridgeError } from './errors.ts'
import { ADOPTED_OPTIONS, adopt } from './mcp-remote.ts'
import { nearest } from './nearest.ts'
import type { OptionSpec, Values } from './option-values.ts'
import { GENERAL_OPTIONS, SERVER_OPTIONS } from './options.ts'

/** Takes a command line apart. Throws `BridgeError` for options that the command does not know. */
export function readCommandLine(given: readonly string[]): CommandLine {
  const argv = withBareValues(given)
  const at = commandAt(argv)
  const command = at === undefined ? undefined : COMMANDS.find(({ name }) => name === argv[at])
  if (command !== undefined) {
    const rest = argv.filter((_, index) => index !== at)
    const { values, positionals } = parse(rest, command.options, command.name)
    // What people paste from an entry for mcp-remote belongs to whatever talks to the server.
    const adopts = command.options.includes(SERVER_OPTIONS[0]!)
    const line = { command: command.name, values, operands: positionals, notes: [] }
    return adopts ? adopt(line) : line
  }
  const specs = argv.includes('--version') ? [...SERVER_OPTIONS, JSON_OPTION] : SERVER_OPTIONS
  const { values, positionals } = parse(argv, specs, undefined)
  if (positionals[0] !== undefined) refuseTypingError(positionals[0])
  return adopt({ command: undefined, values, operands: positionals, notes: [] })
}

/** `--pin-tools` alone must not take the next word for its value. */
function withBareValues(argv: readonly string[]): string[] {
  const end = argv.indexOf('--')
  return argv.map((word, index) => {
    if (end !== -1 && index > end) return word
    const option = SERVER_OPTIONS.find(
      ({ name, bare }) => bare !== undefined && word === `--${name}`,
    )
    return option === undefined ? word : `${word}=${option.bare}`
  })
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
    // Where the two know the same name, it is the one of ours that counts.
    [...adopted(specs), ...specs, ...GENERAL_OPTIONS].map(({ name, short, value, multiple }) => [
      name,
      {
        type: value === undefined ? ('boolean' as const) : ('string' as const),
        ...(short === undefined ? {} : { short }),
        ...(multiple === true ? { multiple } : {}),
      },
    ]),
  )
}

/** The options of mcp-remote, for what takes the options of a server. */
function adopted(specs: readonly OptionSpec[]): readonly OptionSpec[] {
  return specs.includes(SERVER_OPTIONS[0]!) ? ADOPTED_OPTIONS : []
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
