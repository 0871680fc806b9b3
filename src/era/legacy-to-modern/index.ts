import type { Delivery, Outcome } from '../../channel.ts'
import { RelayError, ServerError } from '../../errors.ts'
import { answer, cancelledId, errorFrame, type Frame, type RawId } from '../../frame.ts'
import { valueAt } from '../../json/locate.ts'
import { type Answer, createAsking } from '../ask.ts'
import {
  type Claims,
  claimsOf,
  discoverRequest,
  notification,
  objectAt,
  paramsOf,
  request,
  sourceAt,
  withClaims,
  withFrameMembers,
} from '../claims.ts'
import { over, perform } from '../../delivery.ts'
import { discoverEvidence } from '../evidence.ts'
import { noMutualVersion } from '../refusals.ts'
import type { Translator, TranslatorContext } from '../translator.ts'
import { CODE, MODERN_VERSION, isLogLevel } from '../vocabulary.ts'
import { type Call, converse } from './calls.ts'
import { initializeResult } from './introduction.ts'
import { createQuestions, type Questions } from './questions.ts'
import { createSubscriptions, type Subscriptions } from './subscriptions.ts'

/** A DiscoverResult and when it came, in milliseconds since the epoch. */
export interface Discovered {
  readonly result: Buffer
  readonly at: number
}

/** Notifications that a server of the stateless era has no use for. */
const DROPPED: ReadonlySet<string | undefined> = new Set([
  'notifications/roots/list_changed',
  'notifications/progress', // the only progress of a client is that of the server's requests
  'notifications/tasks/status',
])

/**
 * A host of the initialize era on a server of the stateless era. The host's first `initialize` is
 * answered from what was discovered already.
 */
export function openLegacyToModern(context: TranslatorContext, discovery: Discovered): Translator {
  const { server, events, log, host, now, random, standsFor } = context
  const asking = createAsking(server.send)
  /** The open requests of the host, by its ids. */
  const calls = new Map<RawId, Call>()
  let discovered = discovery
  let claims: Claims = { capabilities: Buffer.from('{}'), clientInfo: undefined }
  let questions: Questions = createQuestions(events, claims.capabilities, random)
  let subscriptions: Subscriptions | undefined
  let logLevel: string | undefined
  let opened = false
  let count = 0

  const nextId = (): RawId => String(++count)

  function cancelAtServer(id: RawId): void {
    // The transport closes the stream of the request and sends nothing.
    server.send(notification('notifications/cancelled', `{"requestId":${id}}`)).done.catch(() => {})
  }

  /** Asks the server for its versions; settles with the error when it has none that we speak. */
  async function rediscover(onStart?: () => void): Promise<ServerError | RelayError | undefined> {
    const found = await asking.ask(discoverRequest(nextId(), claims), onStart)
    const evidence = discoverEvidence(found)
    if (found.kind === 'result' && evidence.kind === 'modern') {
      if (evidence.versions.includes(MODERN_VERSION)) {
        discovered = { result: found.result, at: now() }
        return undefined
      }
      return noMutualVersion(host, evidence.versions, MODERN_VERSION, log)
    }
    if (found.kind === 'error') return new ServerError(found.error, found.httpStatus ?? 200)
    if (found.kind === 'failure' && found.error instanceof RelayError) return found.error
    return new RelayError(`${host} does not say which versions it speaks.`, { phase: 'response' })
  }

  async function initialize(frame: Frame, onStart: () => void): Promise<Outcome> {
    claims = claimsOf(frame)
    questions = createQuestions(
      events,
      objectAt(paramsOf(frame), 'capabilities') ?? Buffer.from('{}'),
      random,
    )
    subscriptions?.close()
    subscriptions = undefined
    logLevel = undefined
    const ttlMs = valueAt(discovered.result, 'ttlMs')
    const isFresh = now() - discovered.at <= (typeof ttlMs === 'number' ? ttlMs : 0)
    // The first one was discovered for the host that asks now.
    if (opened && !isFresh) {
      const error = await rediscover(onStart)
      if (error !== undefined) throw error
    }
    opened = true
    const result = initializeResult(frame, discovered.result, host)
    void events.frame(answer(frame.id!, 'result', result))
    return 'complete'
  }

  /** The host is ready to hear of changes. */
  function listen(): void {
    const capabilities = objectAt(discovered.result, 'capabilities') ?? Buffer.from('{}')
    subscriptions ??= createSubscriptions({
      events,
      log,
      now,
      listen(params) {
        const id = nextId()
        const claimed = withClaims(params, claims, undefined)
        return { id, answer: asking.ask(request(id, 'subscriptions/listen', claimed)) }
      },
      cancel: cancelAtServer,
    })
    subscriptions.start(capabilities)
  }

  function send(call: Call, params: Buffer, onStart: () => void): Promise<Answer> {
    const id = nextId()
    call.remoteId = id
    const claimed = withClaims(params, claims, logLevel)
    const frame = withFrameMembers(call.request, { id, params: claimed })
    standsFor(id, call.request.id!)
    return asking.ask(frame, onStart).finally(() => {
      if (call.remoteId === id) call.remoteId = undefined
    })
  }

  async function forward(frame: Frame, onStart: () => void): Promise<Outcome> {
    const call: Call = {
      request: frame,
      stop: new AbortController(),
      remoteId: undefined,
      cancelled: false,
      progressToken: sourceAt(paramsOf(frame), '_meta', 'progressToken'),
      progress: -Infinity,
    }
    calls.set(frame.id!, call)
    try {
      return await converse(call, { host, events, questions, send, rediscover }, onStart)
    } finally {
      calls.delete(frame.id!)
    }
  }

  function cancel(id: RawId): Delivery {
    const call = calls.get(id)
    if (call !== undefined) {
      call.cancelled = true
      call.stop.abort()
      if (call.remoteId !== undefined) cancelAtServer(call.remoteId)
    }
    return over()
  }

  function reply(frame: Frame, result = '{}'): Delivery {
    void events.frame(answer(frame.id!, 'result', Buffer.from(result)))
    return over()
  }

  function refuse(frame: Frame, code: number, message: string): Delivery {
    void events.frame(errorFrame(frame.id!, { code, message }))
    return over()
  }

  function setLevel(frame: Frame): Delivery {
    if (objectAt(discovered.result, 'capabilities', 'logging') === undefined) {
      return refuse(frame, CODE.methodNotFound, `${host} does not offer logging.`)
    }
    const level = valueAt(paramsOf(frame), 'level')
    if (!isLogLevel(level)) return refuse(frame, CODE.invalidParams, 'Unknown log level.')
    logLevel = level as string
    return reply(frame)
  }

  function subscription(frame: Frame): Delivery {
    const uri = valueAt(paramsOf(frame), 'uri')
    if (typeof uri !== 'string') return refuse(frame, CODE.invalidParams, 'No uri.')
    return perform(async () => {
      if (subscriptions === undefined) listen()
      if (frame.method === 'resources/unsubscribe') {
        await subscriptions?.unsubscribe(uri)
        reply(frame)
        return 'complete'
      }
      const why = await subscriptions?.subscribe(uri)
      if (why === undefined) reply(frame)
      else refuse(frame, CODE.invalidParams, `${uri} cannot be subscribed to: ${why}.`)
      return 'complete'
    })
  }

  function fromHost(frame: Frame): Delivery {
    if (frame.kind === 'response') {
      questions.take(frame)
      return over()
    }
    const { method } = frame
    if (frame.kind === 'notification') {
      if (DROPPED.has(method)) return over()
      if (method === 'notifications/initialized') {
        listen()
        return over()
      }
      const id = cancelledId(frame)
      return id === undefined ? server.send(frame) : cancel(id)
    }
    switch (method) {
      case 'initialize':
        return perform((onStart) => initialize(frame, onStart))
      case 'ping':
        return reply(frame)
      case 'logging/setLevel':
        return setLevel(frame)
      case 'resources/subscribe':
      case 'resources/unsubscribe':
        return subscription(frame)
      default:
        if (method?.startsWith('tasks/') === true) {
          return refuse(frame, CODE.methodNotFound, `${host} has no tasks for this host.`)
        }
        return perform((onStart) => forward(frame, onStart))
    }
  }

  /** Progress of a call whose rounds each count from their own beginning. */
  function isStaleProgress(frame: Frame): boolean {
    if (frame.method !== 'notifications/progress') return false
    const params = paramsOf(frame)
    const token = sourceAt(params, 'progressToken')
    const progress = valueAt(params, 'progress')
    if (typeof progress !== 'number') return false
    for (const call of calls.values()) {
      if (token === undefined || call.progressToken !== token) continue
      if (progress <= call.progress) return true
      call.progress = progress
    }
    return false
  }

  function fromServer(frame: Frame, owner?: RawId): Promise<void> | undefined {
    switch (frame.kind) {
      case 'response':
        asking.take(frame, owner)
        return undefined
      case 'notification': {
        const taken = subscriptions === undefined ? false : subscriptions.take(frame, owner)
        if (taken !== false) return taken
        // A subscription that ended; the host knows of none.
        if (frame.method === 'notifications/cancelled') return undefined
        return isStaleProgress(frame) ? undefined : events.frame(frame)
      }
      case 'batch': {
        let wait: Promise<void> | undefined
        for (const part of frame.parts ?? []) wait = fromServer(part, owner) ?? wait
        return wait
      }
      case 'request':
        log.warn(`${host} sent a request, which its protocol version does not have; it is left out`)
        return undefined
      case 'invalid':
        log.warn('the server sent something that is no JSON-RPC message; it is left out')
        return undefined
    }
  }

  return {
    send: fromHost,
    acceptsBatches: () => false,
    close() {
      subscriptions?.close()
      for (const call of calls.values()) call.stop.abort()
      return server.close()
    },
    fromServer,
    lost: asking.lost,
  }
}
