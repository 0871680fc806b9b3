import { BlockList, isIP } from 'node:net'

/** Ranges that mean nothing, or something else, outside the network they are used in. */
const LOCAL_RANGES: readonly (readonly [string, number, 'ipv4' | 'ipv6'])[] = [
  ['0.0.0.0', 8, 'ipv4'], // this host (RFC 1122 §3.2.1.3)
  ['10.0.0.0', 8, 'ipv4'], // private (RFC 1918)
  ['100.64.0.0', 10, 'ipv4'], // carrier-grade NAT (RFC 6598)
  ['127.0.0.0', 8, 'ipv4'], // loopback
  ['169.254.0.0', 16, 'ipv4'], // link-local; the metadata service of every cloud
  ['172.16.0.0', 12, 'ipv4'], // private
  ['192.0.0.0', 24, 'ipv4'], // protocol assignments (RFC 6890)
  ['192.168.0.0', 16, 'ipv4'], // private
  ['198.18.0.0', 15, 'ipv4'], // benchmarks (RFC 2544)
  ['224.0.0.0', 3, 'ipv4'], // multicast, reserved, broadcast
  ['::', 128, 'ipv6'], // unspecified
  ['::1', 128, 'ipv6'], // loopback
  ['64:ff9b:1::', 48, 'ipv6'], // local translation to IPv4 (RFC 8215)
  ['fc00::', 7, 'ipv6'], // unique local (RFC 4193)
  ['fe80::', 10, 'ipv6'], // link-local
  ['ff00::', 8, 'ipv6'], // multicast
]

/** Prefixes of IPv6 addresses that carry an IPv4 address, and where it stands in them, in bytes. */
const EMBEDDED: readonly { readonly prefix: string; readonly at: number }[] = [
  { prefix: '00000000000000000000ffff', at: 12 }, // mapped (RFC 4291 §2.5.5.2)
  { prefix: '000000000000000000000000', at: 12 }, // compatible
  { prefix: '0064ff9b0000000000000000', at: 12 }, // translated (RFC 6052)
  { prefix: '2002', at: 2 }, // 6to4 (RFC 3056)
]

const local = new BlockList()
for (const [net, prefix, family] of LOCAL_RANGES) local.addSubnet(net, prefix, family)

/** Whether an IP address belongs to this machine or a network that is not the public one. */
export function isLocalAddress(address: string): boolean {
  const ip = address.replace(/%.*$/, '')
  if (isIP(ip) === 4) return local.check(ip, 'ipv4')
  if (local.check(ip, 'ipv6')) return true
  const hex = hexOf(ip)
  const embedded = EMBEDDED.find(({ prefix }) => hex.startsWith(prefix))
  if (embedded === undefined) return false
  const bytes = Buffer.from(hex, 'hex').subarray(embedded.at, embedded.at + 4)
  return local.check(bytes.join('.'), 'ipv4')
}

/** The 32 hexadecimal digits of an IPv6 address. */
function hexOf(ip: string): string {
  // The URL parser writes every address in one way, without an IPv4 tail.
  const [head = '', tail] = new URL(`http://[${ip}]`).hostname.slice(1, -1).split('::')
  const groups = (text: string): string[] =>
    text === '' ? [] : text.split(':').map((group) => group.padStart(4, '0'))
  const left = groups(head)
  const right = groups(tail ?? '')
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0000')
  return [...left, ...zeros, ...right].join('')
}

/** The IP address that stands in a URL's place of a host name. */
export function literalAddress(hostname: string): string | undefined {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(bare) === 0 ? undefined : bare
}
