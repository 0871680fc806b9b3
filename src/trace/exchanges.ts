import type { AuthFetch } from '../auth/fetch.ts'
import { networkCode } from '../errors.ts'
import { mediaType } from '../http/body.ts'
import type { HttpRequest, HttpResponse, HttpSend } from '../http/client.ts'
import { secrets } from '../secrets.ts'
import type { HttpRecord } from './record.ts'
import { members, type OpenRequest, type Recorder, type Stamp } from './recorder.ts'
import type { Sink } from './sink.ts'

/** Request headers that are written with their values; of others there is only the name. */
const REQUEST_HEADERS = new Set([
  'accept',
  // These two are secrets: the redactor leaves a fingerprint.
  'authorization',
  'content-length',
  'content-type',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'mcp-session-id',
])

/** Response headers that are recorded: what explains how an answer came to be. */
const RESPONSE_HEADERS = [
  'allow',
  'cache-control',
  'cf-ray',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'location',
  'mcp-protocol-version',
  'mcp-session-id',
  'retry-after',
  'server',
  'traceparent',
  'transfer-encoding',
  'via',
  'www-authenticate',
  'x-accel-buffering',
  'x-request-id',
]

const MASKED = '‹header›'

/** Records HTTP exchanges. */
export interface ExchangeRecorder {
  /** Around the connection pool: each try is an exchange of its own. */
  send(next: HttpSend): HttpSend
  /** Around the client of authorization servers; no bodies, which are made of secrets. */
  fetch(next: AuthFetch): AuthFetch
}

type Facts = Omit<HttpRecord, 'seq' | 't' | 'at' | 'type'>

/** Records every HTTP exchange, and ties it to the message that it carried. `records`: whether to write, or only to learn. */
export function createExchangeRecorder(
  sink: Sink,
  stamp: Stamp,
  requestOf: Recorder['requestOf'],
  now: () => number,
  records: boolean,
): ExchangeRecorder {
  let exchanges = 0

  const write = (facts: Facts): void => {
    if (records) sink.write(stamp.next('http').head + members(facts))
  }

  async function exchange(next: HttpSend, request: HttpRequest): Promise<HttpResponse> {
    const begun = now()
    const since = (): number => Math.round((now() - begun) * 1000) / 1000
    const open = requestOf(request.body)
    const facts = { exchange: ++exchanges, to: 'server', ...described(request, open) } as const
    learnRequest(request)
    if (open !== undefined) open.exchange = facts.exchange
    let response: HttpResponse
    try {
      response = await next(request)
    } catch (error) {
      write({ ...facts, total: since(), error: failureOf(error) })
      throw error
    }
    learnResponse(response)
    const stream = streamOf(response)
    if (open !== undefined) {
      open.status = response.status
      if (stream === undefined) delete open.stream
      else open.stream = stream
    }
    const answered: Facts = {
      ...facts,
      status: response.status,
      ms: since(),
      headers: responseHeaders(response),
      ...(stream && { stream }),
    }
    if (stream === 'sse') write({ ...answered, open: true })
    return watched(response, (received, error) => {
      write({ ...answered, total: since(), received, ...(error && { error }) })
    })
  }

  return {
    send: (next) => (request) => exchange(next, request),
    fetch: (next) => async (url, init) => {
      const begun = now()
      const since = (): number => Math.round((now() - begun) * 1000) / 1000
      const verb = init?.method ?? 'GET'
      const facts = { exchange: ++exchanges, to: 'authorization', verb, url: url.href } as const
      try {
        const response = await next(url, init)
        const headers = responseHeaders({ headers: Object.fromEntries(response.headers) })
        const received = (await response.clone().arrayBuffer()).byteLength
        write({ ...facts, status: response.status, total: since(), received, headers })
        return response
      } catch (error) {
        write({ ...facts, total: since(), error: failureOf(error) })
        throw error
      }
    },
  }
}

function described(
  { method, url, headers, body }: HttpRequest,
  open: OpenRequest | undefined,
): Pick<Facts, 'verb' | 'url' | 'frame' | 'attempt' | 'sent' | 'requestHeaders'> {
  const shown: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    shown[name] = REQUEST_HEADERS.has(name) ? value : MASKED
  }
  const request = { verb: method, url: url.href, requestHeaders: shown }
  if (body === undefined) return request
  const sent = body.reduce((sum, chunk) => sum + chunk.length, 0)
  if (open === undefined) return { ...request, sent }
  open.attempts++
  return { ...request, sent, frame: open.seq, attempt: open.attempts }
}

function responseHeaders({ headers }: Pick<HttpResponse, 'headers'>): Record<string, string> {
  const shown: Record<string, string> = {}
  for (const name of RESPONSE_HEADERS) {
    const value = headers[name]
    if (value !== undefined) shown[name] = Array.isArray(value) ? value.join(', ') : value
  }
  if (headers['set-cookie'] !== undefined) shown['set-cookie'] = MASKED
  return shown
}

function streamOf(response: HttpResponse): 'json' | 'sse' | undefined {
  const type = mediaType(response)
  if (type === 'text/event-stream') return 'sse'
  return type === 'application/json' ? 'json' : undefined
}

/** The response, with one call at the end of its body, however it ends. */
function watched(
  response: HttpResponse,
  ended: (received: number, error: string | undefined) => void,
): HttpResponse {
  let received = 0
  let over = false
  const end = (error?: string): void => {
    if (over) return
    over = true
    ended(received, error)
  }
  return {
    ...response,
    async consume(onChunk) {
      try {
        await response.consume((chunk) => {
          received += chunk.length
          return onChunk(chunk)
        })
      } catch (error) {
        end(failureOf(error))
        throw error
      }
      end()
    },
    discard() {
      end('discarded')
      response.discard()
    },
  }
}

/** A code rather than a message: messages of a peer may say anything. */
function failureOf(error: unknown): string {
  return networkCode(error) ?? (error instanceof Error ? error.name : 'error')
}

/** What follows the scheme in `Authorization`, and the password of Basic. */
export function learnCredential(value: string | undefined): void {
  if (value === undefined) return
  const credential = value.replace(/^\S+ +/, '')
  secrets.learn('token', credential)
  if (!/^basic /i.test(value)) return
  const pair = Buffer.from(credential, 'base64').toString()
  secrets.learn('password', pair.slice(pair.indexOf(':') + 1))
}

function learnRequest({ headers, url }: HttpRequest): void {
  learnCredential(headers['authorization'])
  secrets.learn('session', headers['mcp-session-id'])
  // The endpoint of HTTP+SSE carries the session (MCP 2024-11-05).
  if (url.search !== '') secrets.learn('session', url.searchParams.get('sessionId'))
}

function learnResponse({ headers }: HttpResponse): void {
  const session = headers['mcp-session-id']
  secrets.learn('session', Array.isArray(session) ? session[0] : session)
  for (const cookie of [headers['set-cookie'] ?? []].flat()) {
    secrets.learn('cookie', /^[^=;]*=([^;]*)/.exec(cookie)?.[1]?.replaceAll('"', ''))
  }
}
