import { request as requestByHttp } from 'node:http'
import { request as requestByHttps } from 'node:https'
import { isIP, type Socket } from 'node:net'
import { ProxyFailure } from '../errors.ts'
import { isSupported, type Proxy } from './options.ts'
import type { Target } from './proxies.ts'

/** How the proxy itself is reached. */
export interface TunnelOptions {
  /** From the first packet to the proxy's answer. */
  readonly timeoutMs: number
  readonly family: 4 | 6 | undefined
  readonly autoSelectFamilyAttemptTimeout: number
  /** Certificate authorities for a proxy that is itself spoken to over TLS; default: Node's. */
  readonly ca: readonly string[] | undefined
}

/**
 * Makes a proxy connect us to the target (RFC 9110 §9.3.6), http:// targets included: what is inside
 * stays the business of both ends. Rejects with `ProxyFailure`.
 */
export function openTunnel(proxy: Proxy, target: Target, options: TunnelOptions): Promise<Socket> {
  const { host, protocol, hostname, port } = proxy.url
  return new Promise((resolve, reject) => {
    if (!isSupported(proxy)) {
      reject(new ProxyFailure('ERR_PROXY_UNSUPPORTED', host))
      return
    }
    const name = target.hostname.includes(':') ? `[${target.hostname}]` : target.hostname
    const authority = `${name}:${target.port || (target.protocol === 'https:' ? 443 : 80)}`
    const { authorization } = proxy
    const proxyHost = hostname.replace(/^\[(.*)\]$/, '$1')
    const connect = {
      method: 'CONNECT',
      path: authority,
      agent: false,
      host: proxyHost,
      ...(port === '' ? {} : { port }),
      headers: {
        host: authority,
        ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }),
      },
      ...(options.family === undefined ? {} : { family: options.family }),
      autoSelectFamilyAttemptTimeout: options.autoSelectFamilyAttemptTimeout,
    }
    const request =
      protocol === 'https:'
        ? requestByHttps({
            ...connect,
            // Node would take the target's name from the header; no name for an address (RFC 6066 §3).
            servername: isIP(proxyHost) === 0 ? proxyHost : '',
            ...(options.ca && { ca: [...options.ca] }),
          })
        : requestByHttp(connect)
    const timer = setTimeout(() => {
      request.destroy(new ProxyFailure('ERR_PROXY_TIMEOUT', host))
    }, options.timeoutMs)
    request.on('error', (error) => {
      clearTimeout(timer)
      const known = error instanceof ProxyFailure
      reject(known ? error : new ProxyFailure('ERR_PROXY_UNREACHABLE', host, { cause: error }))
    })
    request.on('connect', ({ statusCode = 0 }, socket: Socket, head) => {
      clearTimeout(timer)
      if (statusCode >= 200 && statusCode < 300) {
        if (head.length > 0) socket.unshift(head)
        resolve(socket)
        return
      }
      socket.destroy()
      const code =
        statusCode !== 407
          ? 'ERR_PROXY_REFUSED'
          : authorization === undefined
            ? 'ERR_PROXY_CREDENTIALS_MISSING'
            : 'ERR_PROXY_CREDENTIALS_REFUSED'
      reject(new ProxyFailure(code, host, { reason: `HTTP ${statusCode}` }))
    })
    request.end()
  })
}
