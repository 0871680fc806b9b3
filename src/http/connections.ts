import diagnostics from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

/**
 * The connections of the pool: which of them are idle, since when, and how long the server lets an
 * idle one live. undici tells the socket of a request on its documented diagnostics channel, in the
 * same turn in which it starts the request.
 */
export interface Connections {
  /** A request is about to be written to a connection. */
  starting(use: Use): void
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
  close(): void
}

/** One request's use of a connection. */
export interface Use {
  socket?: Socket | undefined
}

interface Entry {
  busy: number
  idleSince: number
}

/** A share of the server's idle time is safe: timers and packets are late on busy machines. */
const SAFE_SHARE = 0.5

/** A table that learns from what happens to the connections of this process. */
export function createConnections(now: () => number = () => performance.now()): Connections {
  const sockets = new Map<Socket, Entry>()
  /** The shortest time after which the server has closed an idle connection. */
  let serverIdleMs = Infinity
  let next: Use | undefined

  function onSendHeaders(message: unknown): void {
    if (next === undefined) return
    const { socket } = message as { socket: Socket }
    next.socket = socket
    next = undefined
    const entry = sockets.get(socket)
    if (entry === undefined) add(socket)
    else entry.busy++
  }

  function add(socket: Socket): void {
    const entry = { busy: 1, idleSince: Infinity }
    sockets.set(socket, entry)
    socket.once('end', () => {
      if (entry.busy === 0) serverIdleMs = Math.min(serverIdleMs, now() - entry.idleSince)
    })
    socket.once('close', () => sockets.delete(socket))
  }

  diagnostics.subscribe('undici:client:sendHeaders', onSendHeaders)
  return {
    starting(use) {
      next = use
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
      if (serverIdleMs === Infinity || mayRepeat()) return
      const oldest = now() - serverIdleMs * SAFE_SHARE
      for (const [socket, { busy, idleSince }] of sockets) {
        if (busy === 0 && idleSince < oldest) socket.destroy()
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
    close() {
      diagnostics.unsubscribe('undici:client:sendHeaders', onSendHeaders)
    },
  }
}
