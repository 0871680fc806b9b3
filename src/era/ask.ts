import type { Remote } from '../channel.ts'
import { unanswered } from '../error-frames.ts'
import { ServerError } from '../errors.ts'
import { type Frame, type RawId, slice } from '../frame.ts'

/** What became of a request. */
export type Answer =
  | { readonly kind: 'result'; readonly frame: Frame; readonly result: Buffer }
  /** `frame` is missing when the error came as the body of an HTTP error. */
  | {
      readonly kind: 'error'
      readonly frame?: Frame
      readonly error: Buffer
      readonly httpStatus?: number
    }
  | { readonly kind: 'failure'; readonly error: Error }

/** Requests whose answers are wanted here and not at the host. */
export interface Asking {
  /** Sends a request; never rejects. `onStart` is called when it is on the wire, or never will be. */
  ask(frame: Frame, onStart?: () => void): Promise<Answer>
  /** Takes a frame of the server; false when it answers none of these requests. */
  take(frame: Frame, owner?: RawId): boolean
  /** As `RemoteEvents.lost`. */
  lost(error: Error, only?: RawId): void
}

interface Waiting {
  settle(answer: Answer): void
  /** An answer under another id that came in this request's own response. */
  stray?: Frame
}

/** No requests yet; they go by `send`. */
export function createAsking(send: Remote['send']): Asking {
  const waiting = new Map<RawId, Waiting>()

  return {
    ask(frame, onStart = () => {}) {
      const id = frame.id!
      return new Promise((resolve) => {
        const entry: Waiting = {
          settle(answer) {
            if (waiting.get(id) === entry) waiting.delete(id)
            resolve(answer)
          },
        }
        waiting.set(id, entry)
        const { started, done } = send(frame)
        void started.then(onStart)
        done.then(
          (outcome) => {
            if (outcome === 'elsewhere') return
            const { stray } = entry
            entry.settle(
              stray === undefined ? { kind: 'failure', error: unanswered() } : answerIn(stray),
            )
          },
          (error: Error) => entry.settle(refusal(error)),
        )
      })
    },
    take(frame, owner) {
      if (frame.kind !== 'response') return false
      const named = frame.id === undefined ? undefined : waiting.get(frame.id)
      const entry = named ?? (owner === undefined ? undefined : waiting.get(owner))
      if (entry === undefined) return false
      // In its own response nobody else can be meant by a missing or `null` id (see relay.ts).
      if (named !== undefined || frame.id === undefined || frame.id === 'null') {
        entry.settle(answerIn(frame))
      } else {
        entry.stray ??= frame
      }
      return true
    },
    lost(error, only) {
      for (const [id, entry] of waiting) {
        if (only === undefined || only === id) entry.settle({ kind: 'failure', error })
      }
    },
  }
}

function answerIn(frame: Frame): Answer {
  if (frame.result !== undefined) {
    return { kind: 'result', frame, result: slice(frame.chunks, frame.result) }
  }
  return { kind: 'error', frame, error: slice(frame.chunks, frame.error!) }
}

/** A delivery that failed, as an answer: the server's own error, or ours. */
export function refusal(error: Error): Answer {
  if (!(error instanceof ServerError)) return { kind: 'failure', error }
  return { kind: 'error', error: error.object, httpStatus: error.httpStatus }
}
