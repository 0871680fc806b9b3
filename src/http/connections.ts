import diagnostics from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { MAX_TRUSTED_IDLE_MS } from '../limits.ts'

/**
 * The connections of the pool: which of them are idle, since when, and for how long the server is
 * known to leave an idle one open. undici tells the socket of a request on its documented diagnostics channel, in the
 * same turn in which it starts the request.
 */
export interface Connections {
  /** A request is about to be written to a connection. */
  starting(use: Use): void
  /** Takes the server's promise of how long it keeps an idle connection (RFC 2068 §19.7.1). */
  promised(keepAlive: string | string[] | undefined): void
  /** Its response has ended, or never will come. */
  ended(use: Use): void
  /**
   * Ends the connections that the server is likely to close in this moment, for a request that must
   * not be sent twice: one that crosses with the server's FIN may have been read or not.
   */
  dropDoubtful(mayRepeat: () => boolean): void
  /** Ends every idle connection. */
  reset(): void
  /** Takes note of all connections; the result ends those on which nothing has come since. */
  suspect(): (error: Error) => void
  /**
   * Ends the connections from addresses that this machine no longer has: nothing can come on them,
   * and what was sent would be repeated by the system for a quarter of an hour.
   *
   * @returns how many they were
   */
  dropOrphans(addresses: ReadonlySet<string>): number
  close(): void
}

/** One request's use of a connection. */
export interface Use {
  socket?: Socket | undefined
  /** Called when it is written to a connection that had been idle for so long. */
  reused?: (idleMs: number) => void
  watch?: Watch | undefined
}

/** Somebody who decides what becomes of a request's end. */
export interface Watch {
  /** It is answered; whether that counts. */
  answered(): boolean
  /** It has failed; whether that counts. */
  failed(): boolean
}

interface Entry {
  busy: number
  idleSince: number
}

/** This share of the server's idle time is safe: timers and packets are late on busy machines. */
const SAFE_SHARE = 0.5

/** No server was seen to close a connection that was idle for less. */
export const SAFE_IDLE_MS = 20

/** A table that learns from what happens to the connections of this process. */
export function createConnections(
  // Monotonic, and there already: the global `performance` loads a dozen modules.
  now: () => number = () => process.uptime() * 1000,
): Connections {
  const sockets = new Map<Socket, Entry>()
  /** The shortest time after which the server has closed an idle connection. */
  let closedMs = Infinity
  /** The longest time for which it has left one open, or promised to. */
  let keptMs = 0
  let next: Use | undefined

  function onSendHeaders(message: unknown): void {
    if (next === undefined) return
    const { socket } = message as { socket: Socket }
    const use = next
    use.socket = socket
    next = undefined
    const entry = sockets.get(socket)
    if (entry === undefined) {
      add(socket)
      return
    }
    if (entry.busy === 0) {
      const idleMs = now() - entry.idleSince
      keptMs = Math.max(keptMs, idleMs)
      use.reused?.(idleMs)
    }
    entry.busy++
  }

  function add(socket: Socket): void {
    const entry = { busy: 1, idleSince: Infinity }
    sockets.set(socket, entry)
    socket.once('end', () => {
      if (entry.busy === 0) closedMs = Math.min(closedMs, now() - entry.idleSince)
    })
    socket.once('close', () => sockets.delete(socket))
  }

  diagnostics.subscribe('undici:client:sendHeaders', onSendHeaders)
  return {
    starting(use) {
      next = use
    },
    promised(keepAlive) {
      if (typeof keepAlive !== 'string') return
      const seconds = /\btimeout=(\d+)/i.exec(keepAlive)?.[1]
      if (seconds !== undefined) keptMs = Math.max(keptMs, Number(seconds) * 1000)
    },
    ended(use) {
      if (next === use) next = undefined
      const entry = use.socket && sockets.get(use.socket)
      use.socket = undefined
      if (entry === undefined) return
      entry.busy--
      entry.idleSince = now()
    },
    dropDoubtful(mayRepeat) {
      const knownMs = Math.max(SAFE_IDLE_MS, SAFE_SHARE * Math.min(closedMs, keptMs))
      const safeMs = Math.min(knownMs, MAX_TRUSTED_IDLE_MS)
      const time = now()
      for (const [socket, { busy, idleSince }] of sockets) {
        const idleMs = time - idleSince
        if (busy > 0 || idleMs <= safeMs || mayRepeat()) continue
        keptMs = Math.max(keptMs, idleMs)
        socket.destroy()
      }
    },
    reset() {
      for (const [socket, { busy }] of sockets) if (busy === 0) socket.destroy()
    },
    suspect() {
      const seen = [...sockets.keys()].map((socket) => ({ socket, bytes: socket.bytesRead }))
      return (error) => {
        for (const { socket, bytes } of seen) {
          if (socket.bytesRead === bytes) socket.destroy(error)
        }
      }
    },
    dropOrphans(addresses) {
      let count = 0
      for (const socket of sockets.keys()) {
        const local = socket.localAddress?.replace(/^::ffff:/, '')
        // The loopback network has more addresses than its interface names.
        if (local === undefined || local.startsWith('127.') || addresses.has(local)) continue
        socket.destroy(Object.assign(new Error('the network changed'), { code: 'ENETDOWN' }))
        count++
      }
      return count
    },
    close() {
      diagnostics.unsubscribe('undici:client:sendHeaders', onSendHeaders)
    },
  }
}
