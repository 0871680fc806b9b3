import type { Remote, RemoteEvents } from '../channel.ts'
import type { Frame, RawId } from '../frame.ts'
import type { Log } from '../log.ts'

/** What a translator needs from the program. */
export interface TranslatorContext {
  /** The server in its own era: frames sent here reach it unchanged. */
  readonly server: Remote
  /** The way to the host, whose era is the other one. */
  readonly events: RemoteEvents
  readonly log: Log
  /** Host name of the server, as people know it. */
  readonly host: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** A new token that nobody can guess: 128 random bits, printable. */
  readonly random: () => string
  /** Said before a request of ours is sent for the host's open request `hostId`. */
  standsFor(id: RawId, hostId: RawId): void
}

/**
 * A server that speaks the other era to the host than it does itself. The host's first message comes
 * by `send`, like every other one.
 */
export interface Translator extends Remote {
  /** What the server says arrives here instead of at the host; as `RemoteEvents.frame`. */
  fromServer(frame: Frame, owner?: RawId): Promise<void> | undefined
  /** An answer that was to come `elsewhere` will not; as `RemoteEvents.lost`. */
  lost(error: Error, only?: RawId): void
}
