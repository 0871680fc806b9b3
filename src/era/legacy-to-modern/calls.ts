import type { Outcome, RemoteEvents } from '../../channel.ts'
import { networkCode, RelayError, ServerError } from '../../errors.ts'
import { answer as response, errorFrame, type Frame, type RawId } from '../../frame.ts'
import { withMembers } from '../../json/edit.ts'
import { locate, members, valueAt } from '../../json/locate.ts'
import { INPUT_MS, MAX_INPUT_ROUNDS, STATE_ONLY_PAUSE_MS } from '../../limits.ts'
import { pause } from '../../pause.ts'
import type { Answer } from '../ask.ts'
import { objectAt, paramsOf, withFrameMembers } from '../claims.ts'
import { CODE } from '../vocabulary.ts'
import type { Questions } from './questions.ts'
import { failedCall, legalResult } from './results.ts'

/** A request of the host that the server has not answered to the end. */
export interface Call {
  readonly request: Frame
  /** Ends the wait for people, by the host or by the clock. */
  readonly stop: AbortController
  /** The request that stands for it at the server at the moment. */
  remoteId: RawId | undefined
  /** The host no longer wants an answer. */
  cancelled: boolean
  /** JSON source. */
  readonly progressToken: string | undefined
  /** The last value of its progress; it only grows, also across rounds. */
  progress: number
}

/** What a call needs of the translator. */
export interface CallContext {
  readonly host: string
  readonly events: RemoteEvents
  readonly questions: Questions
  /** Sends the request of a call with these parameters, under a new id and with the claims. */
  send(call: Call, params: Buffer, onStart: () => void): Promise<Answer>
  /** Asks the server for its versions again; settles with the error when none is left. */
  rediscover(): Promise<ServerError | RelayError | undefined>
}

/** Methods that the server may answer with questions (MCP 2026-07-28, Multi Round-Trip Requests). */
const INTERACTIVE: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read'])

/** Requests that change nothing: one more of them harms nobody. */
const HARMLESS: ReadonlySet<string> = new Set([
  'tools/list',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'completion/complete',
])

/** Brings a call to its end: questions of the server are answered by the host, round by round. */
export async function converse(
  call: Call,
  context: CallContext,
  onStart: () => void,
): Promise<Outcome> {
  const { request, stop } = call
  const method = request.method!
  const base = baseParams(request)
  let params = base
  let clock: NodeJS.Timeout | undefined
  try {
    for (let round = 0; ; round++) {
      const answer = await ask(call, params, context, onStart)
      if (call.cancelled) return 'complete'
      if (answer.kind !== 'result') return refuse(call, answer, context)
      const type = valueAt(answer.result, 'resultType') ?? 'complete'
      if (type === 'complete') return deliver(call, answer.frame, answer.result, context)
      if (type !== 'input_required' || !INTERACTIVE.has(method)) return invalid(call, type, context)
      if (round === MAX_INPUT_ROUNDS) {
        const why = `it has asked ${MAX_INPUT_ROUNDS} times and still does not answer`
        return giveUp(call, why, context)
      }
      clock ??= setTimeout(() => stop.abort(), INPUT_MS).unref()
      const next = await nextRound(answer.result, call, context)
      if (call.cancelled) return 'complete'
      if (typeof next === 'string') return giveUp(call, next, context)
      params = withMembers(base, next)
    }
  } finally {
    clearTimeout(clock)
  }
}

/** What the next request says beyond the first; a text when there will be none. */
async function nextRound(
  result: Buffer,
  { stop }: Call,
  { questions }: CallContext,
): Promise<{ inputResponses: string | undefined; requestState: Buffer | undefined } | string> {
  const expired = `nobody answered its questions within ${INPUT_MS / 60_000} minutes`
  const span = locate(result, 'requestState')
  const requestState = span && result.subarray(span.start, span.end)
  const inputRequests = objectAt(result, 'inputRequests')
  if (inputRequests === undefined || members(inputRequests, locate(inputRequests)!).next().done) {
    if (requestState === undefined) return 'it asks for input and does not say for which'
    await pause(STATE_ONLY_PAUSE_MS, stop.signal)
    return stop.signal.aborted ? expired : { inputResponses: undefined, requestState }
  }
  const replies = await questions.ask(inputRequests, stop.signal)
  switch (replies.kind) {
    case 'replies':
      return { inputResponses: replies.source, requestState }
    case 'refused':
      return replies.why
    case 'aborted':
      return expired
  }
}

/** Asks once, and once more where that is safe and promises something. */
async function ask(
  call: Call,
  params: Buffer,
  context: CallContext,
  onStart: () => void,
): Promise<Answer> {
  const answer = await context.send(call, params, onStart)
  if (call.cancelled) return answer
  if (answer.kind === 'error' && valueAt(answer.error, 'code') === CODE.unsupportedVersion) {
    const error = await context.rediscover()
    return error === undefined ? context.send(call, params, onStart) : { kind: 'failure', error }
  }
  if (answer.kind !== 'failure' || !isCut(answer.error)) return answer
  if (HARMLESS.has(call.request.method!)) return context.send(call, params, onStart)
  const message = `The connection to ${context.host} broke: the result is lost, and the request may have been carried out.`
  return { kind: 'failure', error: new RelayError(message, { phase: 'stream' }, answer.error) }
}

/** The server had the request, and its answer was cut off. */
function isCut(error: Error): boolean {
  if (!(error instanceof RelayError)) return false
  const { phase, httpStatus = 0 } = error.details
  if (phase === 'stream') return true
  const ended = httpStatus >= 200 && httpStatus < 300
  return phase === 'response' && (ended || networkCode(error.cause) !== undefined)
}

/** The parameters without the wish for a task, which a server of today decides on (SEP-2663). */
function baseParams(request: Frame): Buffer {
  const params = paramsOf(request)
  return request.method === 'tools/call' ? withMembers(params, { task: undefined }) : params
}

function deliver(call: Call, frame: Frame, result: Buffer, { events }: CallContext): Outcome {
  const { id, method } = call.request
  void events.frame(withFrameMembers(frame, { id, result: legalResult(method!, result) }))
  return 'complete'
}

/** The server's own error under the host's id, or what kept the server from answering. */
function refuse(
  { request }: Call,
  answer: Exclude<Answer, { kind: 'result' }>,
  { events }: CallContext,
): Outcome {
  if (answer.kind === 'failure') throw answer.error
  const error = withCapabilityNamed(answer.error)
  if (answer.frame === undefined) throw new ServerError(error, answer.httpStatus ?? 200)
  void events.frame(withFrameMembers(answer.frame, { id: request.id, error }))
  return 'complete'
}

/** Says in words which capability is missing (MCP 2026-07-28, basic, Error Codes: `-32021`). */
function withCapabilityNamed(error: Buffer): Buffer {
  if (valueAt(error, 'code') !== CODE.missingCapability) return error
  const required = valueAt(error, 'data', 'requiredCapabilities')
  const message = valueAt(error, 'message')
  if (typeof required !== 'object' || required === null || typeof message !== 'string') return error
  const missing = Object.keys(required).filter((name) => !message.includes(name))
  if (missing.length === 0) return error
  const named = `${message} (the host does not offer: ${missing.join(', ')})`
  return withMembers(error, { message: JSON.stringify(named) })
}

/** Results that only an extension defines, and none has been offered to the server. */
function invalid({ request }: Call, type: unknown, { host, events }: CallContext): Outcome {
  const what =
    type === 'task' ? 'an undeclared task' : `a result of the unknown type ${String(type)}`
  const message = `${host} returned ${what}.`
  void events.frame(errorFrame(request.id!, { code: CODE.internal, message }))
  return 'complete'
}

/** A call that cannot go on: the model should read why, so for a tool it is a result. */
function giveUp({ request }: Call, why: string, { host, events }: CallContext): Outcome {
  const text = `${host} cannot go on with this: ${why}.`
  if (request.method !== 'tools/call') throw new RelayError(text, { phase: 'request' })
  void events.frame(response(request.id!, 'result', failedCall(text)))
  return 'complete'
}
