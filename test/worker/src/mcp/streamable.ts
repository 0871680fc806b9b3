import {
  WebStandardStreamableHTTPServerTransport,
  type JSONRPCMessage,
} from '@modelcontextprotocol/server'
import { parseJson } from '../json.ts'
import { KEEP_ALIVE_MS, RETRY_MS } from '../limits.ts'
import { errorFields, logEvent } from '../log.ts'
import { RPC } from '../rpc-error.ts'
import { messagesOf } from './body.ts'
import { sqliteEvents } from './events.ts'
import type { LiveSession, SessionParts } from './live.ts'
import { createServer } from './server.ts'

/** Messages that a server instance must have seen to behave as before, by method. */
const HANDSHAKE = ['initialize', 'notifications/initialized', 'logging/setLevel'] as const

/** Whether the storage holds a session that can be opened again. */
export function isInitialized(storage: DurableObjectStorage): boolean {
  return storage.kv.get(HANDSHAKE[0]) !== undefined
}

/** Opens a Streamable HTTP session, or wakes the one whose handshake is in the storage. */
export async function openStreamable(parts: SessionParts): Promise<LiveSession> {
  const { env, storage, sessionId, caller } = parts
  const events = sqliteEvents(storage.sql)
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => sessionId,
    eventStore: events.store,
    retryInterval: RETRY_MS,
    keepAliveMs: KEEP_ALIVE_MS,
  })
  const server = createServer({ env, caller, era: 'legacy', sessionId })
  server.server.onerror = (error) => logEvent('warn', 'mcp', errorFields(error))
  await server.connect(transport)
  await events.muted(() => replayHandshake(transport, storage, sessionId))
  await answerInterrupted()

  let turn: Promise<unknown> = Promise.resolve()

  /** Calls that ran when the object was evicted are gone; whoever resumes their stream is told. */
  async function answerInterrupted(): Promise<void> {
    for (const { stream, ids } of events.unanswered()) {
      for (const id of ids) {
        const error = { code: RPC.internal, message: 'The session moved; the call was interrupted' }
        await events.store.storeEvent(stream, { jsonrpc: '2.0', id, error })
      }
    }
  }

  async function post(request: Request, authInfo: SessionParts['caller']['authInfo']) {
    const text = await request.text()
    const value = parseJson(text)
    const messages = messagesOf(value) as unknown as readonly JSONRPCMessage[]
    const ids = messages.flatMap((message) =>
      'method' in message && 'id' in message ? [message.id] : [],
    )
    const options = { parsedBody: value, ...(authInfo === undefined ? {} : { authInfo }) }
    const response = await events.expecting(ids, () => transport.handleRequest(request, options))
    if (response.ok) remember(messages, storage)
    return response
  }

  /** The newest stream wins: after a network fault the server still believes in the old one. */
  async function get(request: Request): Promise<Response> {
    const response = await transport.handleRequest(request)
    if (response.status !== 409) return response
    const stream = events.streamOf(request.headers.get('last-event-id') ?? '')
    const owed = events.unanswered().find((open) => open.stream === stream)
    // A stream that is open and owes no answer is the one for notifications.
    if (owed === undefined) transport.closeStandaloneSSEStream()
    else for (const id of owed.ids) transport.closeSSEStream(id)
    return transport.handleRequest(request)
  }

  return {
    server,
    handle(request, { authInfo }) {
      if (request.method === 'GET') return get(request)
      if (request.method !== 'POST') return transport.handleRequest(request)
      // One at a time, so that the store knows which requests a new stream belongs to. The
      // promise is that of the answer's head; calls themselves run side by side.
      const mine = turn.then(() => post(request, authInfo))
      turn = mine.catch(() => undefined)
      return mine
    },
    dropStreams() {
      transport.closeStandaloneSSEStream()
      for (const id of events.running()) transport.closeSSEStream(id)
    },
    close: () => server.close(),
  }
}

function remember(messages: readonly JSONRPCMessage[], { kv }: DurableObjectStorage): void {
  for (const message of messages) {
    const method = HANDSHAKE.find((name) => 'method' in message && message.method === name)
    if (method !== undefined) kv.put(method, JSON.stringify(message))
  }
}

/** Feeds the stored handshake through the public door, so that no private state is touched. */
async function replayHandshake(
  transport: WebStandardStreamableHTTPServerTransport,
  { kv }: DurableObjectStorage,
  sessionId: string,
): Promise<void> {
  for (const method of HANDSHAKE) {
    const body = kv.get<string>(method)
    if (body === undefined) continue
    const headers = {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-session-id': sessionId,
    }
    const request = new Request('https://session/mcp', { method: 'POST', headers, body })
    await (await transport.handleRequest(request)).text()
  }
}
