import type { Outcome, Remote } from '../channel.ts'
import { begin } from '../delivery.ts'
import { modernVersion } from '../era/headers.ts'
import { createToolHeaders } from '../era/tool-headers.ts'
import { RelayError, ServerError } from '../errors.ts'
import { cancellation, cancelledId, type Frame, type RawId } from '../frame.ts'
import { readBody } from '../http/body.ts'
import type { HttpResponse } from '../http/client.ts'
import { valueAt } from '../json/locate.ts'
import { MAX_ERROR_BODY_BYTES } from '../limits.ts'
import { noAnswer, readAnswers, type TakeFrame } from './answers.ts'
import { createArrivals } from './arrivals.ts'
import type { Exchange, TransportContext } from './context.ts'
import { createExchanges } from './exchanges.ts'
import { brokenOff, failureOf } from './failures.ts'
import { diesWithSession, isSessionLost } from './lost-session.ts'
import { createOpening } from './opening.ts'
import { createPosts } from './posts.ts'
import { createRepeatable } from './repeatable.ts'
import { acknowledges, listenAgain, subscriptionEnded } from './relisten.ts'
import { resumeStream } from './resume.ts'
import type { Watch } from './patience.ts'
import { createSession } from './session.ts'
import { keepSession } from './streamable-session.ts'
import { listToolsAgain } from './tool-refresh.ts'

/** A header and the body disagree (MCP 2026-07-28, basic, Error Codes). */
const HEADER_MISMATCH_CODE = -32020

/** The watch of a request that may be silent for ever. */
const UNWATCHED: Watch = { alive: () => {}, end: () => {} }

/** Batches were defined by this revision only. */
const BATCH_VERSION = '2025-03-26'

/** Streamable HTTP, revisions 2025-03-26 to 2026-07-28. */
export function openStreamable(context: TransportContext): Remote {
  const { url, send, events, log, patience } = context
  const session = createSession()
  const opening = createOpening()
  const toolHeaders = createToolHeaders(log)
  const repeatable = createRepeatable()
  const exchanges = createExchanges(url.origin, events)
  const arrivals = createArrivals()
  const posts = createPosts({ url, send, session, toolHeaders, repeatable })
  const kept = keepSession({ ...context, session, opening, posts, exchanges, take })
  const { renewal } = kept
  /** Settles when the InitializeResult is in: before, neither session id nor version is known. */
  let initializing: Promise<void> | undefined
  let initialized = (): void => {}

  /** A frame of the server; strikes out the requests that it answers. */
  function take(answer: Frame, request?: Frame, exchange?: Exchange): Promise<void> | undefined {
    for (const part of answer.parts ?? [answer]) {
      if (part.kind !== 'response' || exchange === undefined) continue
      if (!exchange.waiting.delete(part.id ?? '') && exchange.owner !== undefined) {
        exchange.waiting.delete(exchange.owner)
      }
    }
    const answers = answer.kind === 'response' ? request?.method : undefined
    if (answers === 'initialize') {
      session.initialized(answer)
      opening.answered(answer)
      kept.opened()
      initialized()
    }
    if (answers === 'tools/list') repeatable.learn(answer)
    const list = answers === 'tools/list' && exchange?.modern !== undefined
    return events.frame(list ? toolHeaders.learn(answer) : answer, exchange?.owner)
  }

  /** POSTs a request; opens a new session when the server has lost the one that it belongs to. */
  async function ask(frame: Frame, exchange: Exchange, onStart: () => void): Promise<HttpResponse> {
    for (let again = false; ; again = true) {
      exchange.generation = renewal.generation()
      const sentIn = exchange.modern === undefined ? session.id() : undefined
      const response = await posts.post(frame, exchange, onStart)
      if (response.status < 300) return response
      const body = await readBody(response, MAX_ERROR_BODY_BYTES)
      const stateful = sentIn !== undefined && frame.method !== 'initialize'
      // In a session that was opened just now the same words are an answer.
      const lost = stateful && !again && isSessionLost(response.status, body)
      if (!lost) throw failureOf(response, body)
      renewal.lose(exchange.generation)
      onStart()
      exchange.renewing = true
      await renewal.ready()
      exchange.renewing = false
      if (exchange.cancelled) throw new RelayError('Cancelled.', { phase: 'session' })
    }
  }

  /** Renews what we know of the tools when the server misses their headers, and asks again. */
  async function askWithTools(
    frame: Frame,
    exchange: Exchange,
    onStart: () => void,
  ): Promise<HttpResponse> {
    try {
      return await ask(frame, exchange, onStart)
    } catch (failure) {
      if (exchange.modern === undefined || !missesHeaders(frame, failure)) throw failure
      try {
        await listToolsAgain(frame, (list) => posts.post(list, exchange), toolHeaders, log)
      } catch {
        throw failure // says more than that the tools could not be listed
      }
      return await ask(frame, exchange, onStart)
    }
  }

  /** The server is told that nobody waits any more (MCP 2025-11-25, lifecycle, Timeouts). */
  function giveUp(
    { method }: Frame,
    { abort, modern, waiting }: Exchange,
    error: RelayError,
  ): void {
    abort!.abort(error) // there is one where there is a limit of time
    // In the stateless era the end of the connection says so; `initialize` is never cancelled.
    if (modern !== undefined || method === 'initialize') return
    for (const id of waiting) posts.notify(cancellation(id, error.message)).catch(() => {})
  }

  async function converse(frame: Frame, exchange: Exchange, onStart: () => void): Promise<Outcome> {
    const { cursor } = exchange
    const arrived = arrivals.expect(exchange.waiting)
    const isSubscription = exchange.modern !== undefined && frame.method === 'subscriptions/listen'
    // A subscription is silent as long as nothing changes.
    const watch = isSubscription
      ? UNWATCHED
      : patience.watch(frame, (error) => giveUp(frame, exchange, error))
    try {
      const response = await askWithTools(frame, exchange, onStart)
      arrived()
      watch.alive()
      if (frame.method === 'initialize') session.opened(response)
      exchange.response = response
      const takeAnswer: TakeFrame = (answer) => {
        if (isSubscription && acknowledges(answer)) exchange.subscribed = true
        return take(answer, frame, exchange)
      }
      const { failure } = await readAnswers(response, takeAnswer, cursor, log, watch.alive)
      if (exchange.waiting.size === 0 || exchange.cancelled) return 'complete'
      if (exchange.subscribed === true) {
        await subscribeAgain(frame, exchange, takeAnswer)
        return 'complete'
      }
      if (cursor.id === undefined || exchange.modern !== undefined) {
        throw failure ?? noAnswer(response)
      }
      const { alive } = watch
      const resumption = { url, send, log, session, exchange, cursor, take: takeAnswer, alive }
      await resumeStream({ ...resumption, lost: () => kept.lost(exchange.generation) })
      return 'complete'
    } catch (error) {
      if (exchange.cancelled) return 'complete'
      if (error instanceof ServerError) throw error
      throw brokenOff(error, url.origin, frame, repeatable.may)
    } finally {
      arrived()
      watch.end()
    }
  }

  async function subscribeAgain(
    listen: Frame,
    exchange: Exchange,
    takeAnswer: TakeFrame,
  ): Promise<void> {
    try {
      await listenAgain({
        listen,
        exchange,
        log,
        post: () => posts.post(listen, exchange),
        take: takeAnswer,
        signal: AbortSignal.any([kept.closed, exchange.abort!.signal]),
      })
    } catch (error) {
      // Behind the error that answers it: a host may take only one of the two for the end.
      setImmediate(() => void events.frame(subscriptionEnded(listen)))
      throw error
    }
  }

  async function notify(frame: Frame, onStart: () => void): Promise<Outcome> {
    if (frame.method !== 'notifications/initialized') return tell(frame, onStart)
    const introduced = kept.introduces()
    let arrived = false
    try {
      const outcome = await tell(frame, onStart)
      arrived = true
      return outcome
    } finally {
      introduced(arrived)
    }
  }

  async function tell(frame: Frame, onStart: () => void): Promise<Outcome> {
    const { method } = frame
    const sentIn = session.id()
    for (let again = false; ; again = true) {
      const generation = renewal.generation()
      const { status, failure, body } = await posts.notify(frame, onStart)
      if (failure === undefined) break
      if (sentIn === undefined || again || !isSessionLost(status, body)) throw failure
      kept.lost(generation)
      if (diesWithSession(frame)) return 'complete'
      onStart()
      await renewal.ready()
      // The new session has been told with the old one's words.
      if (method === 'notifications/initialized') return 'complete'
    }
    return 'complete'
  }

  async function deliver(frame: Frame, onStart: () => void): Promise<Outcome> {
    let forget: (() => void) | undefined
    try {
      // The host's answers may be what the server needs before it answers `initialize`.
      if (initializing !== undefined && frame.kind !== 'response') await initializing
      opening.note(frame)
      const cancelled = cancelledId(frame)
      if (cancelled !== undefined) {
        if (exchanges.cancel(cancelled)) return 'complete'
        await arrivals.arrived(cancelled)
      }
      const exchange = exchangeOf(frame)
      if (exchange !== undefined) forget = exchanges.add(exchange)
      const stateful = frame.method !== 'initialize' && exchange?.modern === undefined
      const renewing = stateful && frame.kind !== 'response' ? renewal.ready() : undefined
      if (renewing !== undefined) {
        // What follows waits for the same session, and none of it longer than for one try.
        onStart()
        await renewing
        if (cancelled !== undefined || exchange?.cancelled === true) return 'complete'
      }
      if (exchange === undefined) return await notify(frame, onStart)
      const wait = stateful && frame.method === 'tools/call' ? kept.beforeCall() : undefined
      if (wait !== undefined) await wait
      posts.speaks(exchange.modern)
      if (frame.method !== 'initialize') return await converse(frame, exchange, onStart)
      initializing = new Promise((resolve) => {
        initialized = resolve
      })
      try {
        return await converse(frame, exchange, onStart)
      } finally {
        initialized()
        initializing = undefined
      }
    } finally {
      forget?.()
      onStart()
    }
  }

  /** What a frame opens that wants an answer. */
  function exchangeOf(frame: Frame): Exchange | undefined {
    const waiting = new Set<RawId>()
    for (const part of frame.parts ?? [frame]) {
      if (part.kind === 'request' && part.id !== undefined) waiting.add(part.id)
    }
    if (waiting.size === 0) return undefined
    const modern = modernVersion(frame)
    return {
      waiting,
      owner: frame.kind === 'request' ? frame.id : undefined,
      modern,
      // Two per cent of the CPU of a message: only where something may give the request up.
      abort: modern !== undefined || patience.limited ? new AbortController() : undefined,
      cursor: {},
      generation: renewal.generation(),
      cancelled: false,
    }
  }

  return {
    send: (frame) => begin((onStart) => deliver(frame, onStart)),
    acceptsBatches: () => session.version() === BATCH_VERSION,
    canNotify: kept.canNotify,
    close: kept.close,
  }
}

function missesHeaders(frame: Frame, failure: unknown): boolean {
  if (frame.method !== 'tools/call' || !(failure instanceof ServerError)) return false
  return valueAt(failure.object, 'code') === HEADER_MISMATCH_CODE
}
