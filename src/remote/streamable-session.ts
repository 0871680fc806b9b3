import { readBody } from '../http/body.ts'
import type { HttpSend } from '../http/client.ts'
import { CALL_BEHIND_STREAM_MS, MAX_ERROR_BODY_BYTES, SESSION_DELETE_MS } from '../limits.ts'
import { pause } from '../pause.ts'
import type { TakeFrame } from './answers.ts'
import type { TransportContext } from './context.ts'
import type { Exchanges } from './exchanges.ts'
import { startHeartbeat } from './heartbeat.ts'
import { keepListening, type Listening } from './listening.ts'
import { isSessionLost } from './lost-session.ts'
import type { Opening } from './opening.ts'
import type { Posts } from './posts.ts'
import { createRenewal, type Renewal } from './renewal.ts'
import type { Session } from './session.ts'

/** What keeps a session of Streamable HTTP alive is made of. */
export interface SessionWorld extends TransportContext {
  readonly session: Session
  readonly opening: Opening
  readonly posts: Posts
  readonly exchanges: Exchanges
  readonly take: TakeFrame
}

/** A session, its stream and its pings, for as long as the bridge runs. */
export interface KeptSession {
  readonly renewal: Renewal
  /** Aborts when the bridge closes. */
  readonly closed: AbortSignal
  /** The host has opened a session. */
  opened(): void
  /** The session of this generation was found lost by something that nobody waits for. */
  lost(generation: number): void
  /** The host says that it is ready; returns what is told whether that has arrived, which opens the stream. */
  introduces(): (arrived: boolean) => void
  /**
   * Settles when a call may go: the server has answered the request for its stream, or is slow to do so.
   * `undefined`: at once. A server that asks the host something during a call may ask over that stream
   * (`elicitInput` of the TypeScript SDK's Server does), and loses the question while there is none.
   */
  beforeCall(): Promise<void> | undefined
  /** Whether the server has such a stream. */
  canNotify(): Promise<boolean>
  close(): Promise<void>
}

/** Keeps the session of one Streamable HTTP server. */
export function keepSession(world: SessionWorld): KeptSession {
  const { url, send, log, session, opening, posts, exchanges, take, pool, wakes } = world
  const closed = new AbortController()
  /** Ends what belongs to the session of now: its stream. */
  let life = new AbortController()
  let listening: Listening | undefined
  let streamOpening: Promise<boolean> | undefined

  const renewal = createRenewal({
    origin: url.origin,
    opening,
    events: world.events,
    log,
    open(background) {
      endStream('the session is lost')
      return Promise.resolve({
        ask: (frame) => posts.ask(frame, { take, background }),
        async tell(frame) {
          const { failure } = await posts.notify(frame)
          if (failure !== undefined) throw failure
        },
      })
    },
    fingerprint: session.fingerprint,
    lost: exchanges.lost,
    reopened() {
      heartbeat.restart()
      if (opening.initialized() !== undefined) listen()
    },
    abandoned: () => void endSession(session, url, send),
  })
  const heartbeat = startHeartbeat({
    intervalMs: world.pingMs,
    pool,
    log,
    ask(ping, signal) {
      // No session that the host has opened, or one that is being replaced: nothing to look after.
      if (opening.initialized() === undefined || renewal.isLost()) return undefined
      const generation = renewal.generation()
      const refused = (status: number, body: Buffer): void => {
        if (isSessionLost(status, body)) lost(generation)
      }
      return posts.ask(ping, { take, background: true, signal, refused })
    },
    dead: () => listening?.nudge(),
  })

  function endStream(why: string): void {
    life.abort(new Error(why))
    life = new AbortController()
    listening = undefined
  }

  function listen(): void {
    if (listening !== undefined || closed.signal.aborted) return
    const generation = renewal.generation()
    const { signal } = life
    listening = keepListening({
      url,
      send,
      log,
      session,
      take,
      signal,
      lost: () => lost(generation),
      missed: renewal.missed,
    })
    opens(listening.offered)
  }

  function opens(known: Promise<boolean>): void {
    streamOpening = known
    void known.then(() => {
      if (streamOpening === known) streamOpening = undefined
    })
  }

  function lost(generation: number): void {
    renewal.lose(generation)
    renewal.keepTrying(closed.signal)
  }

  function onWake(): void {
    listening?.nudge()
    exchanges.woke()
    heartbeat.check()
  }
  wakes.add(onWake)

  return {
    renewal,
    closed: closed.signal,
    opened() {
      endStream('a new session')
      renewal.opened()
      heartbeat.restart()
    },
    lost,
    introduces() {
      let settle: (offered: boolean | Promise<boolean>) => void = () => {}
      opens(new Promise((resolve) => (settle = resolve)))
      return (arrived) => {
        if (arrived) listen()
        settle(arrived && (listening?.offered ?? false))
      }
    },
    beforeCall: () => (streamOpening === undefined ? undefined : bounded(streamOpening)),
    canNotify: () => listening?.offered ?? Promise.resolve(false),
    close() {
      closed.abort(new Error('the bridge is closing'))
      wakes.delete(onWake)
      heartbeat.stop()
      life.abort(new Error('the bridge is closing'))
      return endSession(session, url, send)
    },
  }
}

async function bounded(known: Promise<unknown>): Promise<void> {
  const wait = new AbortController()
  await Promise.race([known, pause(CALL_BEHIND_STREAM_MS, wait.signal)])
  wait.abort()
}

/** Tells the server that its session is over (N-5). */
async function endSession(session: Session, url: URL, send: HttpSend): Promise<void> {
  if (session.id() === undefined) return
  const signal = AbortSignal.timeout(SESSION_DELETE_MS)
  const headers = session.headers()
  try {
    const response = await send({ method: 'DELETE', url, headers, signal })
    await readBody(response, MAX_ERROR_BODY_BYTES) // 405 is a legal answer (N-5)
  } catch {
    // The session ends by itself on the server; nobody is left to be told.
  }
}
