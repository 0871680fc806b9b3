import type { Outcome, RemoteEvents } from '../../channel.ts'
import { answer, type Frame, type RawId } from '../../frame.ts'
import type { RequestMeta } from './request-meta.ts'

/** A request of the host that has no answer yet. */
export interface HostRequest {
  readonly frame: Frame
  readonly id: RawId
  readonly method: string
  readonly meta: RequestMeta
  /** The host no longer wants an answer. */
  readonly cancelled: boolean
  /** What is to be done when the host cancels it, once there is something to be done. */
  onCancel: ((notice: Frame) => void) | undefined
  /** Answers it; a returned promise settles when there is room for more. */
  answer(result: Buffer): Promise<void> | undefined
  /** Answers it with an error: the server's own (`ServerError`) or ours. */
  fail(error: Error): void
  cancel(notice: Frame): void
}

/** A request, and the promise of its delivery. */
export function openHostRequest(
  frame: Frame,
  meta: RequestMeta,
  events: RemoteEvents,
): { host: HostRequest; done: Promise<Outcome> } {
  let cancelled = false
  let end!: (outcome: Outcome) => void
  let fail!: (error: Error) => void
  const done = new Promise<Outcome>((resolve, reject) => {
    end = resolve
    fail = reject
  })
  const id = frame.id!
  const host: HostRequest = {
    frame,
    id,
    method: frame.method!,
    meta,
    get cancelled() {
      return cancelled
    },
    onCancel: undefined,
    answer(result) {
      const wait = events.frame(answer(id, 'result', result))
      end('complete')
      return wait
    },
    fail,
    cancel(notice) {
      cancelled = true
      host.onCancel?.(notice)
      end('complete')
    },
  }
  return { host, done }
}
