import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { TLSSocket, TlsOptions } from 'node:tls'
import type { AddressInfo, Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Message } from './bridge.ts'

/** One request that reached the server. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
  /** The body as JSON; `undefined` when it is none. */
  readonly message: Message | undefined
}

/** A real HTTP server on loopback whose behaviour a test writes. */
export interface TestServer {
  readonly url: string
  readonly origin: string
  /** Every request so far, in order of arrival. */
  readonly seen: readonly Seen[]
  readonly sockets: ReadonlySet<Socket>
  /** Hears of every TLS connection. */
  onSecure(listener: (socket: TLSSocket) => void): void
  close(): Promise<void>
}

/** Where a server listens; with TLS when there is a certificate. */
export interface ServerOptions {
  readonly port?: number
  readonly path?: string
  readonly tls?: TlsOptions
  readonly host?: string
}

/** Starts a server; the handler gets each request with its whole body. It is closed after the test. */
export async function startServer(
  handler: (request: Seen, response: ServerResponse) => void | Promise<void>,
  { port = 0, path = '/mcp', tls, host = '127.0.0.1' }: ServerOptions = {},
): Promise<TestServer> {
  const seen: Seen[] = []
  const sockets = new Set<Socket>()
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      const entry: Seen = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body,
        message: parse(body),
      }
      seen.push(entry)
      void Promise.resolve(handler(entry, response)).catch((error: unknown) => {
        response.destroy(error as Error)
      })
    })
  }
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => {
    server.listen(port, host, resolve)
  })
  const origin = `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  onTestFinished(close)
  const onSecure: TestServer['onSecure'] = (hear) => void server.on('secureConnection', hear)
  return { url: origin + path, origin, seen, sockets, onSecure, close }
}

/** Answers with a JSON body. */
export function json(
  response: ServerResponse,
  body: unknown,
  { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body))
}

/** An InitializeResult for a request. */
export function initializeResult(id: unknown, protocolVersion = '2025-11-25'): object {
  const serverInfo = { name: 'test-server', version: '1.0.0' }
  const capabilities = { tools: { listChanged: true } }
  return { jsonrpc: '2.0', id, result: { protocolVersion, capabilities, serverInfo } }
}

function parse(body: Buffer): Message | undefined {
  try {
    return JSON.parse(body.toString('utf8')) as Message
  } catch {
    return undefined
  }
}
