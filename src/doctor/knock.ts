import packageJson from '../../package.json' with { type: 'json' }
import { META, MODERN_VERSION, NEWEST_LEGACY_VERSION } from '../era/vocabulary.ts'
import { header, mediaType, readBody } from '../http/body.ts'
import type { HttpResponse, HttpSend } from '../http/client.ts'
import { valueAt } from '../json/locate.ts'
import { MAX_ERROR_BODY_BYTES, SESSION_DELETE_MS } from '../limits.ts'
import { createEventDecoder } from '../remote/events.ts'

/** What came back from an endpoint. */
export interface Answer {
  readonly url: URL
  readonly status: number
  readonly mediaType: string
  readonly location: string | undefined
  /** Milliseconds since 1970, by the clock of the server and by ours. */
  readonly date: { readonly theirs: number; readonly ours: number } | undefined
  readonly authenticate: readonly string[]
  /** The JSON-RPC message in it. */
  readonly message: Buffer | undefined
}

const CLIENT = { name: packageJson.name, version: packageJson.version }

const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: NEWEST_LEGACY_VERSION, capabilities: {}, clientInfo: CLIENT },
})

const DISCOVER = JSON.stringify({
  jsonrpc: '2.0',
  id: 0,
  method: 'server/discover',
  params: {
    _meta: { [META.version]: MODERN_VERSION, [META.clientInfo]: CLIENT, [META.capabilities]: {} },
  },
})

const MODERN_HEADERS = { 'mcp-protocol-version': MODERN_VERSION, 'mcp-method': 'server/discover' }

/** Sends what a host sends first, and ends the session that this may begin. */
export async function initialize(send: HttpSend, url: URL, signal: AbortSignal): Promise<Answer> {
  return post(send, url, INITIALIZE, {}, signal)
}

/** Asks what only a server of the stateless era knows (MCP 2026-07-28, discovery). */
export function discover(send: HttpSend, url: URL, signal: AbortSignal): Promise<Answer> {
  return post(send, url, DISCOVER, MODERN_HEADERS, signal)
}

/** Whether HTTP+SSE is spoken: the first event names the endpoint (MCP 2024-11-05, transports). */
export async function speaksSse(send: HttpSend, url: URL, signal: AbortSignal): Promise<boolean> {
  const headers = { accept: 'text/event-stream' }
  const response = await send({ method: 'GET', url, headers, signal, background: true })
  if (response.status !== 200 || mediaType(response) !== 'text/event-stream') {
    response.discard()
    return false
  }
  let found = false
  await firstEvent(response, ({ type }) => (found = type === 'endpoint'))
  return found
}

async function post(
  send: HttpSend,
  url: URL,
  body: string,
  more: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Answer> {
  const sentAt = Date.now()
  const response = await send({
    method: 'POST',
    url,
    headers: {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      ...more,
    },
    body: [Buffer.from(body)],
    signal,
    background: true,
  })
  const ours = (sentAt + Date.now()) / 2
  const message = await messageOf(response)
  await leave(send, response)
  const theirs = Date.parse(header(response, 'date') ?? '')
  return {
    url: response.url,
    status: response.status,
    mediaType: mediaType(response),
    location: header(response, 'location'),
    date: Number.isNaN(theirs) ? undefined : { theirs, ours },
    authenticate: [response.headers['www-authenticate'] ?? []].flat(),
    message,
  }
}

async function messageOf(response: HttpResponse): Promise<Buffer | undefined> {
  if (mediaType(response) !== 'text/event-stream') {
    const body = await readBody(response, MAX_ERROR_BODY_BYTES)
    return valueAt(body, 'jsonrpc') === '2.0' ? body : undefined
  }
  let message: Buffer | undefined
  await firstEvent(response, ({ text }) => {
    const data = Buffer.from(text())
    const answers = valueAt(data, 'jsonrpc') === '2.0' && valueAt(data, 'method') === undefined
    if (answers) message = data
    return answers
  })
  return message
}

/** Reads a stream until an event fits; what follows it is not wanted. */
async function firstEvent(
  response: HttpResponse,
  fits: (event: { readonly type: string; readonly text: () => string }) => boolean,
): Promise<void> {
  let done = false
  const decoder = createEventDecoder({
    event(event) {
      if (!done && fits(event)) {
        done = true
        response.discard()
      }
      return undefined
    },
  })
  await response
    .consume((chunk) => decoder.push(chunk))
    .catch((error: unknown) => {
      if (!done) throw error
    })
}

/** A server that does not answer ends the session by itself. */
async function leave(send: HttpSend, response: HttpResponse): Promise<void> {
  const session = header(response, 'mcp-session-id')
  if (session === undefined) return
  const signal = AbortSignal.timeout(SESSION_DELETE_MS)
  const headers = { 'mcp-session-id': session }
  await send({ method: 'DELETE', url: response.url, headers, signal, background: true }).then(
    (answer) => answer.discard(),
    () => {},
  )
}
