import type { RemoteEvents } from '../channel.ts'
import type { RawId } from '../frame.ts'
import type { HttpResponse, HttpSend } from '../http/client.ts'
import type { Log } from '../log.ts'
import type { Patience } from './patience.ts'

/** The connections below a transport. */
export interface Pool {
  /** Ends the idle connections. */
  reset(): void
  /** Takes note of the connections; the result ends those on which nothing has come since. */
  suspect(): (error: Error) => void
}

/** What a transport needs from the program. */
export interface TransportContext {
  readonly url: URL
  readonly send: HttpSend
  readonly events: RemoteEvents
  readonly log: Log
  readonly patience: Patience
  readonly pool: Pool
  /** Called when the machine has slept. */
  readonly wakes: Set<() => void>
  /** Between two pings of ours; `undefined` for none. */
  readonly pingMs: number | undefined
}

/** A request of the host, or a batch of them, whose response has not ended. */
export interface Exchange {
  /** The ids that wait for an answer here. */
  readonly waiting: Set<RawId>
  /** The request that owns the exchange, when it is exactly one. */
  readonly owner: RawId | undefined
  /** The protocol version it carries itself, when it speaks the stateless era. */
  readonly modern: string | undefined
  readonly abort: AbortController | undefined
  /** How far its stream has been read. */
  readonly cursor: Cursor
  /** The session that it was sent in, as `Renewal` counts them. */
  generation: number
  /** It waits for a new session, to be sent again in it. */
  renewing?: boolean
  response?: HttpResponse
  cancelled: boolean
  /** Whether it is a subscription that the server has acknowledged. */
  subscribed?: boolean
}

/** How far a stream has been read. */
export interface Cursor {
  /** The id to resume after, when the stream has ids. */
  id?: string
  /** The pause in milliseconds that the server wants before a reconnect. */
  retryMs?: number
}
