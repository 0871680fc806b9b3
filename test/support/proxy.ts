import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket, TlsOptions } from 'node:tls'
import { onTestFinished } from 'vitest'

/** A real forward proxy on loopback. */
export interface TestProxy {
  /** Without user name and password. */
  readonly url: string
  /** Host and port. */
  readonly host: string
  /** Every target that a tunnel was asked for, in order, whatever was answered. */
  readonly asked: readonly string[]
  /** The names in the certificates that clients have shown to a proxy that asked for them. */
  readonly shown: readonly unknown[]
}

/** What a proxy does. */
export interface ProxyOptions {
  /** The only user name and password that it takes; default: it does not ask. */
  readonly credentials?: string
  /** What it answers instead of making tunnels; `mute`: nothing. */
  readonly refuse?: number | 'mute'
  /** Where the names of the outer world are on this machine; others are connected as they are. */
  readonly routes?: Readonly<Record<string, string>>
  /** Speaks TLS itself. */
  readonly tls?: TlsOptions
}

/** Starts a proxy for CONNECT (RFC 9110 §9.3.6); it ends with the test. */
export async function startProxy(options: ProxyOptions = {}): Promise<TestProxy> {
  const { credentials, refuse, routes = {}, tls } = options
  const asked: string[] = []
  const shown: unknown[] = []
  const sockets = new Set<Duplex>()
  const keep = <T extends Duplex>(socket: T): T => {
    sockets.add(socket)
    return socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy())
  }

  function onConnect(request: IncomingMessage, client: Duplex, head: Buffer): void {
    const target = request.url ?? ''
    asked.push(target)
    keep(client)
    if (refuse === 'mute') return
    const expected = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`
    if (expected !== undefined && request.headers['proxy-authorization'] !== expected) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n')
      return
    }
    if (refuse !== undefined) {
      client.end(`HTTP/1.1 ${refuse} Refused\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    const { hostname, port } = new URL(`http://${routes[target] ?? target}`)
    const server: Socket = keep(
      connect(Number(port || 80), hostname, () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n')
        server.write(head)
        server.pipe(client).pipe(server)
      }),
    )
    client.on('close', () => server.destroy())
    server.on('close', () => client.destroy())
  }

  const forbid = (
    _request: IncomingMessage,
    response: { writeHead(status: number): { end(): void } },
  ): void => response.writeHead(405).end()
  const server = tls === undefined ? createServer(forbid) : createTlsServer(tls, forbid)
  server.on('connect', onConnect)
  server.on('secureConnection', (socket: TLSSocket) => {
    shown.push(socket.getPeerCertificate().subject?.CN)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
    server.closeAllConnections()
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url: `${tls === undefined ? 'http' : 'https'}://${host}`, host, asked, shown }
}
