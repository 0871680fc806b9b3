/** One event of a stream, as it was sent. */
export interface SentEvent {
  readonly event?: string
  readonly id?: string
  readonly retry?: string
  readonly data?: string
}

/** Headers of a JSON-RPC POST. */
export const postHeaders = {
  accept: 'application/json, text/event-stream',
  'content-type': 'application/json',
}

/** A JSON-RPC request. */
export function rpc(id: number | string, method: string, params: unknown = {}): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params })
}

/** A session opened by hand, where a test needs to see the wire. */
export interface RawSession {
  readonly id: string
  readonly headers: Record<string, string>
  post(body: string): Promise<Response>
  get(headers?: Record<string, string>): Promise<Response>
}

/** Does the handshake of the initialize era. */
export async function openSession(
  url: string,
  protocolVersion = '2025-11-25',
  extra: Record<string, string> = {},
): Promise<RawSession> {
  const clientInfo = { name: 'raw', version: '1' }
  const params = { protocolVersion, capabilities: { elicitation: {} }, clientInfo }
  const first = await fetch(url, {
    method: 'POST',
    headers: { ...postHeaders, ...extra },
    body: rpc(0, 'initialize', params),
  })
  await first.text()
  const id = first.headers.get('mcp-session-id')
  if (id === null) throw new Error(`no session: HTTP ${first.status}`)
  const headers = {
    ...postHeaders,
    ...extra,
    'mcp-session-id': id,
    'mcp-protocol-version': protocolVersion,
  }
  const session: RawSession = {
    id,
    headers,
    post: (body) => fetch(url, { method: 'POST', headers, body }),
    get: (more = {}) => fetch(url, { headers: { ...headers, ...more } }),
  }
  await session.post(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }))
  return session
}

/** An event stream that is read one event at a time. */
export interface EventReader {
  /** The next event; undefined at the end of the stream. */
  next(): Promise<SentEvent | undefined>
  cancel(): Promise<void>
}

/** Reads the body of a response as an event stream; the Worker separates events by a blank line. */
export function eventsOf(response: Response): EventReader {
  const decoder = new TextDecoder()
  const reader = response.body?.getReader()
  let text = ''
  let last = ''
  // Only what is new is searched: to search megabytes again at every chunk takes seconds.
  let hasEnd = false
  return {
    async next() {
      for (;;) {
        const end = hasEnd ? text.indexOf('\n\n') : -1
        if (end >= 0) {
          const block = text.slice(0, end)
          text = text.slice(end + 2)
          if (!block.startsWith(':')) return parseEvent(block)
          continue
        }
        const chunk = await reader?.read()
        if (chunk === undefined || chunk.done) return undefined
        const piece = decoder.decode(chunk.value as Uint8Array, { stream: true })
        hasEnd = (last + piece).includes('\n\n')
        last = piece.slice(-1) || last
        text += piece
      }
    },
    cancel: async () => reader?.cancel(),
  }
}

function parseEvent(block: string): SentEvent {
  return Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s, 2)))
}

/** Reads events until the stream ends, or until enough of them have come. */
export async function readEvents(response: Response, enough = Infinity): Promise<SentEvent[]> {
  const reader = eventsOf(response)
  const events: SentEvent[] = []
  while (events.length < enough) {
    const event = await reader.next()
    if (event === undefined) return events
    events.push(event)
  }
  await reader.cancel()
  return events
}

/** The JSON-RPC messages among events. */
export function messagesIn(events: readonly SentEvent[]): Record<string, unknown>[] {
  return events.flatMap(({ data = '' }) => (data === '' ? [] : [JSON.parse(data)]))
}
