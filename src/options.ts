import { readFileSync } from 'node:fs'
import { AUTH_OPTIONS } from './auth/flags.ts'
import { type Asks, type AuthOptions, readAuthOptions } from './auth/options.ts'
import { ERA_OPTIONS, type Protocol, PROTOCOLS } from './era/flags.ts'
import { BridgeError } from './errors.ts'
import { isLoopback } from './hostnames.ts'
import { NETWORK_OPTIONS } from './http/flags.ts'
import { type NetworkOptions, readNetworkOptions } from './http/options.ts'
import {
  durationMs,
  expand,
  givenOptions,
  isOn,
  isUnset,
  list,
  type OptionSpec,
  text,
  type Values,
} from './option-values.ts'
import { LINK_OPTIONS, type LinkOptions, readLinkOptions } from './remote/flags.ts'
import type { Strategy } from './remote/index.ts'
import { TRACE_OPTIONS } from './trace/flags.ts'
import { readTraceOptions, type TraceOptions } from './trace/options.ts'
import { readToolRules, TOOL_OPTIONS, type ToolRules } from './tools/options.ts'

/** Where sign-ins are kept. */
export type StoreChoice = 'file' | 'keychain' | 'keychain-only'

const STORES: readonly StoreChoice[] = ['file', 'keychain', 'keychain-only']

const STRATEGIES: readonly Strategy[] = [
  'auto',
  'http',
  'sse',
  'http-first',
  'sse-first',
  'http-only',
  'sse-only',
]

/** The options of the relay and of every command that talks to a server. */
export const SERVER_OPTIONS: readonly OptionSpec[] = [
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
    choices: STRATEGIES,
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
  ...LINK_OPTIONS,
  ...ERA_OPTIONS,
  ...AUTH_OPTIONS,
  ...NETWORK_OPTIONS,
  {
    name: 'store',
    value: 'file|keychain',
    variable: 'BRIDGE_STORE',
    help: "Keep sign-ins in a private file or in the system's keychain; keychain-only never uses the file. Default: file.",
    choices: STORES,
  },
  ...TOOL_OPTIONS,
  ...TRACE_OPTIONS,
  {
    name: 'silent',
    variable: 'BRIDGE_SILENT',
    help: 'Write nothing to stderr, not even the address of the sign-in page.',
  },
]

/** The options of every command. */
export const GENERAL_OPTIONS: readonly OptionSpec[] = [
  { name: 'help', short: 'h', help: 'Show this help, or that of a command.' },
  { name: 'version', help: 'Show the version; with --json also that of Node and the system.' },
  {
    name: 'no-color',
    variable: 'NO_COLOR',
    help: 'Print without colours; FORCE_COLOR prints them where there is no terminal.',
  },
]

/** A command line that names a server. */
interface ServerCommandLine {
  readonly command: string | undefined
  readonly values: Values
  readonly operands: readonly string[]
}

/** For machines: one JSON text on stdout, and failures as one JSON line on stderr. */
export const JSON_OPTION: OptionSpec = {
  name: 'json',
  help: 'Print JSON for programs; a failure is one line of JSON on stderr.',
}

/** What the way to a server needs to know from its user. */
export interface ServerOptions {
  readonly url: URL
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly strategy: Strategy
  readonly protocol: Protocol
  readonly timeoutMs: number | undefined
  readonly link: LinkOptions
  readonly auth: AuthOptions
  readonly network: NetworkOptions
  readonly store: StoreChoice
  /** Names of the options that are set, by flag or variable. */
  readonly given: readonly string[]
  readonly tools: ToolRules
  /** Whether stderr is to stay empty. */
  readonly silent: boolean
  /** `undefined`: nothing is recorded. */
  readonly trace: TraceOptions | undefined
}

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

/**
 * Reads what a command line and the environment say about a server and the way to it.
 * Throws `BridgeError` for anything unusable.
 *
 * @param asks who waits for the sign-in, if one is needed
 */
export function readServerOptions(
  { command, values, operands: [target, ...rest] }: ServerCommandLine,
  env: NodeJS.ProcessEnv,
  asks: Asks = 'a host',
): ServerOptions {
  if (target === undefined) {
    const usage = `Usage: bridge ${command === undefined ? '' : `${command} `}<server_url>`
    throw new BridgeError('usage', 'No server URL.', { hint: usage })
  }
  if (rest.length > 0)
    throw new BridgeError('usage', `One server URL only; ${rest[0]} is too much.`)
  const allowHttp = values['allow-http'] === true || isOn(env['BRIDGE_ALLOW_HTTP'])
  const network = readNetworkOptions(values, env)
  const certificate = network.clientCertificate !== undefined
  return Object.freeze({
    url: serverUrl(target, allowHttp),
    headers: readHeaders(values, env),
    strategy: oneOf(
      STRATEGIES,
      'transport',
      text(values['transport']) ?? env['BRIDGE_TRANSPORT'] ?? 'auto',
    ),
    protocol: oneOf(
      PROTOCOLS,
      'protocol',
      text(values['protocol']) ?? env['BRIDGE_PROTOCOL'] ?? 'auto',
    ),
    timeoutMs: durationMs(text(values['timeout']) ?? env['BRIDGE_TIMEOUT']),
    auth: readAuthOptions(values, env, allowHttp, asks, certificate),
    network,
    link: readLinkOptions(values, env),
    store: oneOf(STORES, 'store', text(values['store']) ?? env['BRIDGE_STORE'] ?? 'file'),
    tools: readToolRules(values, env),
    silent: values['silent'] === true || isOn(env['BRIDGE_SILENT']),
    given: givenOptions(SERVER_OPTIONS, values, env),
    trace: readTraceOptions(values, env),
  })
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
    if (name === undefined || value === undefined || isUnset(value)) continue
    add(name.replaceAll('_', '-'), value, variable)
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
