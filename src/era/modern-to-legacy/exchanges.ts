import type { Remote } from '../../channel.ts'
import { unanswered } from '../../error-frames.ts'
import { ServerError } from '../../errors.ts'
import { type Frame, type RawId, slice } from '../../frame.ts'
import { request } from '../claims.ts'

/** Who waits for the answer to a request of ours. */
interface Waiting {
  /** The answer; a returned promise pauses the stream that it came on. */
  answered(frame: Frame): Promise<void> | undefined
  /** There will be none. */
  failed(error: Error): void
}

/** The requests that the server has not answered yet. */
export interface Exchanges {
  /**
   * Sends a request under an id that was never used: a session forbids what the stateless era allows,
   * an id that is used again once it was answered.
   */
  send(build: (id: RawId) => Frame, waiting: Waiting): { id: RawId; started: Promise<void> }
  /** Nobody wants the answer any more. */
  forget(id: RawId): void
  /** Asks for a result; rejects with the `ServerError` or `RelayError` that came instead. */
  ask(method: string, params?: Buffer): Promise<Buffer>
  /** Takes an answer; undefined also when nobody waits for it. */
  take(answer: Frame, owner: RawId | undefined): Promise<void> | undefined
  /** As `RemoteEvents.lost`. */
  lost(error: Error, only?: RawId): void
}

interface Entry {
  readonly waiting: Waiting
  /** An answer under another id that came in this request's own response. */
  stray?: Frame
}

/** No requests yet. */
export function createExchanges(server: Remote): Exchanges {
  const open = new Map<RawId, Entry>()
  let last = 0

  function settle(id: RawId, act: (waiting: Waiting) => Promise<void> | undefined | void) {
    const entry = open.get(id)
    if (entry === undefined) return undefined
    open.delete(id)
    return act(entry.waiting) ?? undefined
  }

  function send(build: (id: RawId) => Frame, waiting: Waiting) {
    const id = String(++last)
    const entry: Entry = { waiting }
    open.set(id, entry)
    const { started, done } = server.send(build(id))
    done.then(
      (outcome) => {
        if (outcome === 'elsewhere') return
        const { stray } = entry
        settle(id, (one) =>
          stray === undefined ? one.failed(unanswered()) : void one.answered(stray),
        )
      },
      (error: Error) => settle(id, (one) => one.failed(error)),
    )
    return { id, started }
  }

  return {
    send,
    ask(method, params) {
      return new Promise((resolve, reject) => {
        send((id) => request(id, method, params), {
          failed: reject,
          answered(frame) {
            if (frame.result !== undefined) resolve(slice(frame.chunks, frame.result))
            else reject(serverError(frame))
            return undefined
          },
        })
      })
    },
    take(answer, owner) {
      const { id } = answer
      if (id !== undefined && open.has(id)) return settle(id, (one) => one.answered(answer))
      const entry = owner === undefined ? undefined : open.get(owner)
      if (owner === undefined || entry === undefined) return undefined
      // In its own response nobody else can be meant by a missing or `null` id (see relay.ts).
      if (id === undefined || id === 'null') return settle(owner, (one) => one.answered(answer))
      entry.stray ??= answer
      return undefined
    },
    forget: (id) => void open.delete(id),
    lost(error, only) {
      const ids = only === undefined ? [...open.keys()] : [only]
      for (const id of ids) settle(id, (one) => one.failed(error))
    },
  }
}

/** The error of an answer, as an error. */
export function serverError(answer: Frame): ServerError {
  return new ServerError(slice(answer.chunks, answer.error!), 200)
}
