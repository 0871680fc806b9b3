import type { Outcome, Remote } from '../channel.ts'
import { modernHeaders, modernVersion } from '../era/headers.ts'
import { createToolHeaders } from '../era/tool-headers.ts'
import { listToolsAgain } from './tool-refresh.ts'
import { networkFailure, ServerError } from '../errors.ts'
import { cancelledId, type Frame, type RawId } from '../frame.ts'
import { readBody } from '../http/body.ts'
import type { HttpResponse } from '../http/client.ts'
import { valueAt } from '../json/locate.ts'
import { MAX_ERROR_BODY_BYTES, SESSION_DELETE_MS } from '../limits.ts'
import { noAnswer, readAnswers, type TakeFrame } from './answers.ts'
import { createArrivals } from './arrivals.ts'
import type { Cursor, Exchange, TransportContext } from './context.ts'
import { begin } from '../delivery.ts'
import { httpFailure } from './failures.ts'
import { keepListening } from './listening.ts'
import { acknowledges, listenAgain, subscriptionEnded } from './relisten.ts'
import { resumeStream } from './resume.ts'
import type { Watch } from './patience.ts'
import { createSession } from './session.ts'

/** The media types of every POST (MCP 2025-11-25, Sending Messages to the Server). */
const POST_HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
} as const

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
  const toolHeaders = createToolHeaders(log)
  const exchanges = new Map<RawId, Exchange>()
  const arrivals = createArrivals()
  const closing = new AbortController()
  let listening = false
  /** Whether the server offers a stream of its own, once it has answered. */
  let streaming: Promise<boolean> = Promise.resolve(false)
  let lastModern: string | undefined
  /** Settles when the InitializeResult is in: before, neither session id nor version is known. */
  let initializing: Promise<void> | undefined
  let initialized = (): void => {}

  function post(frame: Frame, exchange?: Exchange, onStart?: () => void): Promise<HttpResponse> {
    const version = exchange === undefined ? lastModern : exchange.modern
    const headers: Record<string, string> = { ...POST_HEADERS }
    if (version !== undefined) {
      Object.assign(headers, modernHeaders(frame, version), toolHeaders.headers(frame))
    } else if (frame.method !== 'initialize') {
      Object.assign(headers, session.headers())
    }
    const signal = exchange?.abort?.signal
    return send({ method: 'POST', url, headers, body: frame.chunks, onStart, signal })
  }

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
      initialized()
    }
    const list = answers === 'tools/list' && exchange?.modern !== undefined
    return events.frame(list ? toolHeaders.learn(answer) : answer, exchange?.owner)
  }

  /** POSTs a request; renews what we know of the tools when the server misses their headers. */
  async function ask(frame: Frame, exchange: Exchange, onStart: () => void): Promise<HttpResponse> {
    const response = await post(frame, exchange, onStart)
    if (response.status < 300) return response
    const failure = await httpFailure(response)
    if (exchange.modern === undefined || !missesHeaders(frame, failure)) throw failure
    try {
      await listToolsAgain(frame, (list) => post(list, exchange), toolHeaders, log)
    } catch {
      throw failure // says more than that the tools could not be listed
    }
    const second = await post(frame, exchange)
    if (second.status < 300) return second
    throw await httpFailure(second)
  }

  async function converse(frame: Frame, exchange: Exchange, onStart: () => void): Promise<Outcome> {
    for (const id of exchange.waiting) exchanges.set(id, exchange)
    const ids = [...exchange.waiting]
    const arrived = arrivals.expect(exchange.waiting)
    const isSubscription = exchange.modern !== undefined && frame.method === 'subscriptions/listen'
    // A subscription is silent as long as nothing changes.
    const watch = isSubscription
      ? UNWATCHED
      : patience.watch(frame, (error) => exchange.abort?.abort(error))
    let acknowledged = false
    try {
      const response = await ask(frame, exchange, onStart)
      arrived()
      watch.alive()
      if (frame.method === 'initialize') session.opened(response)
      const takeAnswer = (answer: Frame) => {
        acknowledged ||= isSubscription && acknowledges(answer)
        return take(answer, frame, exchange)
      }
      const cursor: Cursor = {}
      const { failure } = await readAnswers(response, takeAnswer, cursor, log, watch.alive)
      if (exchange.waiting.size === 0 || exchange.cancelled) return 'complete'
      if (acknowledged) {
        await subscribeAgain(frame, exchange, takeAnswer)
        return 'complete'
      }
      if (cursor.id === undefined || exchange.modern !== undefined) {
        throw failure ?? noAnswer(response)
      }
      const { alive } = watch
      await resumeStream({ url, send, log, session, exchange, cursor, take: takeAnswer, alive })
      return 'complete'
    } catch (error) {
      if (exchange.cancelled) return 'complete'
      if (error instanceof ServerError) throw error
      throw networkFailure(error, url.origin, 'response')
    } finally {
      arrived()
      watch.end()
      for (const id of ids) exchanges.delete(id)
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
        post: () => post(listen, exchange),
        take: takeAnswer,
        signal: AbortSignal.any([closing.signal, exchange.abort!.signal]),
      })
    } catch (error) {
      // Behind the error that answers it: a host may take only one of the two for the end.
      setImmediate(() => void events.frame(subscriptionEnded(listen)))
      throw error
    }
  }

  async function notify(frame: Frame, onStart: () => void): Promise<Outcome> {
    try {
      const response = await post(frame, undefined, onStart)
      if (response.status >= 300) throw await httpFailure(response)
      await readBody(response, MAX_ERROR_BODY_BYTES)
    } catch (error) {
      if (error instanceof ServerError) throw error
      throw networkFailure(error, url.origin, 'request')
    }
    if (frame.method === 'notifications/initialized' && !listening) {
      listening = true
      const { signal } = closing
      streaming = new Promise((resolve) => {
        const onOpen = (): void => resolve(true)
        void keepListening({ url, send, log, session, take, signal, onOpen }).finally(() => {
          listening = false
          resolve(false)
        })
      })
    }
    return 'complete'
  }

  async function deliver(frame: Frame, onStart: () => void): Promise<Outcome> {
    try {
      // The host's answers may be what the server needs before it answers `initialize`.
      if (initializing !== undefined && frame.kind !== 'response') await initializing
      const cancelled = cancelledId(frame)
      if (cancelled !== undefined) {
        if (cancel(cancelled)) return 'complete'
        await arrivals.arrived(cancelled)
      }
      const waiting = new Set<RawId>()
      for (const part of frame.parts ?? [frame]) {
        if (part.kind === 'request' && part.id !== undefined) waiting.add(part.id)
      }
      if (waiting.size === 0) return await notify(frame, onStart)
      const modern = modernVersion(frame)
      lastModern = modern ?? lastModern
      const owner = frame.kind === 'request' ? frame.id : undefined
      // Two per cent of the CPU of a message: only where something may give the request up.
      const abort = modern !== undefined || patience.limited ? new AbortController() : undefined
      const exchange = { waiting, owner, modern, abort, cancelled: false }
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
      onStart()
    }
  }

  /**
   * A cancelled request loses its claim to an answer. In the stateless era closing its stream is the
   * cancellation (MCP 2026-07-28, cancellation), and nothing is sent: true.
   */
  function cancel(id: RawId): boolean {
    const exchange = exchanges.get(id)
    if (exchange === undefined) return false
    exchange.waiting.delete(id)
    if (exchange.waiting.size > 0) return false
    exchange.cancelled = true
    if (exchange.modern === undefined) return false
    exchange.abort?.abort(new Error('cancelled by the host'))
    return true
  }

  return {
    send: (frame) => begin((onStart) => deliver(frame, onStart)),
    acceptsBatches: () => session.version() === BATCH_VERSION,
    canNotify: () => streaming,
    async close() {
      closing.abort(new Error('the bridge is closing'))
      const id = session.id()
      if (id === undefined) return
      const signal = AbortSignal.timeout(SESSION_DELETE_MS)
      const headers = session.headers()
      try {
        const response = await send({ method: 'DELETE', url, headers, signal })
        await readBody(response, MAX_ERROR_BODY_BYTES) // 405 is a legal answer (N-5)
      } catch {
        // The session ends by itself on the server; nobody is left to be told.
      }
    },
  }
}

function missesHeaders(frame: Frame, failure: Error): boolean {
  if (frame.method !== 'tools/call' || !(failure instanceof ServerError)) return false
  return valueAt(failure.object, 'code') === HEADER_MISMATCH_CODE
}
