import type { Delivery } from '../../channel.ts'
import { begin, failed, over } from '../../delivery.ts'
import { ServerError } from '../../errors.ts'
import { answer, cancelledId, type Frame, type RawId } from '../../frame.ts'
import { locate, valueAt } from '../../json/locate.ts'
import { paramsOf } from '../claims.ts'
import type { Translator, TranslatorContext } from '../translator.ts'
import { createCalls } from './calls.ts'
import { createExchanges } from './exchanges.ts'
import { type HostRequest, openHostRequest } from './host-request.ts'
import { createSession, type Introduction } from './introduction.ts'
import { createListens } from './listens.ts'
import { createSessionLevel, mostVerbose } from './log-levels.ts'
import { isInteractive, unanswerable } from './questions.ts'
import { initializeTooLate } from '../refusals.ts'
import { modernFailure, unknownMethod } from './refusals.ts'
import { readMeta } from './request-meta.ts'
import { discoverResult } from './results.ts'
import { createTaskTools } from './tasks.ts'

/** Requests that the stateless era took out (MCP 2026-07-28, changelog). */
const REMOVED = /^(?:ping|logging\/setLevel|resources\/(?:un)?subscribe|tasks\/.*)$/

/** Requests of a server that a host may be asked by a result. */
const QUESTIONS: ReadonlySet<string> = new Set([
  'elicitation/create',
  'sampling/createMessage',
  'roots/list',
])

/**
 * A server that knows only sessions, for a host that knows none: one session behind stateless
 * requests. Everything that the server says on its own account becomes part of an answer, or of a
 * subscription, or is nobody's.
 */
export function openModernToLegacy(context: TranslatorContext): Translator {
  const { server, events, log, host, random, standsFor } = context
  const exchanges = createExchanges(server)
  const session = createSession({ server, exchanges, log, host })
  const levels = createSessionLevel(exchanges)
  const tools = createTaskTools(exchanges)
  const listens = createListens(server, events, exchanges, log)
  const calls = createCalls({
    server,
    events,
    exchanges,
    log,
    host,
    random,
    standsFor,
    onResult(method, result) {
      if (method === 'tools/list') tools.learn(result)
    },
  })
  const waiting = new Map<RawId, HostRequest>()

  function fromHost(frame: Frame): Delivery {
    switch (frame.kind) {
      case 'request':
        return request(frame)
      case 'notification': {
        const id = cancelledId(frame)
        if (id !== undefined) cancel(id, frame)
        // The stateless era has no other notifications of clients.
        return over()
      }
      case 'response':
      case 'batch':
      case 'invalid':
        return over()
    }
  }

  function request(frame: Frame): Delivery {
    const method = frame.method!
    if (method === 'initialize') return failed(initializeTooLate(frame))
    if (REMOVED.test(method)) return failed(unknownMethod(method))
    const meta = readMeta(frame)
    if (meta instanceof ServerError) return failed(meta)
    const { host: asked, done } = openHostRequest(frame, meta, events)
    waiting.set(asked.id, asked)
    return begin((onStart) => {
      route(asked, onStart)
        .catch((error: Error) => asked.fail(modernFailure(error)))
        .finally(onStart)
      return done.finally(() => {
        if (waiting.get(asked.id) === asked) waiting.delete(asked.id)
      })
    })
  }

  /** Brings a request on its way; `onStart` is called early when that has to wait for something. */
  async function route(asked: HostRequest, onStart: () => void): Promise<void> {
    let introduction = session.introduction()
    if (introduction === undefined) {
      onStart()
      introduction = await session.open(asked.meta)
    }
    if (asked.cancelled) return
    const params = paramsOf(asked.frame)
    switch (asked.method) {
      case 'server/discover':
        await asked.answer(discoverResult(introduction))
        return
      case 'subscriptions/listen':
        onStart()
        return listens.open(asked, introduction)
    }
    // Answers without a state belong to nothing: the server will ask for what it needs (SEP-2322).
    if (locate(params, 'requestState') !== undefined && isInteractive(asked.method)) {
      onStart()
      return calls.resume(asked)
    }
    await prepareLevel(asked, introduction, onStart)
    let asTask: boolean | Promise<boolean> = false
    if (asked.method === 'tools/call') {
      asTask = tools.isRequired(valueAt(params, 'name'), introduction)
      if (asTask instanceof Promise) {
        onStart()
        asTask = await asTask
      }
    }
    if (!asked.cancelled) await calls.begin(asked, introduction, asTask)
  }

  /** Makes the session as verbose as the most curious of the open requests. */
  async function prepareLevel(
    { meta }: HostRequest,
    { capabilities }: Introduction,
    onStart: () => void,
  ): Promise<void> {
    if (meta.logLevel === undefined || locate(capabilities, 'logging') === undefined) return
    onStart()
    await levels.set(mostVerbose([calls.logLevel(), meta.logLevel])!)
  }

  function cancel(id: RawId, notice: Frame): void {
    const asked = waiting.get(id)
    if (asked === undefined) calls.cancelParked(id, notice)
    else asked.cancel(notice)
  }

  function fromServer(frame: Frame, owner?: RawId): Promise<void> | undefined {
    switch (frame.kind) {
      case 'response':
        return exchanges.take(frame, owner)
      case 'request':
        question(frame, owner)
        return undefined
      case 'notification':
        return notified(frame, owner)
      case 'batch': {
        let wait: Promise<void> | undefined
        for (const part of frame.parts ?? []) wait = fromServer(part, owner) ?? wait
        return wait
      }
      case 'invalid':
        log.warn('the server sent something that is no JSON-RPC message; it is left out')
        return undefined
    }
  }

  function question(frame: Frame, owner: RawId | undefined): void {
    if (QUESTIONS.has(frame.method!)) {
      calls.ask(frame, owner)
      return
    }
    const isPing = frame.method === 'ping'
    const reply = isPing ? answer(frame.id!, 'result', Buffer.from('{}')) : unanswerable(frame)
    server.send(reply).done.catch(() => {}) // a server that is gone asks no more
  }

  function notified(frame: Frame, owner: RawId | undefined): Promise<void> | undefined {
    switch (frame.method) {
      case 'notifications/progress':
        return calls.progress(frame)
      case 'notifications/message':
        return calls.message(frame, owner)
      case 'notifications/tools/list_changed':
        tools.forget()
        return listens.changed(frame)
      case 'notifications/prompts/list_changed':
      case 'notifications/resources/list_changed':
      case 'notifications/resources/updated':
        return listens.changed(frame)
      case 'notifications/cancelled':
        calls.withdraw(cancelledId(frame))
        return undefined
      case 'notifications/elicitation/complete':
        calls.visited(valueAt(paramsOf(frame), 'elicitationId'))
        return undefined
      case 'notifications/tasks/status':
        return undefined
      default:
        return calls.related(frame, owner)
    }
  }

  return {
    send: fromHost,
    acceptsBatches: () => false,
    fromServer,
    lost(why, only) {
      exchanges.lost(why, only)
      if (only !== undefined || listens.size === 0) return
      // Who only listens says nothing that would bring the connection back.
      exchanges.ask('ping').catch(() => listens.end())
    },
    ended: () => listens.end(),
    async close() {
      calls.close()
      await server.close()
    },
  }
}
