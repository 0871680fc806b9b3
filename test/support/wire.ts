import { ENVELOPE, FORM, LEGACY, MODERN, QUESTIONS } from './wire-schemas.ts'

/**
 * Judges the messages of one side of the bridge by what the SDKs publish: SDK v1's types for the
 * initialize era, SDK v2's `specTypeSchemas` for 2026-07-28, where the schemas leave out what only
 * the stateless era demands of the wire (`_meta` of requests, `resultType`, no requests of servers).
 */
export interface Wire {
  fromClient(message: unknown): void
  fromServer(message: unknown): void
  /** What was wrong, one line each. */
  readonly faults: readonly string[]
}

interface Message {
  readonly id?: unknown
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: Record<string, unknown>
  readonly error?: unknown
}

const META = 'io.modelcontextprotocol/'

/** Methods whose results say how long they may be kept. */
const CACHED = /^(?:server\/discover|.*\/list|resources\/read)$/

/**
 * Watches one side of the bridge; `era` is what is spoken there. `everyMethod` takes a method that
 * has no schema for a fault.
 */
export function watchWire(era: 'legacy' | 'modern', { everyMethod = false } = {}): Wire {
  const faults: string[] = []
  const schemas = era === 'legacy' ? LEGACY : MODERN
  /** The methods of the open requests, by who asked and under which id. */
  const open = new Map<string, string>()
  /** The methods of the questions in `input_required` results, by their key. */
  const questions = new Map<string, string>()
  const fault = (what: string, message: unknown): void => {
    faults.push(`${what}: ${JSON.stringify(message)?.slice(0, 1000)}`)
  }

  function take(message: Message, from: 'client' | 'server'): void {
    const other = from === 'client' ? 'server' : 'client'
    const { id, method, result } = message
    // A server that cannot know which request it refuses says so by null.
    const unformed = id === null ? undefined : ENVELOPE(message)
    if (unformed !== undefined) fault(`${from}: ${unformed}`, message)
    if (method !== undefined) {
      const known = schemas[method]
      const wrong =
        known === undefined && everyMethod
          ? 'a method that this era does not have'
          : known?.message?.(message)
      if (wrong !== undefined) fault(`${from} ${method}: ${wrong}`, message)
      if (id !== undefined) open.set(`${from} ${JSON.stringify(id)}`, method)
      const strange = era === 'legacy' ? strangeInLegacy(message) : strangeInModern(message, from)
      if (strange !== undefined) fault(`${from} ${method}: ${strange}`, message)
      const wrongReply = wrongReplies(message, questions)
      if (wrongReply !== undefined) fault(`${from} ${method}: ${wrongReply}`, message)
      return
    }
    if (era === 'modern' && from === 'client') fault('a response of a client', message)
    const key = `${other} ${JSON.stringify(id)}`
    const asked = open.get(key)
    if (asked === undefined) {
      if (id !== undefined && id !== null) fault(`${from} answers what nobody asked`, message)
      return
    }
    open.delete(key)
    if (result === undefined) return
    const strange = era === 'legacy' ? legacyResult(result) : modernResult(asked, result)
    const wrong =
      era === 'modern' && result['resultType'] === 'input_required'
        ? wrongQuestions(result)
        : schemas[asked]?.result?.(result)
    for (const [name, question] of Object.entries(questionsOf(result))) {
      questions.set(name, String(question.method))
    }
    for (const reason of [strange, wrong]) {
      if (reason !== undefined) fault(`${from} result of ${asked}: ${reason}`, message)
    }
  }

  const each = (message: unknown, from: 'client' | 'server'): void => {
    for (const one of Array.isArray(message) ? message : [message]) take(one as Message, from)
  }
  return {
    fromClient: (message) => each(message, 'client'),
    fromServer: (message) => each(message, 'server'),
    faults,
  }
}

function questionsOf({ inputRequests = {} }: Record<string, unknown>): Record<string, Message> {
  return inputRequests as Record<string, Message>
}

/** What is wrong with the answers that a request brings to questions of an earlier result. */
function wrongReplies(
  { params }: Message,
  questions: ReadonlyMap<string, string>,
): string | undefined {
  for (const [key, reply] of Object.entries((params?.['inputResponses'] ?? {}) as object)) {
    const method = questions.get(key)
    if (method === undefined) return `answers ${key}, which nobody asked`
    const wrong = QUESTIONS[method]?.result?.(reply)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

/** What is wrong with the questions of an `input_required` result (MCP 2026-07-28, patterns/mrtr). */
function wrongQuestions(result: Record<string, unknown>): string | undefined {
  const { inputRequests, requestState } = result
  if (inputRequests === undefined && requestState === undefined) return 'neither question nor state'
  if (requestState !== undefined && typeof requestState !== 'string')
    return 'a state that is no text'
  for (const question of Object.values(questionsOf(result))) {
    const { method = '', params } = question
    const known = QUESTIONS[method]
    if (known === undefined) return `the question ${method}`
    const isPage = params?.['mode'] === 'url'
    if (isPage && 'elicitationId' in params) return 'an elicitationId'
    if (isPage && (typeof params['url'] !== 'string' || typeof params['message'] !== 'string')) {
      return 'a page without an address'
    }
    const check = method === 'elicitation/create' && !isPage ? FORM : known.message
    const wrong = check?.(question)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

function strangeInLegacy({ method, params }: Message): string | undefined {
  if (method === 'server/discover' || method?.startsWith('subscriptions/') === true) {
    return 'a method of the stateless era'
  }
  const meta = (params?.['_meta'] ?? {}) as object
  const names = [
    'protocolVersion',
    'clientCapabilities',
    'clientInfo',
    'logLevel',
    'subscriptionId',
  ]
  const found = names.find((name) => META + name in meta)
  return found === undefined ? undefined : `${found} in _meta`
}

function strangeInModern(message: Message, from: string): string | undefined {
  if (message.id === undefined) return undefined
  if (from === 'server') return 'a request of a server'
  const meta = (message.params?.['_meta'] ?? {}) as Record<string, unknown>
  if (meta[`${META}protocolVersion`] !== '2026-07-28') return 'no protocolVersion'
  if (typeof meta[`${META}clientCapabilities`] !== 'object') return 'no clientCapabilities'
  return undefined
}

function legacyResult(result: Record<string, unknown>): string | undefined {
  const found = ['resultType', 'ttlMs', 'cacheScope', 'inputRequests'].find(
    (name) => name in result,
  )
  return found === undefined ? undefined : `${found} in a result`
}

function modernResult(method: string, result: Record<string, unknown>): string | undefined {
  const type = result['resultType']
  if (typeof type !== 'string') return 'no resultType'
  if (type !== 'complete' || !CACHED.test(method)) return undefined
  if (typeof result['ttlMs'] !== 'number') return 'no ttlMs'
  if (!['public', 'private'].includes(result['cacheScope'] as string)) return 'no cacheScope'
  return undefined
}
