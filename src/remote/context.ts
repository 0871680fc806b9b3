import type { RemoteEvents } from '../channel.ts'
import type { RawId } from '../frame.ts'
import type { HttpSend } from '../http/client.ts'
import type { Log } from '../log.ts'
import type { Patience } from './patience.ts'

/** What a transport needs from the program. */
export interface TransportContext {
  readonly url: URL
  readonly send: HttpSend
  readonly events: RemoteEvents
  readonly log: Log
  readonly patience: Patience
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
  cancelled: boolean
}

/** How far a stream has been read. */
export interface Cursor {
  /** The id to resume after, when the stream has ids. */
  id?: string
  /** The pause in milliseconds that the server wants before a reconnect. */
  retryMs?: number
}
