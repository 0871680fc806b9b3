import type { Frame } from '../frame.ts'
import { slice } from '../frame.ts'
import { valueAt } from '../json/locate.ts'
import { PING_TIMEOUT_MS } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Pool } from './context.ts'
import { pingFrame } from './renewal.ts'

/** JSON-RPC 2.0 §5.1. */
const METHOD_NOT_FOUND_CODE = -32601

/** What pings need from a transport. */
export interface HeartbeatWorld {
  /** Between two pings; `undefined` sends none by itself. */
  readonly intervalMs: number | undefined
  readonly pool: Pool
  readonly log: Log
  /** Sends a ping of ours in the session of the host; `undefined` when there is none to send it in. */
  ask(ping: Frame, signal: AbortSignal): Promise<Frame> | undefined
  /** Another way to hear of the server, over a new connection; another ping when absent. */
  probe?(ping: Frame, signal: AbortSignal): Promise<unknown>
  /** The connections were dead: what was read from them has to be opened again. */
  dead(): void
}

/** Pings of the bridge's own. */
export interface Heartbeat {
  /** One ping now: finds out whether session and token still hold. */
  check(): void
  /** A new session: a server that did not know `ping` may be another one now. */
  restart(): void
  stop(): void
}

/**
 * Asks the server from time to time whether it is there. A ping that is not answered says little: the
 * server may be busy. Only when a new connection is answered and the old ones stay silent are these
 * dead, and given up.
 */
export function startHeartbeat(world: HeartbeatWorld): Heartbeat {
  const { intervalMs, pool, log } = world
  const timeoutMs = Math.min(intervalMs ?? PING_TIMEOUT_MS, PING_TIMEOUT_MS)
  let count = 0
  let unknown = false
  let beating = false
  const timer =
    intervalMs === undefined ? undefined : setInterval(() => void beat(), intervalMs).unref()

  /** Whether the server answered in time; `undefined` when it was not asked, or refused to answer. */
  async function ping(): Promise<boolean | undefined> {
    const signal = AbortSignal.timeout(timeoutMs)
    try {
      const answer = await world.ask(next(), signal)
      if (answer === undefined) return undefined
      const error = answer.error && slice(answer.chunks, answer.error)
      if (error !== undefined && valueAt(error, 'code') === METHOD_NOT_FOUND_CODE) {
        unknown = true
        log.state({ part: 'network', what: 'no-ping' })
      }
      return true
    } catch {
      return signal.aborted ? false : undefined
    }
  }

  async function probe(): Promise<boolean | undefined> {
    if (world.probe === undefined) return ping()
    return world.probe(next(), AbortSignal.timeout(timeoutMs)).then(
      () => true,
      () => undefined,
    )
  }

  const next = (): Frame => pingFrame(`bridge-ping-${++count}`)

  async function beat(): Promise<void> {
    if (unknown || beating) return
    beating = true
    try {
      const giveUp = pool.suspect()
      if ((await ping()) !== false) return
      pool.reset()
      if ((await probe()) !== true) return
      log.state({ part: 'network', what: 'dead-peer' })
      giveUp(Object.assign(new Error('the peer is dead'), { code: 'ETIMEDOUT' }))
      world.dead()
    } finally {
      beating = false
    }
  }

  return {
    check: () => void beat(),
    restart() {
      unknown = false
    },
    stop: () => clearInterval(timer),
  }
}
