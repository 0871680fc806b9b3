import type { Remote, RemoteEvents } from '../../channel.ts'
import { errorFrame, type Frame, type RawId } from '../../frame.ts'
import { invalid } from '../../error-frames.ts'
import { withMembers } from '../../json/edit.ts'
import { locate, valueAt } from '../../json/locate.ts'
import type { Log } from '../../log.ts'
import { objectAt, paramsOf, withFrameMembers } from '../claims.ts'
import { type Call, type CallContext, openCall } from './call.ts'
import type { Exchanges } from './exchanges.ts'
import type { HostRequest } from './host-request.ts'
import type { Introduction } from './introduction.ts'
import type { LogLevel } from '../vocabulary.ts'
import { isLoud, mostVerbose } from './log-levels.ts'
import { createParking } from './parking.ts'
import { readQuestion, unanswerable } from './questions.ts'
import { RELATED_TASK } from './results.ts'

/** The requests of the host that the server works on, and what it says of them. */
export interface Calls {
  /** Sends a request of the host; settles when it is on the wire. */
  begin(request: HostRequest, introduction: Introduction, asTask: boolean): Promise<void>
  /** Goes on with a call whose questions this request answers; rejects with the refusal. */
  resume(request: HostRequest): Promise<void>
  /** The host gives up a request that it was asked questions for. */
  cancelParked(id: RawId, notice: Frame): void
  /** A request of the server for the host; `owner` is ours in whose response it came. */
  ask(question: Frame, owner: RawId | undefined): void
  /** The server no longer wants an answer to its request. */
  withdraw(id: RawId | undefined): void
  /** A person is done with a page. */
  visited(elicitationId: unknown): void
  progress(frame: Frame): Promise<void> | undefined
  message(frame: Frame, owner: RawId | undefined): Promise<void> | undefined
  /** Something else that the server says in the response to a request. */
  related(frame: Frame, owner: RawId | undefined): Promise<void> | undefined
  /** The most verbose level that an open request wants to hear. */
  logLevel(): LogLevel | undefined
  /** Gives every call up. */
  close(): void
}

export interface CallsContext {
  readonly server: Remote
  readonly events: RemoteEvents
  readonly exchanges: Exchanges
  readonly log: Log
  readonly host: string
  readonly random: () => string
  readonly standsFor: CallContext['standsFor']
  readonly onResult: CallContext['onResult']
}

/** No calls yet. */
export function createCalls(context: CallsContext): Calls {
  const { server, events, log, random } = context
  const parking = createParking(random)
  /** In the order in which they began. */
  const calls = new Set<Call>()

  function find(test: (call: Call) => boolean): Call | undefined {
    return [...calls].findLast(test)
  }

  /** The call that a message of the server belongs to. */
  function ownerOf(frame: Frame, owner: RawId | undefined): Call | undefined {
    const task = valueAt(paramsOf(frame), '_meta', RELATED_TASK, 'taskId')
    return find((call) => call.owns({ request: owner, task }))
  }

  return {
    begin(request, introduction, asTask) {
      const { call, started } = openCall(request, asTask, {
        ...context,
        parking,
        introduction,
        onEnd: (ended) => void calls.delete(ended),
      })
      calls.add(call)
      return started
    },

    resume: (request) => parking.take(request.frame).resume(request),

    cancelParked(id, notice) {
      const call = find((one) => one.waiting() === undefined && one.last().id === id)
      call?.cancel(notice)
    },

    ask(question, owner) {
      const own = ownerOf(question, owner)
      // Without a stream of its own, a question is most likely about what was asked last.
      const call = own ?? find((one) => one.accepts(question))
      if (call === undefined || !call.accepts(question)) {
        log.state({ part: 'era', what: 'question refused', method: question.method })
        server.send(unanswerable(question)).done.catch(() => {})
        return
      }
      if (find((one) => one.asks(question.id)) !== undefined) {
        const refusal = errorFrame(question.id!, invalid('A request with this id is still open.'))
        server.send(refusal).done.catch(() => {})
        return
      }
      call.ask(readQuestion(question))
    },

    withdraw: (id) => void find((call) => call.withdraw(id)),

    visited(elicitationId) {
      for (const call of calls) call.visited(elicitationId)
    },

    progress(frame) {
      const params = paramsOf(frame)
      const span = locate(params, 'progressToken')
      const token = span && params.toString('utf8', span.start, span.end)
      const call = find((one) => one.owns({ request: token }))
      const progressToken = call?.waiting()?.meta.progressToken
      if (progressToken === undefined) return undefined
      return events.frame(withParams(frame, withMembers(params, { progressToken })))
    },

    message(frame, owner) {
      const own = ownerOf(frame, owner)
      const wanted = own === undefined ? this.logLevel() : own.waiting()?.meta.logLevel
      if (!isLoud(valueAt(paramsOf(frame), 'level'), wanted)) return undefined
      return events.frame(withParams(frame, paramsOf(frame)))
    },

    related(frame, owner) {
      const isOpen = ownerOf(frame, owner)?.waiting() !== undefined
      return isOpen ? events.frame(frame) : undefined
    },

    logLevel: () => mostVerbose([...calls].map((call) => call.waiting()?.meta.logLevel)),

    close() {
      for (const call of calls) call.cancel()
    },
  }
}

/** A notification with these parameters; tasks stay between us and the server. */
function withParams(frame: Frame, params: Buffer): Frame {
  const meta = objectAt(params, '_meta')
  if (meta === undefined) return withFrameMembers(frame, { params })
  const rest = withMembers(meta, { [RELATED_TASK]: undefined })
  return withFrameMembers(frame, { params: withMembers(params, { _meta: rest }) })
}
