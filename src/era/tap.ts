import type { Remote, ServerTap } from '../channel.ts'
import { answer as response, type Frame } from '../frame.ts'
import { type Answer, refusal } from './ask.ts'

/** The server with somebody who looks on at what it is sent. */
export function tapped(server: Remote, tap: ServerTap): Remote {
  return {
    ...server,
    send(frame) {
      tap.sent(frame)
      const delivery = server.send(frame)
      if (frame.kind === 'request') {
        delivery.done.catch((error: Error) => heard(tap, frame, refusal(error)))
      }
      return delivery
    },
  }
}

/** The answer to a request of ours, which may have come as the body of an HTTP error. */
export function heard(tap: ServerTap, { id }: Frame, answer: Answer): void {
  if (answer.kind === 'failure') return
  tap.received(
    answer.kind === 'result'
      ? answer.frame
      : (answer.frame ?? response(id!, 'error', answer.error)),
  )
}
