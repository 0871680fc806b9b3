import { answer, errorFrame, type Frame, type RawId } from '../../frame.ts'
import { withMembers } from '../../json/edit.ts'
import { valueAt } from '../../json/locate.ts'
import { objectAt, paramsOf } from '../claims.ts'
import { CODE } from '../vocabulary.ts'
import { RELATED_TASK } from './results.ts'

/** What the host is to be asked before a call can go on. */
export interface Question {
  /** The server's request that waits for the answer; none when its answer is the call itself. */
  readonly id: RawId | undefined
  readonly method: string
  /** JSON source of the input request. */
  readonly entry: Buffer
  /** JSON source of what ties it to a task; the answer carries it too. */
  readonly task: Buffer | undefined
}

/** Methods that may end in questions (MCP 2026-07-28, Multi Round-Trip Requests). */
const INTERACTIVE: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read'])

/** Whether the results of a method may be questions. */
export function isInteractive(method: string): boolean {
  return INTERACTIVE.has(method)
}

/** What the host must have declared to be asked something; `undefined` for what no host is asked. */
function capabilityFor({ method, params }: Frame, text: Buffer): string[][] | undefined {
  const value = (name: string): unknown => (params === undefined ? undefined : valueAt(text, name))
  switch (method) {
    case 'roots/list':
      return [['roots']]
    case 'sampling/createMessage':
      return value('tools') === undefined ? [['sampling']] : [['sampling', 'tools']]
    case 'elicitation/create':
      if (value('mode') === 'url') return [['elicitation', 'url']]
      // Who declares no mode declares forms (MCP 2026-07-28, elicitation, Capabilities).
      return [['elicitation', 'form'], ['elicitation']]
    default:
      return undefined
  }
}

/** Whether the capabilities of a client, as JSON source, allow a question to be put to it. */
export function isDeclared(question: Frame, capabilities: Buffer): boolean {
  const ways = capabilityFor(question, paramsOf(question)) ?? []
  return ways.some((path) => {
    const declared = valueAt(capabilities, ...path)
    if (typeof declared !== 'object' || declared === null) return false
    return path.length > 1 || path[0] !== 'elicitation' || !('url' in declared)
  })
}

/** A request of the server as a question to the host. */
export function readQuestion(frame: Frame): Question {
  const params = paramsOf(frame)
  const asked = withMembers(params, { elicitationId: undefined, task: undefined, _meta: undefined })
  return {
    id: frame.id,
    method: frame.method!,
    entry: inputRequest(frame.method!, frame.params === undefined ? undefined : asked),
    task: objectAt(params, '_meta', RELATED_TASK),
  }
}

/** JSON source of an input request. */
export function inputRequest(method: string, params?: Buffer): Buffer {
  const head = Buffer.from('{}')
  return withMembers(head, { method: JSON.stringify(method), ...(params && { params }) })
}

/** The host's answer as an answer to the server. */
export function replyTo(question: Question, response: Buffer): Frame {
  const { task } = question
  const meta = objectAt(response, '_meta') ?? Buffer.from('{}')
  const result = withMembers(response, {
    resultType: undefined,
    ...(task && { _meta: withMembers(meta, { [RELATED_TASK]: task }) }),
  })
  return answer(question.id!, 'result', result)
}

/** The answer to the server when nobody will give one. */
export function withdrawn(question: Question): Frame {
  if (question.method === 'elicitation/create') {
    return replyTo(question, Buffer.from('{"action":"cancel"}'))
  }
  const message = 'The user did not answer.'
  return errorFrame(question.id!, { code: CODE.internal, message })
}

/** The answer to a request that no host of the stateless era can be asked. */
export function unanswerable(frame: Frame): Frame {
  const message = `Method not found: nobody can answer ${frame.method} at the moment.`
  return errorFrame(frame.id!, { code: CODE.methodNotFound, message })
}
