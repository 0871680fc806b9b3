import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { AUTH_OPTIONS } from './auth/flags.ts'
import { type AuthOptions, readAuthOptions } from './auth/options.ts'
import { BridgeError } from './errors.ts'
import { isLoopback } from './hostnames.ts'
import { NETWORK_OPTIONS } from './http/flags.ts'
import { type NetworkOptions, readNetworkOptions } from './http/options.ts'
import { nearest } from './nearest.ts'
import {
  durationMs,
  expand,
  givenOptions,
  isOn,
  list,
  type OptionSpec,
  text,
  type Values,
} from './option-values.ts'
import type { Strategy } from './remote/index.ts'

/** The verbs; without one of them the first word is the URL of a server to relay to. */
export const COMMANDS = [{ name: 'login', help: 'Sign in now, in this terminal.' }] as const

/** The flags of all commands. */
export const OPTIONS: readonly OptionSpec[] = [
  {
    name: 'header',
    value: 'Name: value',
    multiple: true,
    variable: 'BRIDGE_HEADER_<NAME>',
    help: 'Send this header to the server. ${VAR} stands for an environment variable.',
  },
  {
    name: 'header-file',
    value: 'file',
    multiple: true,
    help: 'Read headers from a file, one "Name: value" per line.',
  },
  {
    name: 'transport',
    value: 'auto|http|sse',
    variable: 'BRIDGE_TRANSPORT',
    help: 'Transport of the server; also http-first, sse-first, http-only, sse-only. Default: auto.',
  },
  {
    name: 'allow-http',
    variable: 'BRIDGE_ALLOW_HTTP',
    help: 'Allow http:// to a server that is not on this machine.',
  },
  {
    name: 'timeout',
    value: 'duration',
    variable: 'BRIDGE_TIMEOUT',
    help: 'Give a request up after this much silence of the server: 90, 90s, 5m, 500ms. Default: never.',
  },
  ...AUTH_OPTIONS,
  ...NETWORK_OPTIONS,
  {
    name: 'store',
    value: 'file|keychain',
    variable: 'BRIDGE_STORE',
    help: "Keep sign-ins in a private file or in the system's keychain; keychain-only never uses the file. Default: file.",
  },
  {
    name: 'paste',
    command: 'login',
    help: 'login: read on stdin the address of the page that does not load in the browser of another machine.',
  },
  { name: 'force', command: 'login', help: 'login: sign in although the stored sign-in works.' },
  { name: 'help', short: 'h', help: 'Show this help.' },
  { name: 'version', help: 'Show the version.' },
]

/** What the relay needs to know from its user. */
export interface RelayOptions {
  readonly url: URL
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly strategy: Strategy
  readonly timeoutMs: number | undefined
  readonly auth: AuthOptions
  readonly network: NetworkOptions
  readonly store: StoreChoice
  /** Names of the options that are set, by flag or variable. */
  readonly given: readonly string[]
}

/** Where sign-ins are kept. */
export type StoreChoice = 'file' | 'keychain' | 'keychain-only'

const STORES: readonly StoreChoice[] = ['file', 'keychain', 'keychain-only']

/** What `bridge login` needs to know besides. */
export interface LoginOptions extends RelayOptions {
  readonly force: boolean
}

/** What the command line asks for. */
export type Invocation =
  | { readonly command: 'login'; readonly options: LoginOptions }
  | { readonly command: 'relay'; readonly options: RelayOptions }
  | { readonly command: 'keychain-process' }
  | { readonly command: 'help' }
  | { readonly command: 'version' }

const STRATEGIES: readonly Strategy[] = [
  'auto',
  'http',
  'sse',
  'http-first',
  'sse-first',
  'http-only',
  'sse-only',
]

/** Headers that the transport itself writes; a second opinion on them would break the protocol. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'connection',
  'content-length',
  'content-type',
  'host',
  'keep-alive',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'mcp-session-id',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Reads the command line and the environment once. Throws `BridgeError` for anything unusable. */
export function readInvocation(argv: readonly string[], env: NodeJS.ProcessEnv): Invocation {
  // How this program starts itself (src/store/keychain-link.ts); nobody else needs it.
  if (argv[0] === 'keychain-process') return { command: 'keychain-process' }
  const { values, positionals } = parse(argv)
  if (values['help'] === true) return { command: 'help' }
  if (values['version'] === true) return { command: 'version' }
  const [first, ...others] = positionals
  const command = COMMANDS.find(({ name }) => name === first)?.name
  const [target, ...rest] = command === undefined ? positionals : others
  if (target === undefined) {
    const usage = `Usage: bridge ${command === undefined ? '' : `${command} `}<server_url>`
    throw new BridgeError('usage', 'No server URL.', { hint: usage })
  }
  if (command === undefined) refuseTypingError(target)
  refuseStrangers(values, command)
  if (rest.length > 0)
    throw new BridgeError('usage', `One server URL only; ${rest[0]} is too much.`)
  const allowHttp = values['allow-http'] === true || isOn(env['BRIDGE_ALLOW_HTTP'])
  const network = readNetworkOptions(values, env)
  const certificate = network.clientCertificate !== undefined
  const options: RelayOptions = {
    url: serverUrl(target, allowHttp),
    headers: readHeaders(values, env),
    strategy: oneOf(
      STRATEGIES,
      'transport',
      text(values['transport']) ?? env['BRIDGE_TRANSPORT'] ?? 'auto',
    ),
    timeoutMs: durationMs(text(values['timeout']) ?? env['BRIDGE_TIMEOUT']),
    auth: readAuthOptions(values, env, allowHttp, command === 'login', certificate),
    network,
    store: oneOf(STORES, 'store', text(values['store']) ?? env['BRIDGE_STORE'] ?? 'file'),
    given: givenOptions(OPTIONS, values, env),
  }
  if (command === undefined) return { command: 'relay', options: Object.freeze(options) }
  const force = values['force'] === true
  return { command, options: Object.freeze({ ...options, force }) }
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

/** An option of one command has no meaning for another. */
function refuseStrangers(values: Values, command: string | undefined): void {
  const stranger = OPTIONS.find(
    ({ name, command: owner }) =>
      owner !== undefined && owner !== command && values[name] !== undefined,
  )
  if (stranger === undefined) return
  throw new BridgeError('usage', `--${stranger.name} belongs to bridge ${stranger.command}.`)
}

function parse(argv: readonly string[]): { values: Values; positionals: string[] } {
  const options = Object.fromEntries(
    OPTIONS.map(({ name, short, value, multiple }) => [
      name,
      {
        type: value === undefined ? ('boolean' as const) : ('string' as const),
        ...(short === undefined ? {} : { short }),
        ...(multiple === true ? { multiple } : {}),
      },
    ]),
  )
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true })
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
      throw new BridgeError('usage', message.split('\n', 1)[0]!, { cause })
    }
    const unknown = /'(-[^']*)'/.exec(message)?.[1] ?? ''
    const near = nearest(
      unknown.replace(/^-+/, ''),
      OPTIONS.map(({ name }) => name),
    )
    const hint = near === undefined ? 'bridge --help lists the options.' : `Did you mean --${near}?`
    throw new BridgeError('usage', `Unknown option ${unknown}.`, { hint, cause })
  }
}

function serverUrl(target: string, allowHttp: boolean): URL {
  const hint = 'Usage: bridge https://example.com/mcp'
  if (!URL.canParse(target)) throw new BridgeError('usage', `Not a URL: ${target}`, { hint })
  const url = new URL(target)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new BridgeError('usage', `Not an http(s) URL: ${target}`, { hint })
  }
  if (url.username !== '' || url.password !== '') {
    throw new BridgeError('usage', 'The server URL contains a user name or a password.', {
      hint: 'Put it in a file and pass --header-file: Authorization: Basic …',
    })
  }
  if (url.protocol === 'http:' && !allowHttp && !isLoopback(url.hostname)) {
    throw new BridgeError(
      'usage',
      `${url.origin} is not encrypted: everybody on the way can read it.`,
      {
        hint: 'Use https://, or pass --allow-http on a network that you trust.',
      },
    )
  }
  url.hash = ''
  return url
}

function oneOf<T extends string>(known: readonly T[], what: string, word: string): T {
  const found = known.find((candidate) => candidate === word)
  if (found !== undefined) return found
  throw new BridgeError('usage', `Unknown ${what} ${word}.`, {
    hint: `One of ${known.join(', ')}.`,
  })
}

/** The user's headers; a flag wins over a file, a file over the environment. */
function readHeaders(values: Values, env: NodeJS.ProcessEnv): Record<string, string> {
  const headers: Record<string, string> = {}
  const add = (name: string, value: string, source: string): void => {
    const key = name.trim().toLowerCase()
    if (!/^[!#$%&'*+\-.^_`|~\da-z]+$/.test(key)) {
      throw new BridgeError('usage', `Not a header name: ${name} (${source}).`)
    }
    if (RESERVED_HEADERS.has(key)) {
      throw new BridgeError('usage', `The header ${name} is set by the protocol (${source}).`)
    }
    const content = value.trim()
    if (!/^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(content)) {
      throw new BridgeError('usage', `The value of ${name} cannot stand in a header (${source}).`)
    }
    headers[key] = content
  }
  for (const [variable, value] of Object.entries(env)) {
    const name = /^BRIDGE_HEADER_(.+)$/.exec(variable)?.[1]
    if (name !== undefined && value !== undefined) add(name.replaceAll('_', '-'), value, variable)
  }
  for (const file of list(values['header-file'])) {
    for (const line of headerLines(file)) addLine(line, file)
  }
  for (const line of list(values['header'])) addLine(line, '--header')

  function addLine(line: string, source: string): void {
    const colon = line.indexOf(':')
    // The line itself is not quoted: it is likely to hold a secret.
    if (colon < 1) throw new BridgeError('usage', `Not of the form "Name: value" (${source}).`)
    add(line.slice(0, colon), expand(line.slice(colon + 1), env, source), source)
  }
  return headers
}

function headerLines(file: string): string[] {
  let content: string
  try {
    content = readFileSync(file, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new BridgeError('header_file_unreadable', `Cannot read ${file} (${code}).`, { cause })
  }
  return content.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'))
}
