import { createHash } from 'node:crypto'
import { list, text, type Values } from '../option-values.ts'

/** What the arguments of mcp-remote come to here. */
export interface Translation {
  readonly url: string | undefined
  readonly values: Values
  /** What is left out and why it is not missed, or what is different, one line each. */
  readonly notes: readonly string[]
}

/** What a flag of mcp-remote 0.15.1 comes to. */
interface Flag {
  /** Whether a value follows. */
  readonly valued?: true
  /** Our options with the same meaning. */
  readonly values?: (value: string) => Values
  /** Said, when it is left out. */
  readonly note?: string
}

const same = (name: string): Flag => ({ valued: true, values: (value) => ({ [name]: value }) })
const several = (name: string): Flag => ({ valued: true, values: (value) => ({ [name]: [value] }) })
const on = (name: string): Flag => ({ values: () => ({ [name]: true }) })
const needless = (note: string): Flag => ({ note })

/** The flags of mcp-remote 0.15.1. */
const FLAGS: Readonly<Record<string, Flag>> = {
  header: several('header'),
  'header-file': several('header-file'),
  'allow-http': on('allow-http'),
  transport: same('transport'),
  resource: {
    valued: true,
    values: (value) => (value.trim() === '' ? { 'no-resource': true } : { resource: value.trim() }),
  },
  'disable-resource-parameter': on('no-resource'),
  'authorize-param': several('authorize-param'),
  'static-oauth-client-info': same('static-oauth-client-info'),
  'static-oauth-client-metadata': same('static-oauth-client-metadata'),
  'client-metadata-url': same('client-metadata-url'),
  'device-code': on('device-code'),
  'client-credentials': on('client-credentials'),
  host: same('callback-host'),
  'callback-path': same('callback-path'),
  'auth-timeout': same('auth-timeout'),
  'ignore-tool': several('ignore-tool'),
  debug: on('debug'),
  silent: on('silent'),
  'disable-cookies': on('no-cookies'),
  ipv4: on('ipv4'),
  'connect-timeout': same('connect-timeout'),
  'ping-interval': same('ping-interval'),
  // What it means there: a ping every 30 s.
  'keep-alive': { values: () => ({ 'ping-interval': '30s' }) },
  'enable-proxy': needless('the proxy variables of the environment are always honoured'),
  protocol: same('protocol'),
  'auth-success-url': same('auth-success-url'),
  'headers-timeout': { valued: true },
  'body-timeout': { valued: true },
  'use-id-token': on('use-id-token'),
  'token-endpoint': same('token-endpoint'),
}

/** What the translation needs to know about the machine. */
interface Surroundings {
  readonly platform: NodeJS.Platform
}

/** Translates the arguments of mcp-remote. */
export function fromMcpRemote(args: readonly string[], { platform }: Surroundings): Translation {
  const notes: string[] = []
  const values: Values = {}
  const operands: string[] = []
  const raw: Record<string, string> = {}
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!
    if (!word.startsWith('--')) {
      operands.push(word)
      continue
    }
    const name = word.slice(2)
    const flag = Object.hasOwn(FLAGS, name) ? FLAGS[name]! : undefined
    if (flag === undefined) {
      notes.push(`${word} is left out: mcp-remote does not know it either`)
      continue
    }
    const value = flag.valued === true ? args[++at] : ''
    if (value === undefined) continue // mcp-remote ignores a flag without its value
    raw[name] ??= value
    const ours = flag.values?.(value)
    if (ours !== undefined) add(ours)
    else if (flag.note !== undefined) notes.push(`${word} is left out: ${flag.note}`)
  }
  const [url, port, ...rest] = operands
  silence()
  callback()
  for (const word of rest) notes.push(`${word} is left out: mcp-remote ignores it`)
  return { url, values, notes }

  function add(ours: Values): void {
    for (const [name, value] of Object.entries(ours)) {
      // Of a flag that counts once, mcp-remote takes the first.
      if (Array.isArray(value)) values[name] = [...list(values[name]), ...value]
      else values[name] ??= value
    }
  }

  /** Two limits for silence there, one here: the longer one, and 0 is none. */
  function silence(): void {
    const limits = [raw['headers-timeout'], raw['body-timeout']].flatMap((limit) =>
      limit === undefined ? [] : [Number(limit)],
    )
    if (limits.length === 0 || !limits.every((limit) => limit > 0)) return
    values['timeout'] = String(Math.max(...limits))
  }

  /** A client that was registered beforehand has one address to come back to: mcp-remote's. */
  function callback(): void {
    const browserless = values['device-code'] === true || values['client-credentials'] === true
    const specified = /^\d+/.exec(port ?? '')?.[0]
    if (port !== undefined && specified === undefined) {
      notes.push(`${port} is left out: mcp-remote ignores it`)
    }
    const registered = text(values['static-oauth-client-info']) !== undefined
    if (browserless || (specified === undefined && !registered)) return
    const derived = url === undefined ? undefined : derivedPort(url, values)
    values['callback-port'] = specified ?? derived
    values['callback-host'] ??= platform === 'win32' ? '127.0.0.1' : 'localhost'
    values['callback-path'] ??= '/oauth/callback'
  }
}

/** The port that mcp-remote comes to from the server and some settings when none is specified. */
function derivedPort(url: string, values: Values): string {
  const resource = text(values['resource'])
  const metadata = text(values['client-metadata-url'])
  const params = pairs(list(values['authorize-param']), /^([^=]+)=(.*)$/s)
  const headers = pairs(list(values['header']), /^([\w-]+):\s*(.*)$/)
  const sorted = (object: Record<string, string>): string[] =>
    Object.keys(object).length === 0 ? [] : [JSON.stringify(object, Object.keys(object).sort())]
  const parts = [
    url,
    ...(resource === undefined ? [] : [resource]),
    ...sorted(params),
    ...sorted(headers),
    ...(metadata === undefined ? [] : [metadata]),
  ]
  const hash = createHash('md5').update(parts.join('|')).digest('hex')
  return String(3335 + (Number.parseInt(hash.slice(0, 4), 16) % 45_816))
}

function pairs(lines: readonly string[], form: RegExp): Record<string, string> {
  const found = lines.flatMap((line) => {
    const match = form.exec(line)
    return match === null ? [] : [[match[1]!.trim(), match[2]!] as const]
  })
  return Object.fromEntries(found)
}
