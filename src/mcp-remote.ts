import type { CommandLine } from './commands/table.ts'
import type { OptionSpec, Values } from './option-values.ts'
import { durationMs, text } from './option-values.ts'
import { SERVER_OPTIONS } from './options.ts'

/**
 * The options of mcp-remote 0.15.1 that have another name here, or no work to do: an entry of a host's
 * configuration runs unchanged when `mcp-remote` in it is replaced. docs/migrate-from-mcp-remote.md has
 * all of them. `--help` leaves them out.
 */
interface AdoptedOption extends OptionSpec {
  /** Our options that mean the same, with their values; `undefined` values change nothing. */
  readonly means?: (value: string | true) => Values
  /** Why there is nothing to do, as one line for stderr. */
  readonly idle?: string
}

/** A row each; where `SERVER_OPTIONS` has the same name, that one counts. */
export const ADOPTED_OPTIONS: readonly AdoptedOption[] = [
  {
    name: 'host',
    value: 'name',
    help: 'The name that the browser comes back to.',
    means: (value) => ({ 'callback-host': value }),
  },
  {
    name: 'disable-resource-parameter',
    help: 'Ask for tokens without naming a resource.',
    means: () => ({ 'no-resource': true }),
  },
  {
    name: 'headers-timeout',
    value: 'seconds',
    help: 'Give up when the server does not begin to answer.',
  },
  {
    name: 'body-timeout',
    value: 'seconds',
    help: 'Give up when the server goes silent inside an answer.',
  },
  // src/cli.ts looks for it on the command line itself: a failure may come before any option is read.
  { name: 'debug', help: 'Say more.' },
  {
    name: 'disable-cookies',
    help: 'Send no cookies.',
    means: () => (known('no-cookies') ? { 'no-cookies': true } : {}),
  },
  {
    name: 'enable-proxy',
    help: 'Use the proxy of the environment.',
    idle: 'the proxy variables of the environment are honoured without it',
  },
  {
    name: 'connect-timeout',
    value: 'seconds',
    help: 'Longest time to connect.',
    idle: 'a connection that takes longer than 10 s is given up',
  },
  {
    name: 'ipv4',
    help: 'Connect over IPv4 only.',
    idle: 'the addresses of a name are tried one after the other',
  },
  {
    name: 'keep-alive',
    help: 'Ping the server.',
    means: () => (known('ping-interval') ? { 'ping-interval': '30s' } : {}),
    idle: 'a broken connection is noticed and replaced without it',
  },
  {
    name: 'ping-interval',
    value: 'seconds',
    help: 'Ping the server this often.',
    idle: 'a broken connection is noticed and replaced without it',
  },
  {
    name: 'protocol',
    value: 'legacy|auto',
    help: 'The revision of the protocol.',
    idle: 'the revision is that of your host, or of the server',
  },
]

function known(name: string): boolean {
  return SERVER_OPTIONS.some((option) => option.name === name)
}

/**
 * Puts our options in the place of those of mcp-remote, and its port behind the URL where ours is.
 * An option of ours that is given as well wins.
 */
export function adopt(line: CommandLine): CommandLine {
  const values: Values = { ...line.values }
  const notes = [...line.notes]
  for (const { name, means, idle } of ADOPTED_OPTIONS) {
    const value = values[name]
    if (value === undefined || known(name)) continue
    delete values[name]
    const meant = means?.(typeof value === 'string' ? value : true) ?? {}
    for (const [ours, its] of Object.entries(meant)) values[ours] ??= its
    if (idle !== undefined && Object.keys(meant).length === 0)
      notes.push(`--${name} is not needed here: ${idle}.`)
  }
  return { ...line, ...ported(withTimeout(values, line.values), line.operands), notes }
}

/** `--resource ''` is how mcp-remote leaves the parameter out; the longer silence is the one allowed. */
function withTimeout(
  values: Values,
  { 'headers-timeout': headers, 'body-timeout': body }: Values,
): Values {
  const { resource, ...others } = values
  const rest = resource === '' ? { ...others, 'no-resource': true } : values
  const limits = [text(headers), text(body)].filter((limit) => limit !== undefined)
  // 0 is mcp-remote's word for no limit, which is what we have without any.
  if (limits.length === 0 || limits.some((limit) => Number(limit) === 0)) return rest
  const longest = limits.reduce((a, b) => (durationMs(a)! >= durationMs(b)! ? a : b))
  return { ...rest, timeout: rest['timeout'] ?? longest }
}

function ported(
  values: Values,
  operands: readonly string[],
): Pick<CommandLine, 'values' | 'operands'> {
  const [url, port, ...more] = operands
  if (url === undefined || port === undefined || !/^\d{1,5}$/.test(port))
    return { values, operands }
  return {
    values: { ...values, 'callback-port': values['callback-port'] ?? port },
    operands: [url, ...more],
  }
}
