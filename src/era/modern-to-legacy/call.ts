import type { Remote } from '../../channel.ts'
import { ServerError } from '../../errors.ts'
import { type Frame, type RawId, slice } from '../../frame.ts'
import { withMembers } from '../../json/edit.ts'
import { valueAt } from '../../json/locate.ts'
import { MAX_CALL_QUESTIONS, QUESTION_GATHER_MS } from '../../limits.ts'
import { request as requestFrame, objectAt, paramsOf } from '../claims.ts'
import { cancellation } from './cancellation.ts'
import { type Exchanges, serverError } from './exchanges.ts'
import type { HostRequest } from './host-request.ts'
import type { Introduction } from './introduction.ts'
import type { Parked, Parking } from './parking.ts'
import { isDeclared, isInteractive, type Question, replyTo, withdrawn } from './questions.ts'
import { internalError, missingCapability, modernFailure } from './refusals.ts'
import { legacyRequest } from './request-meta.ts'
import { inputRequired, modernResult } from './results.ts'
import { createRounds } from './rounds.ts'
import { requiredPages } from './url-elicitation.ts'
import { expectVisits, type Visits } from './visits.ts'

/** A request to the server for which the host asks once, or again and again with more answers. */
export interface Call extends Parked {
  /** The host's request that waits for it now; none while the host is to answer questions. */
  waiting(): HostRequest | undefined
  /** The host's request that waited for it last. */
  last(): HostRequest
  /** Whether a request or a task of the server stands for it; ids and tokens as JSON source. */
  owns(what: { request?: RawId | undefined; task?: unknown }): boolean
  /** Whether a request of the server may be put to the host in the course of this call. */
  accepts(question: Frame): boolean
  ask(question: Question): void
  /** Whether a request of the server waits for the host's answer. */
  asks(id: RawId | undefined): boolean
  /** The server no longer wants an answer; false when it is no question of this call. */
  withdraw(id: RawId | undefined): boolean
  /** A person is done with a page. */
  visited(elicitationId: unknown): void
  cancel(notice?: Frame): void
}

export interface CallContext {
  readonly server: Remote
  readonly exchanges: Exchanges
  readonly parking: Parking
  readonly introduction: Introduction
  /** Host name of the server, as people know it. */
  readonly host: string
  /** Said before a request of ours is sent for this one of the host. */
  standsFor(id: RawId, hostId: RawId): void
  /** The JSON source of every result before it is changed. */
  onResult(method: string, result: Buffer): void
  onEnd(call: Call): void
}

/** Sends a request of the host; `started` settles when it is on the wire. */
export function openCall(
  first: HostRequest,
  asTask: boolean,
  context: CallContext,
): { call: Call; started: Promise<void> } {
  const { server, exchanges, parking, introduction, host, standsFor, onResult, onEnd } = context
  const { method } = first
  let last = first
  let waiting: HostRequest | undefined
  /** Requests of ours that stand for it, the latest last. The first one is its progress token. */
  const requests: RawId[] = []
  let task: string | undefined
  const rounds = createRounds()
  let gathering: NodeJS.Timeout | undefined
  /** Pages that have to be visited before the call is made again; none when nothing was refused. */
  let visits: Visits | undefined
  /** How it ended while nobody waited. */
  let outcome: ((host: HostRequest) => Promise<void> | undefined | void) | undefined
  let ended = false

  function send(build: (id: RawId) => Frame, take: (result: Buffer) => Promise<void> | undefined) {
    const { started } = exchanges.send(
      (id) => {
        requests.push(id)
        standsFor(id, last.id)
        return build(id)
      },
      {
        answered(frame) {
          if (frame.result === undefined) return refused(serverError(frame))
          return take(slice(frame.chunks, frame.result))
        },
        failed: (error) => void refused(error),
      },
    )
    return started
  }

  function begin(request: HostRequest): Promise<void> {
    waiting = request
    request.onCancel = cancel
    return send((id) => legacyRequest(request.frame, id, asTask), asTask ? follow : complete)
  }

  /** Follows the task that the server has made of the call. */
  function follow(result: Buffer): Promise<void> | undefined {
    const id = objectAt(result, 'task') && valueAt(result, 'task', 'taskId')
    if (typeof id !== 'string') return complete(result)
    task = id
    const params = Buffer.from(JSON.stringify({ taskId: id }))
    void send((remoteId) => requestFrame(remoteId, 'tasks/result', params), complete)
    return undefined
  }

  function complete(result: Buffer): Promise<void> | undefined {
    onResult(method, result)
    if (result[0] !== 0x7b) {
      const error = internalError(`${host} answered ${method} with something that is no object.`)
      return finish((request) => request.fail(error))
    }
    return finish((request) => request.answer(modernResult(method, result, introduction)))
  }

  function refused(error: Error): Promise<void> | undefined {
    const required = error instanceof ServerError ? requiredPages(error.object) : []
    if (required.length > 0 && isInteractive(method) && waiting !== undefined) {
      return visit(required)
    }
    return finish((request) => request.fail(modernFailure(error)), error)
  }

  function visit(required: ReturnType<typeof requiredPages>): Promise<void> | undefined {
    const needed = { elicitation: { url: {} } }
    if (valueAt(last.meta.capabilities, 'elicitation', 'url') === undefined) {
      const message = `${host} needs the user to open a page, which this client cannot show.`
      return finish((request) => request.fail(missingCapability(message, needed)))
    }
    visits = expectVisits(required.map(({ elicitationId }) => elicitationId))
    for (const { question } of required) rounds.add(question)
    park()
    return undefined
  }

  function finish(
    act: (request: HostRequest) => Promise<void> | undefined | void,
    lost?: Error,
  ): Promise<void> | undefined {
    if (ended) return undefined
    if (waiting !== undefined) {
      end()
      return act(waiting) ?? undefined
    }
    if (lost === undefined || lost instanceof ServerError) {
      outcome = act
    } else {
      const error = internalError(
        `The call was lost while ${host} waited for answers: ${lost.message}`,
      )
      outcome = (request) => request.fail(error)
    }
    return undefined
  }

  function end(): void {
    ended = true
    clearTimeout(gathering)
    visits?.stop()
    parking.remove(call)
    for (const question of rounds.drain()) {
      if (question.id !== undefined) void tell(withdrawn(question))
    }
    onEnd(call)
  }

  /** Sends something that nobody waits for: a server that is gone ends the call by itself. */
  function tell(frame: Frame): Promise<void> {
    const { started, done } = server.send(frame)
    done.catch(() => {})
    return started
  }

  function gather(): void {
    if (waiting === undefined || visits !== undefined) return
    gathering ??= setTimeout(park, QUESTION_GATHER_MS)
  }

  /** Answers the host's request with the questions; the host comes back with another request. */
  function park(): void {
    clearTimeout(gathering)
    gathering = undefined
    const request = waiting
    if (request === undefined || rounds.size === 0) return
    waiting = undefined
    const state = parking.put(call, request.frame)
    void request.answer(inputRequired(rounds.next(), state, introduction))
  }

  async function resume(request: HostRequest): Promise<void> {
    waiting = last = request
    request.onCancel = cancel
    if (outcome !== undefined) {
      end()
      await outcome(request)
      return
    }
    const responses = objectAt(paramsOf(request.frame), 'inputResponses') ?? Buffer.from('{}')
    const replies: Promise<void>[] = []
    for (const { question, response } of rounds.answered(responses)) {
      if (question.id !== undefined) replies.push(tell(replyTo(question, response)))
      else if (valueAt(response, 'action') !== 'accept') return declined(request)
    }
    if (rounds.size > 0) park()
    else if (visits !== undefined) await repeat(request, visits)
    else await Promise.all(replies)
  }

  /** Makes the call again once the pages have been visited. */
  async function repeat(request: HostRequest, pages: Visits): Promise<void> {
    await pages.done()
    visits = undefined
    if (!ended) await begin(request)
  }

  function declined(request: HostRequest): void {
    const message = `The user did not open the page that ${host} needs.`
    end()
    if (method !== 'tools/call') return request.fail(internalError(message))
    const content = JSON.stringify([{ type: 'text', text: message }])
    const result = withMembers(Buffer.from('{}'), { content, isError: 'true' })
    void request.answer(modernResult(method, result, introduction))
  }

  function cancel(notice?: Frame): void {
    if (ended) return
    const isOpen = outcome === undefined && visits === undefined
    const id = requests.at(-1)
    if (isOpen && task !== undefined) {
      const params = Buffer.from(JSON.stringify({ taskId: task }))
      exchanges.ask('tasks/cancel', params).catch(() => {}) // it may be over by itself
    }
    if (isOpen && id !== undefined) {
      exchanges.forget(id)
      void tell(cancellation(id, notice))
    }
    end()
  }

  const call: Call = {
    waiting: () => waiting,
    last: () => last,
    owns: ({ request, task: named }) =>
      (request !== undefined && requests.includes(request)) ||
      (task !== undefined && task === named),
    accepts: (question) =>
      isInteractive(method) &&
      outcome === undefined &&
      visits === undefined &&
      rounds.size < MAX_CALL_QUESTIONS &&
      isDeclared(question, last.meta.capabilities),
    ask(question) {
      rounds.add(question)
      gather()
    },
    asks: rounds.has,
    withdraw: rounds.withdraw,
    visited: (elicitationId) => visits?.visited(String(elicitationId)),
    resume,
    cancel,
    abandon: cancel,
  }
  return { call, started: begin(first) }
}
