import type { Frame, RawId } from './frame.ts'

/** What a line of the host turned out to be. */
export type HostLine =
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'unparsable' }
  | { readonly kind: 'too-long' }

/** The frames' way to the host. */
export interface Output {
  /** Queues one frame. A returned promise settles when there is room for the next one. */
  send(frame: Frame): Promise<void> | undefined
  /** Settles when the host no longer reads. */
  readonly broken: Promise<void>
  /**
   * Settles when everything queued has been handed to the system, or never will be: the host is gone,
   * takes nothing for `HOST_SILENT_MS`, or is not done after `LAST_WORDS_MS`.
   */
  flush(): Promise<void>
}

/** The host: what it says, and the way back to it. */
export interface Local extends Output {
  /**
   * Hands over the host's lines in order, each after the promise for the one before has settled.
   * Settles when the host has closed our stdin and every line has been handed over.
   */
  read(onLine: (line: HostLine) => Promise<void> | undefined): Promise<void>
  /** Settles when the host has closed our stdin, also while lines wait for their turn. */
  readonly ended: Promise<void>
}

/** What is known when a frame's own exchange is over. */
export type Outcome =
  /** Nothing more will come for it: a request that is still open has lost its answer. */
  | 'complete'
  /** It was accepted, and its answer comes on a stream that it shares with others. */
  | 'elsewhere'

/** A frame on its way to the server. */
export interface Delivery {
  /** Settles when the frame is on the wire, or never will be; the next frame may follow. */
  readonly started: Promise<void>
  /** Rejects with `RelayError` or `ServerError` when the frame was not delivered or not answered. */
  readonly done: Promise<Outcome>
}

/** The server. */
export interface Remote {
  send(frame: Frame): Delivery
  /** Whether batch arrays are legal on this link (negotiated version 2025-03-26). */
  acceptsBatches(): boolean
  /** Whether the server can say what nobody asked for; settles when it is known. Without it, it can. */
  canNotify?(): Promise<boolean>
  /** The host has said its last word: answers that would never come by themselves come now. */
  ended?(): void
  /** Ends the session and every connection. */
  close(): Promise<void>
}

/** What a server has to say. */
export interface RemoteEvents {
  /**
   * A frame of the server. `owner` is the request in whose own response it came, so that an answer
   * under a wrong id still finds its request. A returned promise pauses the stream until it settles.
   */
  frame(frame: Frame, owner?: RawId): Promise<void> | undefined
  /** An answer that was to come `elsewhere` will not: that of one request, or those of all. */
  lost(error: Error, only?: RawId): void
  /** The server does not know its own open requests any more: nobody waits for the host's answers. */
  forgotten(): void
}

/** Looks on while the server is spoken to in another era than the host speaks. */
export interface ServerTap {
  /** From here on the messages of one side are not those of the other. */
  translates(): void
  /** Our next request with this id is sent for the host's open request `hostId`. */
  standsFor(id: RawId, hostId: RawId): void
  /** A frame on its way to the server. */
  sent(frame: Frame): void
  /** A frame of the server, before anybody acts on it. */
  received(frame: Frame): void
}
