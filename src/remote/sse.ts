import type { Outcome, Remote } from '../channel.ts'
import { begin } from '../delivery.ts'
import { networkFailure, type RelayError, ServerError } from '../errors.ts'
import { cancellation, cancelledId, type Frame, type RawId } from '../frame.ts'
import { readBody } from '../http/body.ts'
import { LOST_SESSION_GRACE_MS, MAX_ERROR_BODY_BYTES } from '../limits.ts'
import { createArrivals } from './arrivals.ts'
import type { TransportContext } from './context.ts'
import type { StreamEvent } from './events.ts'
import { lostSession } from './exchanges.ts'
import { brokenOff, failureOf } from './failures.ts'
import { startHeartbeat } from './heartbeat.ts'
import { diesWithSession, isSessionLost } from './lost-session.ts'
import { createOpening } from './opening.ts'
import type { Watch } from './patience.ts'
import { createRenewal } from './renewal.ts'
import { createRepeatable } from './repeatable.ts'
import { fingerprintOf } from './session.ts'
import { openSseStream } from './sse-stream.ts'

const POST_HEADERS = { 'content-type': 'application/json' } as const

/** One of our own requests: what settles with its answer. */
interface Asking {
  resolve(answer: Frame): void
  reject(reason: unknown): void
}

/** An event stream of the server: the session lives as long as it does. */
interface Stream {
  readonly control: AbortController
  /** Settles when it has ended. */
  readonly ended: Promise<void>
  isOver: boolean
}

/**
 * The deprecated HTTP+SSE transport (MCP 2024-11-05): one event stream from the server, and a POST
 * endpoint that its first event names. The stream is the session: when it ends, a new one is opened.
 * Rejects when the URL does not speak it.
 */
export async function openSse(context: TransportContext): Promise<Remote> {
  const { url, send, events, log, patience, pool, wakes } = context
  const watches = new Map<RawId, Watch>()
  const asking = new Map<RawId, Asking>()
  const lists = new Set<RawId>()
  /**
   * Requests that no server has accepted, and the session that one is being asked in: the answer to its
   * POST says whether it is sent again when the session is lost.
   */
  const unaccepted = new Map<RawId, Stream | undefined>()
  const arrivals = createArrivals()
  const opening = createOpening()
  const repeatable = createRepeatable()
  const closing = new AbortController()
  let stream: Stream
  let initializeId: RawId | undefined
  let endpoint: URL

  const renewal = createRenewal({
    origin: url.origin,
    opening,
    events,
    log,
    async open(background) {
      await connect(background)
      return {
        ask: (frame) => ask(frame, background),
        async tell(frame) {
          await post(frame, { background })
        },
      }
    },
    fingerprint: () => fingerprintOf(endpoint.href),
    lost: () => {},
    reopened: () => heartbeat.restart(),
    abandoned: () => stream.control.abort(new Error('the new session is not the old one')),
  })
  const heartbeat = startHeartbeat({
    intervalMs: context.pingMs,
    pool,
    log,
    ask(ping, signal) {
      if (opening.initialized() === undefined || renewal.isLost()) return undefined
      return ask(ping, true, signal)
    },
    // The stream is one connection: whether the server still takes messages says the rest.
    probe: (ping, signal) => post(ping, { background: true, signal }),
    dead: () => stream.control.abort(Object.assign(new Error('dead'), { code: 'ETIMEDOUT' })),
  })
  wakes.add(heartbeat.check)
  await connect(false)

  async function connect(background: boolean): Promise<void> {
    const control = new AbortController()
    let end = (): void => {}
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    const mine: Stream = { control, ended, isOver: false }
    stream = mine
    const signal = AbortSignal.any([closing.signal, control.signal])
    const over = (error: RelayError): void => {
      mine.isOver = true
      if (stream === mine && !closing.signal.aborted) lose(mine, error)
      end()
    }
    endpoint = await openSseStream({ url, send, signal, background, take, ended: over })
    log.state({ part: 'stream', what: 'opened' })
  }

  function take({ type, frame }: StreamEvent): Promise<void> | undefined {
    if (type !== 'message') return undefined
    if (frame === undefined) {
      log.warn(`${url.origin} sent an event that is not JSON; it is left out`)
      return undefined
    }
    for (const part of frame.parts ?? [frame]) {
      if (part.kind !== 'response' || part.id === undefined) continue
      endWatch(part.id)
      const mine = asking.get(part.id)
      if (mine !== undefined) {
        mine.resolve(part)
        return undefined
      }
      if (lists.delete(part.id)) repeatable.learn(part)
      if (part.id === initializeId) {
        initializeId = undefined
        opening.answered(part)
        renewal.opened()
      }
    }
    return events.frame(frame)
  }

  function endWatch(id: RawId): void {
    watches.get(id)?.end()
    watches.delete(id)
  }

  /** The stream has ended, and with it the session: nothing that was asked in it will be answered. */
  function lose(lost: Stream, error: RelayError): void {
    log.state({ part: 'stream', what: 'closed' })
    const fail = (id: RawId): void => {
      endWatch(id)
      events.lost(error, id)
    }
    for (const id of watches.keys()) if (!unaccepted.has(id)) fail(id)
    setTimeout(() => {
      for (const [id, asked] of unaccepted) if (asked === lost) fail(id)
    }, LOST_SESSION_GRACE_MS).unref()
    for (const { reject } of asking.values()) reject(error)
    renewal.broke()
    renewal.keepTrying(closing.signal)
  }

  /** POSTs a frame; rejects unless it was accepted. */
  async function post(
    frame: Frame,
    manner: { background?: boolean; signal?: AbortSignal; onStart?: () => void },
  ): Promise<void> {
    for (let again = false; ; again = true) {
      const sentIn = stream
      askedIn(frame, sentIn)
      const response = await send({
        method: 'POST',
        url: endpoint,
        headers: POST_HEADERS,
        body: frame.chunks,
        onStart: undefined, // as in posts.ts
        behindAnother: manner.background !== undefined,
        repeatable: () => repeatable.may(frame),
        opens: frame.method === 'initialize',
        background: manner.background,
        signal: manner.signal,
        onPlaced: manner.onStart,
        onPutOff: manner.onStart,
      })
      const body = await readBody(response, MAX_ERROR_BODY_BYTES)
      if (response.status < 300) {
        // Any 2xx: the answer comes on the stream, or not at all.
        if (sentIn.isOver && frame.kind === 'request') throw lostSession(url.origin)
        return
      }
      const hosts = manner.background === undefined && frame.method !== 'initialize'
      const lost = hosts && opening.initialize() !== undefined
      if (again || !lost || !isSessionLost(response.status, body)) throw failureOf(response, body)
      if (!sentIn.isOver) sentIn.control.abort(lostSession(url.origin))
      if (diesWithSession(frame)) return
      askedIn(frame, undefined)
      await sentIn.ended
      await renewal.ready()
      if (!isWanted(frame)) return
    }
  }

  function askedIn({ kind, id }: Frame, session: Stream | undefined): void {
    if (kind === 'request' && unaccepted.has(id!)) unaccepted.set(id!, session)
  }

  /** Whether the host has not cancelled what was to be sent once there is a new session. */
  function isWanted({ kind, id }: Frame): boolean {
    return kind !== 'request' || watches.has(id!)
  }

  /** Asks in our own name. */
  async function ask(frame: Frame, background: boolean, signal?: AbortSignal): Promise<Frame> {
    const id = frame.id!
    try {
      return await new Promise<Frame>((resolve, reject) => {
        asking.set(id, { resolve, reject })
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
        post(frame, { background, ...(signal && { signal }) }).catch(reject)
      })
    } finally {
      asking.delete(id)
    }
  }

  /** The server is told that nobody waits any more (MCP 2025-11-25, lifecycle, Timeouts). */
  function giveUp({ id, method }: Frame, error: RelayError): void {
    endWatch(id!)
    events.lost(error, id)
    if (method === 'initialize') return // which is never cancelled
    post(cancellation(id!, error.message), { background: true }).catch(() => {})
  }

  async function deliver(frame: Frame, onStart: () => void): Promise<Outcome> {
    let arrived: (() => void) | undefined
    try {
      opening.note(frame)
      const cancelled = cancelledId(frame)
      if (cancelled !== undefined) {
        endWatch(cancelled)
        lists.delete(cancelled)
      }
      const request = frame.kind === 'request' ? frame.id! : undefined
      if (request !== undefined) {
        unaccepted.set(request, undefined)
        const watch = patience.watch(frame, (error) => giveUp(frame, error))
        watches.set(request, watch)
      }
      const renewing = renewal.ready()
      if (renewing !== undefined) {
        if (diesWithSession(frame)) return 'complete'
        onStart()
        await renewing
        if (!isWanted(frame)) return 'complete'
      }
      if (cancelled !== undefined) await arrivals.arrived(cancelled)
      if (request !== undefined) {
        arrived = arrivals.expect(new Set([request]))
        if (frame.method === 'initialize') initializeId = request
        if (frame.method === 'tools/list') lists.add(request)
      }
      await post(frame, { onStart })
      return frame.kind === 'request' ? 'elsewhere' : 'complete'
    } catch (error) {
      if (frame.kind === 'request') endWatch(frame.id!)
      if (error instanceof ServerError) throw error
      throw brokenOff(
        networkFailure(error, url.origin, 'request'),
        url.origin,
        frame,
        repeatable.may,
      )
    } finally {
      onStart()
      arrived?.()
      if (frame.kind === 'request') unaccepted.delete(frame.id!)
    }
  }

  return {
    send: (frame) => begin((onStart) => deliver(frame, onStart)),
    acceptsBatches: () => false, // not defined by 2024-11-05
    close() {
      heartbeat.stop()
      wakes.delete(heartbeat.check)
      closing.abort(new Error('the bridge is closing'))
      return Promise.resolve()
    },
  }
}
