import { BridgeError } from '../errors.ts'
import { CONNECT_TIMEOUT_MS } from '../limits.ts'
import { durationMs, isOn, text, type Values } from '../option-values.ts'
import { NETWORK_OPTIONS } from './flags.ts'

/** How connections are made, to the MCP server and to its authorization servers alike. */
export interface NetworkOptions {
  readonly proxies: Proxies
  /** Certificate authorities to trust besides the default ones: a PEM file. */
  readonly caFile: string | undefined
  readonly systemCa: boolean
  /** The only certificate authorities to trust, whatever else is there: a PEM file of a policy. */
  readonly pinnedCaFile?: string | undefined
  /** Presented to every server that asks for one, the authorization server's included (RFC 8705). */
  readonly clientCertificate: ClientCertificate | undefined
  readonly connectTimeoutMs: number
  /** The only version of IP to use. */
  readonly family: 4 | 6 | undefined
  readonly cookies: boolean
  readonly http2: boolean
}

/** Where a client certificate and its key are; nothing has been read yet. */
export interface ClientCertificate {
  /** PEM, or PKCS #12 with the key in it. */
  readonly certFile: string
  /** PEM; `undefined`: the key is in the file of the certificate. */
  readonly keyFile: string | undefined
  readonly passphrase: string | undefined
}

/** The proxies by the scheme of the target, and what they are not used for. */
export interface Proxies {
  readonly http: Proxy | undefined
  readonly https: Proxy | undefined
  /** As in `NO_PROXY`. */
  readonly bypass: string
}

/** A proxy for tunnels (RFC 9110 §9.3.6). */
export interface Proxy {
  /** `http:` or `https:`; anything else is not supported. Without user name and password. */
  readonly url: URL
  /** The value of `Proxy-Authorization`: a secret. */
  readonly authorization: string | undefined
}

const NO_PROXIES: Proxies = { http: undefined, https: undefined, bypass: '' }

/** Reads the flags of the network; throws `BridgeError` for anything unusable. */
export function readNetworkOptions(values: Values, env: NodeJS.ProcessEnv): NetworkOptions {
  const variableOf = (name: string): string | undefined => {
    const variable = NETWORK_OPTIONS.find((option) => option.name === name)?.variable
    return variable === undefined ? undefined : env[variable]
  }
  const read = (name: string): string | undefined => {
    const value = text(values[name]) ?? variableOf(name)
    return value === '' ? undefined : value
  }
  const on = (name: string): boolean => values[name] === true || isOn(variableOf(name))
  return {
    proxies: proxiesOf(values, read('proxy'), env),
    caFile: read('ca'),
    systemCa: on('use-system-ca'),
    clientCertificate: clientCertificate(read, env),
    connectTimeoutMs: durationMs(read('connect-timeout')) ?? CONNECT_TIMEOUT_MS,
    family: familyOf(on('ipv4'), on('ipv6')),
    cookies: !on('no-cookies'),
    http2: http2Of(read('http2')),
  }
}

type Read = (name: string) => string | undefined

function proxiesOf(values: Values, given: string | undefined, env: NodeJS.ProcessEnv): Proxies {
  if (values['no-proxy'] === true) {
    if (text(values['proxy']) === undefined) return NO_PROXIES
    throw new BridgeError('usage', '--proxy and --no-proxy exclude each other.')
  }
  if (given === 'none') return NO_PROXIES
  const bypass = env['no_proxy'] || env['NO_PROXY'] || ''
  if (given !== undefined) {
    const proxy = proxyOf(given, '--proxy')
    if (!isSupported(proxy)) {
      throw new BridgeError('usage', `--proxy is a ${proxy.url.protocol}// address.`, {
        hint: 'Proxies are supported by http:// and https://.',
      })
    }
    return { http: proxy, https: proxy, bypass }
  }
  // As in curl: one variable per scheme of the target, then ALL_PROXY; the lower case wins, and
  // empty is as good as unset.
  const named = (...names: string[]): Proxy | undefined => {
    const name = names.find((candidate) => env[candidate])
    return name === undefined ? undefined : proxyOf(env[name]!, name)
  }
  // In a CGI program HTTP_PROXY is a header of the request: anybody's choice (CVE-2016-5385).
  const upper = env['REQUEST_METHOD'] === undefined ? ['HTTP_PROXY'] : []
  return {
    http: named('http_proxy', ...upper, 'all_proxy', 'ALL_PROXY'),
    https: named('https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'),
    bypass,
  }
}

/** Whether we know how to talk to it: SOCKS is another protocol. */
export function isSupported({ url }: Proxy): boolean {
  return url.protocol === 'http:' || url.protocol === 'https:'
}

function proxyOf(value: string, source: string): Proxy {
  // The value itself is not quoted: it is likely to hold a password.
  const unusable = (): BridgeError =>
    new BridgeError('usage', `Not the address of a proxy (${source}).`, {
      hint: 'Its form is http://user:password@host:port; special characters are percent-encoded.',
    })
  const spelled = /^[a-z][a-z\d+.-]*:\/\//i.test(value) ? value : `http://${value}`
  if (!URL.canParse(spelled)) throw unusable()
  const url = new URL(spelled)
  if (url.hostname === '') throw unusable()
  const { username, password } = url
  url.username = ''
  url.password = ''
  if (username === '' && password === '') return { url, authorization: undefined }
  try {
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    return { url, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
  } catch {
    throw unusable()
  }
}

function clientCertificate(read: Read, env: NodeJS.ProcessEnv): ClientCertificate | undefined {
  const certFile = read('cert')
  const keyFile = read('key')
  const variable = read('passphrase-env')
  if (certFile === undefined) {
    if (keyFile === undefined && variable === undefined) return undefined
    throw new BridgeError('usage', 'A key belongs to a certificate: the certificate is missing.', {
      hint: 'Pass --cert.',
    })
  }
  const passphrase = variable === undefined ? undefined : env[variable]
  if (variable !== undefined && !passphrase) {
    throw new BridgeError('usage', `${variable} is not set (--passphrase-env).`, {
      hint: `Add ${variable} to the environment of this entry in your host's configuration.`,
    })
  }
  return { certFile, keyFile, passphrase }
}

function familyOf(ipv4: boolean, ipv6: boolean): 4 | 6 | undefined {
  if (ipv4 && ipv6) throw new BridgeError('usage', '--ipv4 and --ipv6 exclude each other.')
  return ipv4 ? 4 : ipv6 ? 6 : undefined
}

function http2Of(value: string | undefined): boolean {
  if (value === undefined || value === 'off' || value === 'auto') return value === 'auto'
  throw new BridgeError('usage', `Unknown http2 ${value}.`, { hint: 'One of off, auto.' })
}
