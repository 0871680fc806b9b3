import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A way to a server that a test can take away. */
export interface TcpProxy {
  readonly port: number
  /** The connections so far. */
  readonly count: number
  /** From now on nothing goes through the connections that there are, and nobody is told. */
  forget(): void
  /** Where new connections go. */
  target(port: number): void
  /** Whether new connections are made. */
  refuse(refused: boolean): void
  /** Resets every connection. */
  cut(): void
}

/** Relays TCP connections to a port on loopback; closed after the test. */
export async function startTcpProxy(port: number): Promise<TcpProxy> {
  let target = port
  let refused = false
  let count = 0
  const pairs = new Set<readonly [Socket, Socket]>()
  const server = createServer((inside) => {
    if (refused) {
      inside.resetAndDestroy()
      return
    }
    count++
    const outside = connect(target, '127.0.0.1')
    const pair = [inside, outside] as const
    pairs.add(pair)
    inside.pipe(outside)
    outside.pipe(inside)
    for (const socket of pair) {
      socket.on('error', () => {})
      socket.on('close', () => {
        pairs.delete(pair)
        for (const other of pair) other.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => {
    server.close()
    for (const pair of pairs) for (const socket of pair) socket.destroy()
  })
  return {
    port: (server.address() as AddressInfo).port,
    get count() {
      return count
    },
    forget() {
      for (const [inside, outside] of pairs) {
        inside.unpipe(outside)
        outside.unpipe(inside)
        inside.resume()
        outside.resume()
      }
    },
    target(next) {
      target = next
    },
    refuse(now) {
      refused = now
    },
    cut() {
      for (const [inside] of pairs) inside.resetAndDestroy()
    },
  }
}
