import { mediaType, readBody } from '../http/body.ts'
import type { HttpResponse, HttpSend } from '../http/client.ts'
import { HEALTHY_STREAM_MS, MAX_ERROR_BODY_BYTES, STREAM_GAP_MS } from '../limits.ts'
import type { Log } from '../log.ts'
import { pause } from '../pause.ts'
import { readEventStream, type TakeFrame } from './answers.ts'
import { backoffMs } from '../backoff.ts'
import type { Cursor } from './context.ts'
import { isSessionLost } from './lost-session.ts'
import type { Session } from './session.ts'

/** The standalone GET stream (MCP 2025-11-25, Listening for Messages from the Server). */
export interface ListeningWorld {
  readonly url: URL
  readonly send: HttpSend
  readonly log: Log
  readonly session: Session
  readonly take: TakeFrame
  readonly signal: AbortSignal
  /** The server does not know the session any more. */
  lost(): void
  /** Messages may have been missed. */
  missed(): void
}

/** The stream while it is kept open. */
export interface Listening {
  /** Opens it again at once: its connection is not to be trusted any more. */
  nudge(): void
  /** Whether the server offers such a stream; settles when it has answered. */
  readonly offered: Promise<boolean>
}

/** Refusals that the same request may not get another time: a sign-in, a rate limit, a wrong minute. */
const PASSING: ReadonlySet<number> = new Set([401, 403, 408, 425, 429])

/**
 * Keeps the stream open until `signal` aborts, resuming it where it broke. Ends by itself when the
 * server offers no such stream (405, G-2, or any other refusal for good) or has lost the session.
 */
export function keepListening(world: ListeningWorld): Listening {
  let turn = new AbortController()
  let nudged = false
  let answer: (isOffered: boolean) => void = () => {}
  const offered = new Promise<boolean>((resolve) => {
    answer = resolve
  })
  const nextTurn = (): Turn => {
    turn = new AbortController()
    const again = nudged
    nudged = false
    return { signal: AbortSignal.any([world.signal, turn.signal]), again }
  }
  void listen(world, nextTurn, () => answer(true)).finally(() => answer(false))
  return {
    offered,
    nudge() {
      nudged = true
      turn.abort(new Error('the stream is opened again'))
    },
  }
}

/** One try to open the stream. */
interface Turn {
  readonly signal: AbortSignal
  /** Whether it was asked for, and is no answer to a failure. */
  readonly again: boolean
}

async function listen(
  world: ListeningWorld,
  nextTurn: () => Turn,
  onOpen: () => void,
): Promise<void> {
  const { url, send, log, session, take, missed } = world
  const cursor: Cursor = {}
  let attempt = 0
  /** Since when nothing can have been heard, once the stream has been open. */
  let gapSince: number | undefined
  let broken = false
  while (!world.signal.aborted) {
    const { signal, again } = nextTurn()
    if (again) attempt = 0
    const resumes = cursor.id
    const openedAt = Date.now()
    try {
      const response = await send({
        method: 'GET',
        url,
        headers: {
          accept: 'text/event-stream',
          ...(resumes === undefined ? {} : { 'last-event-id': resumes }),
          ...session.headers(),
        },
        signal,
        background: true,
      })
      if (response.status === 200 && mediaType(response) === 'text/event-stream') {
        onOpen()
        const gapMs = gapSince === undefined ? 0 : openedAt - gapSince
        log.state({ part: 'stream', what: resumes === undefined ? 'opened' : 'resumed', gapMs })
        if (gapSince !== undefined && resumes === undefined && (broken || gapMs > STREAM_GAP_MS)) {
          missed()
        }
        broken = await read(response)
        gapSince = Date.now()
        log.state({ part: 'stream', what: 'closed', broken })
      } else {
        const verdict = await judge(response, resumes)
        if (verdict !== 'again') return
      }
    } catch {
      // The connection failed; the next try says whether for good.
      broken = true
    }
    if (world.signal.aborted) return
    if (!signal.aborted) await pause(waitMs(cursor.retryMs, attempt), signal)
    attempt++
  }

  /** Reads one stream to its end; whether it was cut. */
  async function read(response: HttpResponse): Promise<boolean> {
    const since = Date.now()
    const before = cursor.id
    let messages = 0
    const count: TakeFrame = (frame) => {
      messages++
      return take(frame)
    }
    const { failure } = await readEventStream(response, count, cursor, log, () => {})
    // A server that opens and closes without a word is asked more and more seldom.
    const useful = messages > 0 || cursor.id !== before
    if (useful || Date.now() - since > HEALTHY_STREAM_MS) attempt = 0
    return failure !== undefined
  }

  /** What a refusal means for the stream. */
  async function judge(
    response: HttpResponse,
    resumes: string | undefined,
  ): Promise<'again' | 'never' | 'lost'> {
    const { status } = response
    const body = await readBody(response, MAX_ERROR_BODY_BYTES)
    log.state({ part: 'stream', what: 'refused', status })
    if (status === 405) return 'never'
    if (session.id() !== undefined && isSessionLost(status, body)) {
      world.lost()
      return 'lost'
    }
    if (status >= 500 ? status !== 501 : PASSING.has(status)) return 'again'
    if (resumes === undefined) return 'never'
    // Not to be resumed there (E-6): from now on, and what was said in between is missed.
    delete cursor.id
    broken = true
    return 'again'
  }
}

/** The server says when it wants to be asked again, as long as something comes of that. */
function waitMs(retryMs: number | undefined, attempt: number): number {
  if (retryMs === undefined) return backoffMs(attempt)
  return attempt === 0 ? retryMs : Math.max(retryMs, backoffMs(attempt))
}
