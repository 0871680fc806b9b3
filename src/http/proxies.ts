import { BlockList, isIP } from 'node:net'
import { isLoopback } from '../hostnames.ts'
import type { Proxies, Proxy } from './options.ts'

/** What a connection is made to: `port` may be empty, an IPv6 address comes without brackets. */
export interface Target {
  readonly protocol: string
  readonly hostname: string
  readonly port: string
}

/**
 * The proxy for a target; `undefined` for a direct connection. This machine is always reached
 * directly: a proxy would look for it on its own side.
 */
export function proxyFor(
  { protocol, hostname, port }: Target,
  proxies: Proxies,
): Proxy | undefined {
  const proxy = protocol === 'https:' ? proxies.https : proxies.http
  if (proxy === undefined) return undefined
  const host = hostname.toLowerCase().replace(/\.$/, '')
  if (isLoopback(host) || host === '::1') return undefined
  const number = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
  return isBypassed(host, number, proxies.bypass) ? undefined : proxy
}

/**
 * The rules of `NO_PROXY` that programs agree on: a name stands for itself and for what lies below
 * it, with or without a dot or `*.` before it; a port narrows it down; `*` is everything; addresses
 * as they are or as a network in CIDR notation.
 */
function isBypassed(host: string, port: number, bypass: string): boolean {
  for (const entry of bypass.toLowerCase().split(/[\s,]+/)) {
    if (entry === '*') return true
    const { name, only } = partsOf(entry)
    if (name === '' || (only !== undefined && only !== port)) continue
    if (isIP(host) === 0 ? isBelow(host, name) : isWithin(host, name)) return true
  }
  return false
}

/** The name and the port of an entry; an IPv6 address may stand in brackets. */
function partsOf(entry: string): { name: string; only: number | undefined } {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:]+))(?::(?<port>\d+))?$/.exec(entry)
  const { v6, name, port } = match?.groups ?? {}
  return { name: v6 ?? name ?? entry, only: port === undefined ? undefined : Number(port) }
}

function isBelow(host: string, entry: string): boolean {
  const name = entry.replace(/^\*?\./, '').replace(/\.$/, '')
  return name !== '' && (host === name || host.endsWith(`.${name}`))
}

function isWithin(address: string, entry: string): boolean {
  const [network = '', prefix] = entry.split('/')
  const family = isIP(network)
  if (family !== isIP(address)) return false
  const bits = prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix)
  if (!Number.isInteger(bits) || bits < 0 || bits > (family === 4 ? 32 : 128)) return false
  const list = new BlockList()
  const type = family === 4 ? 'ipv4' : 'ipv6'
  list.addSubnet(network, bits, type)
  return list.check(address, type)
}
