import type { Socket } from 'node:net'
import { callbackify } from 'node:util'
import type { buildConnector } from 'undici'
import buildConnectorByUndici from 'undici/lib/core/connect.js'
import { FAMILY_ATTEMPT_MS, MAX_REMEMBERED_ORIGINS, TCP_KEEP_ALIVE_MS } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Certificates } from './certificates.ts'
import { consult, lookupBy, type Resolve } from './names.ts'
import type { NetworkOptions, Proxy } from './options.ts'
import { proxyFor } from './proxies.ts'

/** Makes the connections of the program, directly or through a proxy. */
export interface Network {
  /** Whether the user wants HTTP/2 where a server offers it. */
  readonly http2: boolean
  /** What undici calls for each new connection. */
  connector(needs?: ConnectorNeeds): buildConnector.connector
}

/** What is different about the connections of one client. */
interface ConnectorNeeds {
  /** Asked for addresses in place of the system; has the right to refuse one. */
  readonly resolve?: Resolve
  /** Whether HTTP/2 may be spoken. */
  readonly http2?: boolean
}

/** Prepares connections; reads certificates when there are any to read. */
export async function openNetwork(
  options: NetworkOptions,
  env: NodeJS.ProcessEnv,
  log: Log,
): Promise<Network> {
  const { caFile, systemCa, pinnedCaFile, clientCertificate } = options
  const files = [caFile, pinnedCaFile, clientCertificate]
  const plain = !systemCa && files.every((file) => file === undefined)
  if (plain) return createNetwork(options, log)
  const { readCertificates } = await import('./certificates.ts')
  return createNetwork(options, log, readCertificates(options, env))
}

/** The network with certificates that have been read. */
export function createNetwork(
  { proxies, connectTimeoutMs, family, http2 }: NetworkOptions,
  log: Log,
  certificates?: Certificates,
): Network {
  const told = new Map<string, string>()

  function tell(target: buildConnector.Options, socket: Socket, proxy: string | undefined): void {
    const { protocol, hostname, port } = target
    const origin = `${protocol}//${hostname}${port === '' ? '' : `:${port}`}`
    const http = 'alpnProtocol' in socket && socket.alpnProtocol === 'h2' ? 'HTTP/2' : 'HTTP/1.1'
    // The family of a tunnel is that of the way to the proxy.
    const change = { origin, proxy, http, family: socket.remoteFamily }
    const text = JSON.stringify(change)
    if (told.get(origin) === text) return
    remember(told, origin, text)
    log.state({ part: 'network', what: 'connected', ...change })
  }

  return {
    http2,
    connector({ resolve, http2: multiplexed = false } = {}) {
      // undici keeps TLS sessions by weak references only; without this a collection forgets them.
      const sessions = new Map<string, Buffer>()
      const connect = buildConnectorByUndici({
        timeout: connectTimeoutMs,
        keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
        autoSelectFamily: true,
        autoSelectFamilyAttemptTimeout: FAMILY_ATTEMPT_MS,
        allowH2: multiplexed,
        ...(family === undefined ? {} : { family }),
        ...(resolve === undefined ? {} : { lookup: lookupBy(resolve, family) }),
        ...(certificates === undefined ? {} : { secureContext: certificates.secureContext }),
      })

      function open(
        target: buildConnector.Options,
        callback: buildConnector.Callback,
        proxy?: string,
      ): void {
        const kept = target.servername ?? target.hostname
        const socket = connect(target, (...result) => {
          if (result[0] === null) tell(target, result[1], proxy)
          callback(...result)
        })
        // An alert behind the handshake does not end the socket, and undici would report the end that
        // follows: `certificate required` comes like this in TLS 1.3 (RFC 8446 §4.4.2.4).
        socket.on('error', (error) => socket.destroy(error))
        socket.on('session', (session: Buffer) => remember(sessions, kept, session))
      }

      async function tunnel(proxy: Proxy, target: buildConnector.Options): Promise<Socket> {
        if (resolve !== undefined) await consult(resolve, target.hostname)
        const { openTunnel } = await import('./tunnel.ts')
        const socket = await openTunnel(proxy, target, {
          timeoutMs: connectTimeoutMs,
          family,
          autoSelectFamilyAttemptTimeout: FAMILY_ATTEMPT_MS,
          ca: certificates?.ca,
        })
        return socket.setNoDelay(true).setKeepAlive(true, TCP_KEEP_ALIVE_MS)
      }

      const tunnelByCallback = callbackify(tunnel)

      return (target, callback) => {
        const proxy = proxyFor(target, proxies)
        if (proxy === undefined) {
          open(target, callback)
          return
        }
        const { host } = proxy.url
        tunnelByCallback(proxy, target, (error, socket) => {
          if (error !== null) callback(error, null)
          else if (target.protocol === 'https:') {
            open({ ...target, httpSocket: socket }, callback, host)
          } else {
            tell(target, socket, host)
            callback(null, socket)
          }
        })
      }
    },
  }
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  if (map.size >= MAX_REMEMBERED_ORIGINS) map.clear()
  map.set(key, value)
}
