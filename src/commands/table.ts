import type { OptionSpec, Values } from '../option-values.ts'
import { SERVER_OPTIONS } from '../options.ts'
import { VIEW_OPTIONS } from '../trace/view-flags.ts'

/** A command line, taken apart; what the words mean is the command's business. */
export interface CommandLine {
  /** `undefined`: the relay, which has no name. */
  readonly command: string | undefined
  readonly values: Values
  /** The words that are neither options nor their values, without the command's name. */
  readonly operands: readonly string[]
}

/** Runs a command; settles with the exit code. Rejects with `BridgeError` for what a person can mend. */
export type RunCommand = (line: CommandLine, process: NodeJS.Process) => Promise<number>

/** A verb. This table drives parsing, hints, the help, the completion and the README's table. */
export interface CommandRecord {
  readonly name: string
  /** What follows the name, in the usual notation. */
  readonly operands: string
  readonly help: string
  /** Every option that the command takes; `--help` and `--version` go without saying. */
  readonly options: readonly OptionSpec[]
  /** Loads the code of the command, which no start of the relay needs. */
  readonly load: () => Promise<RunCommand>
}

const LOGIN_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'paste',
    help: 'Read on stdin the address of the page that does not load in the browser of another machine.',
  },
  { name: 'force', help: 'Sign in although the stored sign-in works.' },
]

/** The verbs; without one of them the first word is the URL of a server to relay to. */
export const COMMANDS: readonly CommandRecord[] = [
  {
    name: 'login',
    operands: '<server_url>',
    help: 'Sign in now, in this terminal.',
    options: [...SERVER_OPTIONS, ...LOGIN_OPTIONS],
    load: async () => (await import('./login.ts')).runLogin,
  },
  {
    name: 'trace',
    operands: '[replay] [file]',
    help: 'Show a debug trace, the newest one unless another is named; or send it again (replay).',
    options: [...VIEW_OPTIONS, ...SERVER_OPTIONS],
    load: async () => (await import('./trace.ts')).runTrace,
  },
]
