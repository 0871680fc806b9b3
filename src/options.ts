import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { AUTH_OPTIONS } from './auth/flags.ts'
import { type AuthOptions, readAuthOptions } from './auth/options.ts'
import { BridgeError } from './errors.ts'
import { isLoopback } from './hostnames.ts'
import {
  durationMs,
  expand,
  isOn,
  list,
  type OptionSpec,
  text,
  type Values,
} from './option-values.ts'
import type { Strategy } from './remote/index.ts'

/** The flags of the relay. */
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
}

/** What the command line asks for. */
export type Invocation =
  | { readonly command: 'relay'; readonly options: RelayOptions }
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
  const { values, positionals } = parse(argv)
  if (values['help'] === true) return { command: 'help' }
  if (values['version'] === true) return { command: 'version' }
  const [target, ...rest] = positionals
  if (target === undefined) {
    throw new BridgeError('usage', 'No server URL.', { hint: 'Usage: bridge <server_url>' })
  }
  if (rest.length > 0)
    throw new BridgeError('usage', `One server URL only; ${rest[0]} is too much.`)
  const allowHttp = values['allow-http'] === true || isOn(env['BRIDGE_ALLOW_HTTP'])
  return {
    command: 'relay',
    options: Object.freeze({
      url: serverUrl(target, allowHttp),
      headers: readHeaders(values, env),
      strategy: strategyOf(text(values['transport']) ?? env['BRIDGE_TRANSPORT'] ?? 'auto'),
      timeoutMs: durationMs(text(values['timeout']) ?? env['BRIDGE_TIMEOUT']),
      auth: readAuthOptions(values, env, allowHttp),
    }),
  }
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
    const near = nearest(unknown.replace(/^-+/, ''))
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

function strategyOf(word: string): Strategy {
  const strategy = STRATEGIES.find((known) => known === word)
  if (strategy !== undefined) return strategy
  const hint = `One of ${STRATEGIES.join(', ')}.`
  throw new BridgeError('usage', `Unknown transport ${word}.`, { hint })
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

/** The known option that a typing error may have meant. */
function nearest(unknown: string): string | undefined {
  const ranked = OPTIONS.map(({ name }) => ({ name, distance: editDistance(unknown, name) }))
  ranked.sort((a, b) => a.distance - b.distance)
  const [best] = ranked
  return best !== undefined && best.distance <= Math.max(2, best.name.length / 3)
    ? best.name
    : undefined
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
