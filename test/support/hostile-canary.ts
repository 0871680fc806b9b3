import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** A place that must not be reached: it remembers every connection, also one that says nothing. */
export interface Canary {
  readonly origin: string
  readonly port: number
  /** What arrived, one entry per connection. */
  hits(): string[]
}

/** Starts a canary on loopback. To those who come it says `{}`, as a server of JSON does. */
export async function startCanary(): Promise<Canary> {
  const received: Buffer[][] = []
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    const chunks: Buffer[] = []
    received.push(chunks)
    sockets.add(socket)
    socket.on('error', () => {}) // cut by the other side
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      socket.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}')
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    hits: () => received.map((chunks) => Buffer.concat(chunks).toString('utf8')),
  }
}
