import { mediaType, readBody } from '../http/body.ts'
import type { HttpSend } from '../http/client.ts'
import { MAX_ERROR_BODY_BYTES } from '../limits.ts'
import type { Log } from '../log.ts'
import { pause } from '../pause.ts'
import { readEventStream, type TakeFrame } from './answers.ts'
import { backoffMs } from '../backoff.ts'
import type { Cursor } from './context.ts'
import type { Session } from './session.ts'

/** The standalone GET stream (MCP 2025-11-25, Listening for Messages from the Server). */
export interface Listening {
  readonly url: URL
  readonly send: HttpSend
  readonly log: Log
  readonly session: Session
  readonly take: TakeFrame
  readonly signal: AbortSignal
  /** The server offers the stream. */
  readonly onOpen: () => void
}

/**
 * Keeps the stream open until `signal` aborts, resuming it where it broke. Settles at once when the
 * server offers no such stream: 405, or any other refusal that trying again will not change.
 */
export async function keepListening(listening: Listening): Promise<void> {
  const { url, send, log, session, take, signal, onOpen } = listening
  const cursor: Cursor = {}
  let attempt = 0
  while (!signal.aborted) {
    try {
      const response = await send({
        method: 'GET',
        url,
        headers: {
          accept: 'text/event-stream',
          ...(cursor.id === undefined ? {} : { 'last-event-id': cursor.id }),
          ...session.headers(),
        },
        signal,
        background: true,
      })
      const { status } = response
      if (status === 200 && mediaType(response) === 'text/event-stream') {
        onOpen()
        const before = cursor.id
        let heard = false
        await readEventStream(response, take, cursor, log, () => {
          heard = true
        })
        // A server that opens and closes without a word is asked more and more seldom.
        if (heard || cursor.id !== before) attempt = 0
      } else {
        await readBody(response, MAX_ERROR_BODY_BYTES)
        if (status < 500 && status !== 429) return
      }
    } catch {
      // The connection failed; the next try says whether for good.
    }
    await pause(cursor.retryMs ?? backoffMs(attempt), signal)
    attempt++
  }
}
