import type { RemoteEvents } from '../../channel.ts'
import { RELAY_ERROR_CODE } from '../../errors.ts'
import { type Frame, type RawId, slice } from '../../frame.ts'
import { withMembers } from '../../json/edit.ts'
import { locate, members, valueAt } from '../../json/locate.ts'
import { MAX_QUESTIONS_PER_ROUND } from '../../limits.ts'
import { printable } from '../../log.ts'
import { notification, objectAt, request } from '../claims.ts'

/** What became of the questions of one round. */
type Replies =
  /** JSON source of `inputResponses`. */
  | { readonly kind: 'replies'; readonly source: string }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'aborted' }

/** The questions of the server that are put to the host as requests of their own. */
export interface Questions {
  /**
   * Asks everything that `inputRequests` asks, at the same time. What is still open when the signal
   * aborts, or when one refusal decides, is taken back.
   */
  ask(inputRequests: Buffer, signal: AbortSignal): Promise<Replies>
  /** Takes a response of the host; one that answers none of these comes too late. */
  take(frame: Frame): void
}

/** One entry of `inputRequests`. */
interface Question {
  readonly key: string
  readonly method: string
  readonly params: Buffer | undefined
}

const METHODS: ReadonlySet<string> = new Set([
  'elicitation/create',
  'sampling/createMessage',
  'roots/list',
])

/** The host has given an answer that is none; elicitations are the only kind that has a word for it. */
const CANCELLED = '{"action":"cancel"}'

/** Questions to a host with these capabilities; their ids cannot be those of the server. */
export function createQuestions(
  events: RemoteEvents,
  capabilities: Buffer,
  random: () => string,
): Questions {
  const open = new Map<RawId, (response: Frame) => void>()
  let count = 0

  /** Why a question cannot be put to this host. */
  function obstacle({ method, params }: Question): string | undefined {
    if (!METHODS.has(method)) return `it asks for ${printable(method)}, which is not known here`
    const kind = method.slice(0, method.indexOf('/'))
    if (kind !== 'elicitation') {
      if (!declares(kind)) return `it needs ${kind}, which this host does not offer`
      // Such a host would answer as if there were no tools (MCP, sampling, Capabilities).
      const withTools = kind === 'sampling' && params !== undefined && locate(params, 'tools')
      return withTools && !declares('sampling', 'tools')
        ? 'it needs sampling with tools, which this host does not offer'
        : undefined
    }
    const mode = params === undefined ? undefined : valueAt(params, 'mode')
    // Before 2025-11-25 there was one kind and no name for it.
    const offered =
      mode === 'url'
        ? declares('elicitation', 'url')
        : declares('elicitation', 'form') ||
          (declares('elicitation') && !declares('elicitation', 'url'))
    const name = mode === 'url' ? 'elicitation by URL' : 'elicitation'
    return offered ? undefined : `it needs ${name}, which this host does not offer`
  }

  function declares(...path: string[]): boolean {
    return objectAt(capabilities, ...path) !== undefined
  }

  /** Puts one question; settles with the host's response, or with nothing once the signal aborts. */
  function put(question: Question, signal: AbortSignal): Promise<Frame | undefined> {
    const id = `"b:${++count}"`
    const isUrl = question.params !== undefined && valueAt(question.params, 'mode') === 'url'
    const params = isUrl
      ? withMembers(question.params!, { elicitationId: JSON.stringify(random()) })
      : question.params
    return new Promise((resolve) => {
      const takeBack = (): void => {
        open.delete(id)
        void events.frame(notification('notifications/cancelled', `{"requestId":${id}}`))
        resolve(undefined)
      }
      signal.addEventListener('abort', takeBack, { once: true })
      open.set(id, (response) => {
        open.delete(id)
        signal.removeEventListener('abort', takeBack)
        resolve(response)
      })
      void events.frame(request(id, question.method, params))
    })
  }

  return {
    async ask(inputRequests, signal) {
      const questions = readQuestions(inputRequests)
      if (questions === undefined) {
        return { kind: 'refused', why: 'its questions cannot be read' }
      }
      for (const question of questions) {
        const why = obstacle(question)
        if (why !== undefined) return { kind: 'refused', why }
      }
      if (signal.aborted) return { kind: 'aborted' }
      const refusal = new AbortController()
      const stop = AbortSignal.any([signal, refusal.signal])
      let why: string | undefined
      const sources = await Promise.all(
        questions.map(async (question) => {
          const response = await put(question, stop)
          if (response === undefined) return ''
          const source = replyIn(question, response)
          if (source === undefined) {
            why ??= refusalIn(question, response)
            refusal.abort()
          }
          return `${JSON.stringify(question.key)}:${source}`
        }),
      )
      if (why !== undefined) return { kind: 'refused', why }
      if (signal.aborted) return { kind: 'aborted' }
      return { kind: 'replies', source: `{${sources.join(',')}}` }
    },
    take(frame) {
      if (frame.id !== undefined && !isOfRelay(frame)) open.get(frame.id)?.(frame)
    },
  }
}

/** The questions in `inputRequests`; `undefined` when they are not as the specification says. */
function readQuestions(inputRequests: Buffer): Question[] | undefined {
  const questions: Question[] = []
  for (const { name: key, value } of members(inputRequests, locate(inputRequests)!)) {
    const entry = inputRequests.subarray(value.start, value.end)
    const method = valueAt(entry, 'method')
    if (typeof method !== 'string') return undefined
    questions.push({ key, method, params: objectAt(entry, 'params') })
  }
  return questions.length <= MAX_QUESTIONS_PER_ROUND ? questions : undefined
}

/** JSON source of a bare result; `undefined` when the host refused and there is no form for that. */
function replyIn({ method }: Question, response: Frame): string | undefined {
  const isElicitation = method === 'elicitation/create'
  if (response.result === undefined) return isElicitation ? CANCELLED : undefined
  const result = slice(response.chunks, response.result)
  // The results of these two have no `_meta` any more.
  const bare =
    method === 'sampling/createMessage' ? result : withMembers(result, { _meta: undefined })
  return bare.toString('utf8')
}

function refusalIn({ method }: Question, response: Frame): string {
  const error = response.error === undefined ? undefined : slice(response.chunks, response.error)
  const message = error === undefined ? undefined : valueAt(error, 'message')
  const kind = method.slice(0, method.indexOf('/'))
  const said = typeof message === 'string' ? `: ${printable(message)}` : ''
  return `it needs ${kind}, and the host refused${said}`
}

/** Whether the relay answers in the place of a host that is gone: no reason to go on with a call. */
function isOfRelay({ chunks, error }: Frame): boolean {
  return error !== undefined && valueAt(slice(chunks, error), 'code') === RELAY_ERROR_CODE
}
