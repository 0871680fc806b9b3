import { backoffMs } from '../backoff.ts'
import type { RemoteEvents } from '../channel.ts'
import { networkFailure, RelayError, ServerError } from '../errors.ts'
import { type Frame, readFrame, slice, withId } from '../frame.ts'
import { valueAt } from '../json/locate.ts'
import {
  LIST_CHANGED_PAUSE_MS,
  MAX_SERVER_RETRY_MS,
  RENEWAL_PAUSE_MS,
  REPLAY_MS,
} from '../limits.ts'
import type { Log } from '../log.ts'
import { pause } from '../pause.ts'
import { announcedChanges, brokenPromise, type Opening } from './opening.ts'

/** A way to a server on which a new session is opened. The frames are ours: their ids never reach the host. */
interface Link {
  /** Sends a request; settles with its answer. */
  ask(frame: Frame): Promise<Frame>
  tell(frame: Frame): Promise<void>
}

/** What the renewal of a session needs from its transport. */
export interface RenewalWorld {
  readonly origin: string
  readonly opening: Opening
  readonly events: RemoteEvents
  readonly log: Log
  /** What tells its sessions apart, fit for a log. */
  fingerprint(): string | undefined
  /** Makes the way; `background` when nobody waits, so that no person is asked to sign in. */
  open(background: boolean): Promise<Link>
  /** A session is gone: what was asked in it will be answered soon or never. */
  lost(generation: number): void
  /** The new session stands. */
  reopened(): void
  /** The new session does not keep what the host was promised. */
  abandoned(): void
}

/**
 * Replaces a lost session behind the host's back (MCP 2025-11-25, Session Management 4): once for
 * everybody who finds it lost, with the host's own `initialize`.
 */
export interface Renewal {
  /** Counts the sessions; what belongs to an earlier one is lost. */
  generation(): number
  /** The host has opened a session itself. */
  opened(): void
  /** Somebody has found the session of this generation lost. */
  lose(generation: number): void
  /** What the session of now, or the one that is being opened, stands on has broken. */
  broke(): void
  /** Whether there is no session now. */
  isLost(): boolean
  /** The new session, when the old one is lost; rejects with `RelayError` when there is none. */
  ready(background?: boolean): Promise<void> | undefined
  /** Goes on until there is a new session: nobody waits, but the server may have something to say. */
  keepTrying(signal: AbortSignal): void
  /** After a gap in what the server says by itself: makes the host look again, now and then. */
  missed(): void
}

/** Nothing lost yet. */
export function createRenewal(world: RenewalWorld): Renewal {
  const { origin, opening, events, log } = world
  let generation = 0
  let isLost = false
  let running: { readonly work: Promise<void>; readonly background: boolean } | undefined
  let lastInitialize = -Infinity
  let lastMissed = -Infinity
  /** The session that is being opened is lost already. */
  let isSpoilt = false
  let count = 0
  let trying = false

  function failure(message: string, retryAfterMs?: number): RelayError {
    log.state({ part: 'session', what: 'not-renewed' })
    return new RelayError(`${origin} has lost the session; ${message}`, {
      phase: 'session',
      retryAfterMs,
      hint: 'The next request tries again.',
    })
  }

  async function renew(background: boolean): Promise<void> {
    const before = generation
    const waitMs = lastInitialize + RENEWAL_PAUSE_MS - Date.now()
    if (waitMs > 0) throw failure('it has just been given a new one.', waitMs)
    isSpoilt = false
    const link = await world.open(background).catch(refused)
    const initialize = opening.initialize()
    // Without it the host has not got as far as a session: there is nothing to repeat.
    if (initialize !== undefined) await repeat(link, initialize)
    if (generation !== before) return // the host was faster
    if (isSpoilt) throw failure('the new one is lost, too.')
    isLost = false
    generation++
    if (initialize === undefined) return
    log.state({ part: 'session', what: 'reopened', session: world.fingerprint() })
    world.reopened()
    for (const change of announcedChanges(opening.told())) void events.frame(change)
  }

  /** Does in the new session what the host has done in the old one. */
  async function repeat(link: Link, initialize: Frame): Promise<void> {
    lastInitialize = Date.now()
    const answer = await link
      .ask(withId(initialize, `"bridge-initialize-${++count}"`))
      .catch(refused)
    if (answer.result === undefined) {
      return refused(new ServerError(slice(answer.chunks, answer.error!), 200))
    }
    const result = slice(answer.chunks, answer.result)
    const broken = brokenPromise(opening.told(), result)
    if (broken !== undefined) {
      world.abandoned()
      throw failure(`the new one is different: ${broken}. Restart the connection in your program.`)
    }
    const initialized = opening.initialized()
    if (initialized !== undefined) await link.tell(initialized).catch(refused)
    await replay(link)
  }

  /** The phase is never that of the request that waits for the session: it has not been sent. */
  function refused(error: unknown): never {
    if (error instanceof ServerError) throw failure(`a new one was refused${wordsOf(error)}.`)
    const cause = networkFailure(error, origin, 'session')
    const { phase, retryAfterMs } = cause.details
    if (phase !== 'authorization') throw failure(`no new one: ${cause.message}`, retryAfterMs)
    // There is no new session: who can sign in need not wait for another try.
    lastInitialize = -Infinity
    throw cause
  }

  /** Log level and subscriptions; that one of them is refused is no reason to go without a session. */
  async function replay({ ask }: Link): Promise<void> {
    const over = new AbortController()
    const work = opening.settings().map(async (frame, index) => {
      await ask(withId(frame, `"bridge-replay-${count}-${index}"`)).catch(() => undefined)
    })
    await Promise.race([Promise.all(work), pause(REPLAY_MS, over.signal)])
    over.abort()
  }

  async function tryOn(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; isLost && !signal.aborted; attempt++) {
      try {
        await (running?.work ?? start(true))
      } catch (error) {
        const { retryAfterMs = 0 } = (error as RelayError).details
        const waitMs = Math.max(backoffMs(attempt), retryAfterMs)
        await pause(Math.min(waitMs, MAX_SERVER_RETRY_MS), signal)
      }
    }
  }

  function lose(found: number): void {
    if (found !== generation || isLost) return
    isLost = true
    log.state({ part: 'session', what: 'lost', session: world.fingerprint() })
    events.forgotten()
    world.lost(generation)
  }

  function start(background: boolean): Promise<void> {
    const work = renew(background).finally(() => {
      running = undefined
    })
    running = { work, background }
    return work
  }

  return {
    generation: () => generation,
    isLost: () => isLost,
    opened() {
      isLost = false
      generation++
      // Behind the answer to the host: the first fingerprint of a process loads Node's crypto.
      setImmediate(setImmediate, () => {
        log.state({ part: 'session', what: 'opened', session: world.fingerprint() })
      })
    },
    lose,
    broke() {
      isSpoilt = true
      lose(generation)
    },
    ready(background = false) {
      if (!isLost) return undefined
      if (running === undefined) return start(background)
      if (background || !running.background) return running.work
      // Nobody was asked to sign in for a renewal in the background: now somebody waits.
      return running.work.catch(() => (isLost ? (running?.work ?? start(false)) : undefined))
    },
    keepTrying(signal) {
      if (trying) return
      trying = true
      void tryOn(signal).finally(() => {
        trying = false
      })
    },
    missed() {
      if (Date.now() - lastMissed < LIST_CHANGED_PAUSE_MS) return
      lastMissed = Date.now()
      for (const change of announcedChanges(opening.told())) void events.frame(change)
    },
  }
}

function wordsOf({ object }: ServerError): string {
  const message = valueAt(object, 'message')
  return typeof message === 'string' ? ` (${message})` : ''
}

/** A `ping` of ours. */
export function pingFrame(id: string): Frame {
  return readFrame(`{"jsonrpc":"2.0","id":"${id}","method":"ping"}`)!
}
