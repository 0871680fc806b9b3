import type { OptionSpec, Values } from '../option-values.ts'
import { JSON_OPTION, SERVER_OPTIONS } from '../options.ts'
import {
  INSTALL_OPTIONS,
  INSTALL_SERVER_OPTIONS,
  LIST_OPTIONS,
  MIGRATE_OPTIONS,
  UNINSTALL_OPTIONS,
} from './host-options.ts'
import { VIEW_OPTIONS } from '../trace/view-flags.ts'

/** A command line, taken apart; what the words mean is the command's business. */
export interface CommandLine {
  /** `undefined`: the relay, which has no name. */
  readonly command: string | undefined
  readonly values: Values
  /** The words that are neither options nor their values, without the command's name. */
  readonly operands: readonly string[]
  /** What the user should know about the words, one line each. */
  readonly notes: readonly string[]
  /** How many of the operands, at the end, stood behind `--`. */
  readonly behind: number
}

/** Runs a command; settles with the exit code. Rejects with `BridgeError` for what a person can mend. */
export type RunCommand = (line: CommandLine, process: NodeJS.Process) => Promise<number>

/** A verb. This table drives parsing, hints, the help, the completion and the README's table. */
export interface CommandRecord {
  readonly name: string
  /** What follows the name, in the usual notation. */
  readonly operands: string
  readonly help: string
  /** Words behind `bridge`, to copy. */
  readonly examples?: readonly string[]
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

const ALL_OPTION: OptionSpec = { name: 'all', help: 'Every stored sign-in, of every server.' }

const SHOW_OPTION: OptionSpec = { name: 'show', help: 'Print it although stdout is a terminal.' }

const SAVE_OPTION: OptionSpec = {
  name: 'save',
  value: 'folder',
  help: 'Write images, sounds and other binary content into this folder.',
}

const REPORT_OPTION: OptionSpec = {
  name: 'report',
  help: 'Print the findings in Markdown, without secrets, to be pasted into an issue.',
}

const COUNT_OPTION: OptionSpec = {
  name: 'count',
  value: 'number',
  help: 'How many pings to send, up to 1000. Default: 5.',
}

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
    name: 'logout',
    operands: '[server_url]',
    help: 'Revoke a stored sign-in where the server offers that, and delete it.',
    examples: ['logout https://example.com/mcp', 'logout --all'],
    options: [...SERVER_OPTIONS, ALL_OPTION, JSON_OPTION],
    load: async () => (await import('./logout.ts')).runLogout,
  },
  {
    name: 'status',
    operands: '[server_url]',
    help: 'Show the stored sign-ins, and which bridges run.',
    options: [...SERVER_OPTIONS, JSON_OPTION],
    load: async () => (await import('./status.ts')).runStatus,
  },
  {
    name: 'token',
    operands: '<server_url>',
    help: 'Print a fresh access token for a script.',
    examples: ['token https://example.com/mcp | pbcopy', 'token https://example.com/mcp --json'],
    options: [...SERVER_OPTIONS, SHOW_OPTION, JSON_OPTION],
    load: async () => (await import('./token.ts')).runToken,
  },
  {
    name: 'tools',
    operands: '<server_url>',
    help: 'List the tools of a server.',
    options: [...SERVER_OPTIONS, JSON_OPTION],
    load: async () => (await import('./listing.ts')).runTools,
  },
  {
    name: 'resources',
    operands: '<server_url>',
    help: 'List the resources of a server.',
    options: [...SERVER_OPTIONS, JSON_OPTION],
    load: async () => (await import('./listing.ts')).runResources,
  },
  {
    name: 'prompts',
    operands: '<server_url>',
    help: 'List the prompts of a server.',
    options: [...SERVER_OPTIONS, JSON_OPTION],
    load: async () => (await import('./listing.ts')).runPrompts,
  },
  {
    name: 'call',
    operands: "<server_url> <tool> ['{json}' | key=value...]",
    help: 'Call a tool and print its result.',
    examples: [
      'call https://example.com/mcp add_note text="Buy milk" urgent=true',
      `call https://example.com/mcp add_note '{"text": "Buy milk"}' --json`,
    ],
    options: [...SERVER_OPTIONS, SAVE_OPTION, JSON_OPTION],
    load: async () => (await import('./call.ts')).runCall,
  },
  {
    name: 'read',
    operands: '<server_url> <uri>',
    help: 'Read a resource and print it.',
    options: [...SERVER_OPTIONS, SAVE_OPTION, JSON_OPTION],
    load: async () => (await import('./read.ts')).runRead,
  },
  {
    name: 'ping',
    operands: '<server_url>',
    help: 'Measure how fast a server answers.',
    options: [...SERVER_OPTIONS, COUNT_OPTION, JSON_OPTION],
    load: async () => (await import('./ping.ts')).runPing,
  },
  {
    name: 'doctor',
    operands: '[server_url]',
    help: 'Look at everything that has to work, and say what mends what does not.',
    options: [...SERVER_OPTIONS, REPORT_OPTION, JSON_OPTION],
    load: async () => (await import('./doctor.ts')).runDoctor,
  },
  {
    name: 'completion',
    operands: '<bash|zsh|fish|pwsh>',
    help: 'Print the completion script of a shell.',
    examples: [
      'completion bash >> ~/.bashrc',
      'completion fish > ~/.config/fish/completions/bridge.fish',
    ],
    options: [],
    load: async () => (await import('./completion.ts')).completionOf(COMMANDS),
  },
  {
    name: 'install',
    operands: '[host] <server_url> [-- arguments...]',
    help: 'Put a server into the configuration of a host; without a host, ask which one.',
    options: [...INSTALL_SERVER_OPTIONS, ...INSTALL_OPTIONS],
    load: async () => (await import('./install.ts')).runInstall,
  },
  {
    name: 'uninstall',
    operands: '<host> <name>',
    help: 'Take a server out of the configuration of a host.',
    options: UNINSTALL_OPTIONS,
    load: async () => (await import('./uninstall.ts')).runUninstall,
  },
  {
    name: 'list',
    operands: '[host...]',
    help: 'Show the entries of hosts that start bridge or mcp-remote, and what is wrong with them.',
    options: LIST_OPTIONS,
    load: async () => (await import('./list.ts')).runList,
  },
  {
    name: 'migrate',
    operands: '[host...]',
    help: 'Replace mcp-remote by bridge in the configurations of hosts, of all when none is named.',
    options: MIGRATE_OPTIONS,
    load: async () => (await import('./migrate.ts')).runMigrate,
  },
  {
    name: 'trace',
    operands: '[replay] [file]',
    help: 'Show a debug trace, the newest one unless another is named; or send it again (replay).',
    options: [...VIEW_OPTIONS, ...SERVER_OPTIONS],
    load: async () => (await import('./trace.ts')).runTrace,
  },
]
