import type { Socket } from 'node:net'
import type { buildConnector } from 'undici'
import Client from 'undici/lib/dispatcher/client.js'
import { KEEP_ALIVE_MS, MAX_STREAMS_PER_CONNECTION, MAX_TRUSTED_IDLE_MS } from '../limits.ts'

/** One connection, as those who send on it see it. */
export interface Connection {
  /** undici's client for it, which connects when it gets its first request. */
  readonly client: Client
  /** `undefined` before it is made and after it has ended. */
  readonly socket: Socket | undefined
  /** How long it had been idle when it was taken; 0 when it is new or carries other requests. */
  readonly idleMs: number
}

interface Entry extends Connection {
  readonly origin: string
  socket: Socket | undefined
  idleMs: number
  /** Requests that are on it now. */
  busy: number
  /** Requests that it can carry at once. */
  limit: number
  /** When its last response ended. */
  idleSince: number
  /** Whether it stands in the list of those with room. */
  listed: boolean
}

/**
 * The connections of the pool: which of them have room, since when they are idle, and for how long
 * the server is known to leave an idle one open. A pool of our own around undici's connections, because
 * its own does not say whether a request waits for a connection to be made (docs/decisions/005).
 */
export interface Connections {
  /**
   * A connection for one request: the one that was used last among those with room, or a new one.
   * Those that the server is likely to close in this moment are ended for a request that must not be
   * sent twice: one that crosses with the server's FIN may have been read or not. `mayRepeat` says
   * whether it may; absent: it is not known and does not count.
   */
  take(origin: string, mayRepeat: (() => boolean) | undefined): Connection
  /** The response has ended, or never will come. */
  release(connection: Connection): void
  /** Takes the server's promise of how long it keeps an idle connection (RFC 2068 §19.7.1). */
  promised(keepAlive: string | string[] | undefined): void
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
  /** Ends all of them at once. */
  destroy(): Promise<void>
}

/** How connections are made. */
export interface ConnectionsWorld {
  readonly connect: buildConnector.connector
  readonly http2: boolean
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number
}

/** This share of the server's idle time is safe: timers and packets are late on busy machines. */
const SAFE_SHARE = 0.5

/** No server was seen to close a connection that was idle for less. */
export const SAFE_IDLE_MS = 20

/** A pool that learns from what happens to the connections of this process. */
export function createConnections({
  connect,
  http2,
  // There already: the global `performance` loads a dozen modules.
  now = () => process.uptime() * 1000,
}: ConnectionsWorld): Connections {
  const all = new Map<Connection, Entry>()
  /** By origin, the one that was used last at the end. */
  const roomy = new Map<string, Entry[]>()
  /** Those whose response has ended in this turn of the event loop. */
  let freed: Entry[] = []
  /** The shortest time after which the server has closed an idle connection. */
  let closedMs = Infinity
  /** The longest time for which it has left one open, or promised to. */
  let keptMs = 0
  let destroyed = false

  function create(origin: string): Entry {
    const client = new Client(origin, {
      // undici ends a silent body after 300 s by default; an idle event stream is normal here, and a
      // tool may think for an hour.
      bodyTimeout: 0,
      headersTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      allowH2: http2,
      connect(target, callback) {
        connect(target, (...result) => {
          if (result[0] === null) attach(entry, result[1])
          callback(...result)
        })
      },
    })
    const entry: Entry = {
      origin,
      client,
      socket: undefined,
      idleMs: 0,
      busy: 0,
      limit: 1,
      idleSince: Infinity,
      listed: false,
    }
    // undici takes one request at a time for each connection unless told otherwise, which is right
    // for HTTP/1.1 and leaves HTTP/2 without its point.
    client.on('connect', () => {
      if (entry.limit > 1) client.pipelining = entry.limit
    })
    all.set(entry, entry)
    if (destroyed) void client.destroy()
    return entry
  }

  function attach(entry: Entry, socket: Socket): void {
    const multiplexes = 'alpnProtocol' in socket && socket.alpnProtocol === 'h2'
    entry.socket = socket
    entry.idleMs = 0
    entry.limit = multiplexes ? MAX_STREAMS_PER_CONNECTION : 1
    list(entry)
    socket.once('end', () => {
      if (entry.busy === 0) closedMs = Math.min(closedMs, now() - entry.idleSince)
    })
    socket.once('close', () => {
      // A request that was not written yet is taken to a new connection by undici itself.
      if (entry.socket === socket) entry.socket = undefined
      if (entry.busy === 0) drop(entry)
    })
  }

  function drop(entry: Entry): void {
    all.delete(entry)
    const others = entry.listed ? roomy.get(entry.origin) : undefined
    if (others !== undefined) {
      others.splice(others.indexOf(entry), 1)
      entry.listed = false
    }
    void entry.client.destroy()
  }

  function hasRoom({ socket, busy, limit }: Entry): boolean {
    return socket !== undefined && !socket.destroyed && busy < limit
  }

  function list(entry: Entry): void {
    if (entry.listed || !hasRoom(entry)) return
    entry.listed = true
    const others = roomy.get(entry.origin)
    if (others === undefined) roomy.set(entry.origin, [entry])
    else others.push(entry)
  }

  function listFreed(): void {
    const entries = freed
    freed = []
    entries.forEach(list)
  }

  function use(entry: Entry): Connection {
    entry.busy++
    list(entry)
    return entry
  }

  function isDoubtful(idleMs: number): boolean {
    const knownMs = Math.max(SAFE_IDLE_MS, SAFE_SHARE * Math.min(closedMs, keptMs))
    return idleMs > Math.min(knownMs, MAX_TRUSTED_IDLE_MS)
  }

  return {
    take(origin, mayRepeat) {
      const candidates = roomy.get(origin)
      for (let one = candidates?.pop(); one !== undefined; one = candidates?.pop()) {
        one.listed = false
        if (!hasRoom(one)) continue
        const idleMs = one.busy === 0 ? now() - one.idleSince : 0
        const fits = mayRepeat === undefined || !isDoubtful(idleMs) || mayRepeat()
        keptMs = Math.max(keptMs, idleMs)
        one.idleMs = idleMs
        if (fits) return use(one)
        one.socket?.destroy()
      }
      // Origins are few, but a server chooses where it redirects to.
      if (candidates !== undefined) roomy.delete(origin)
      return use(create(origin))
    },
    release(connection) {
      const entry = all.get(connection)
      if (entry === undefined) return
      entry.busy--
      entry.idleSince = now()
      if (entry.socket !== undefined) {
        // undici itself is ready for the next request in the next turn only.
        if (freed.push(entry) === 1) setImmediate(listFreed)
      } else if (entry.busy === 0) drop(entry)
    },
    promised(keepAlive) {
      if (typeof keepAlive !== 'string') return
      const seconds = /\btimeout=(\d+)/i.exec(keepAlive)?.[1]
      if (seconds !== undefined) keptMs = Math.max(keptMs, Number(seconds) * 1000)
    },
    reset() {
      for (const { socket, busy } of all.values()) if (busy === 0) socket?.destroy()
    },
    suspect() {
      const seen = [...all.values()].flatMap(({ socket }) =>
        socket === undefined ? [] : { socket, bytes: socket.bytesRead },
      )
      return (error) => {
        for (const { socket, bytes } of seen) {
          if (socket.bytesRead === bytes) socket.destroy(error)
        }
      }
    },
    dropOrphans(addresses) {
      let count = 0
      for (const { socket } of all.values()) {
        const local = socket?.localAddress?.replace(/^::ffff:/, '')
        // The loopback network has more addresses than its interface names.
        if (local === undefined || local.startsWith('127.') || addresses.has(local)) continue
        socket?.destroy(Object.assign(new Error('the network changed'), { code: 'ENETDOWN' }))
        count++
      }
      return count
    },
    async destroy() {
      destroyed = true
      await Promise.all([...all.values()].map(({ client }) => client.destroy()))
    },
  }
}
