import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createParser } from 'eventsource-parser'

/** One JSON-RPC message on the wire between the bridge and a server. */
export interface Tapped {
  readonly from: 'client' | 'server'
  readonly message: Record<string, unknown>
  /** As it passed, with every digit. */
  readonly text: string
}

/** A server as seen through a wire that is listened to. */
export interface Tap {
  readonly url: string
  /** Every request so far: the verb, and for a POST the JSON-RPC method. */
  readonly requests: readonly string[]
  /** The headers of the requests, in the same order. */
  readonly headers: readonly IncomingMessage['headers'][]
  /** Every message so far, in the order in which it passed. */
  readonly messages: readonly Tapped[]
  /** The event streams that GETs have opened so far. */
  readonly streams: number
  /** The JSON-RPC ids of the requests whose response the bridge has closed before its end. */
  readonly closed: readonly unknown[]
  /** Answers the next POST of this JSON-RPC method in the server's place. */
  intercept(method: string, answer: (response: ServerResponse, id: unknown) => void): void
  /** Cuts every connection. */
  cut(): void
  stop(): void
}

/** Stands between the bridge and the server at `target`, and changes nothing. */
export async function openTap(target: string): Promise<Tap> {
  const { origin, pathname } = new URL(target)
  const requests: string[] = []
  const headers: IncomingMessage['headers'][] = []
  const messages: Tapped[] = []
  const closed: unknown[] = []
  const answers = new Map<string, (response: ServerResponse, id: unknown) => void>()
  let streams = 0

  const note = (from: Tapped['from'], text: string): unknown => {
    const message: unknown = JSON.parse(text)
    for (const one of Array.isArray(message) ? message : [message]) {
      messages.push({ from, message: one as Record<string, unknown>, text })
    }
    return message
  }

  function forward(
    incoming: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
    id: unknown,
  ): void {
    const options = {
      // A connection that is kept may be closed by the server just when it is used again.
      agent: false,
      method: incoming.method,
      headers: { ...incoming.headers, host: new URL(origin).host },
    }
    const outgoing = request(new URL(incoming.url ?? '/', origin), options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      response.flushHeaders()
      const type = answer.headers['content-type'] ?? ''
      if (incoming.method === 'GET' && type.startsWith('text/event-stream')) streams++
      listen(answer)
      answer.pipe(response)
      answer.on('error', () => response.destroy())
    })
    outgoing.on('error', () => response.destroy())
    // A client that closes its stream says something by it.
    response.on('close', () => {
      if (!response.writableFinished && id !== undefined) closed.push(id)
      outgoing.destroy()
    })
    outgoing.end(body)
  }

  function listen(answer: IncomingMessage): void {
    const type = answer.headers['content-type'] ?? ''
    if (type.startsWith('text/event-stream')) {
      const parser = createParser({
        onEvent: ({ event, data }) => {
          if ((event === undefined || event === 'message') && data !== '') note('server', data)
        },
      })
      const decoder = new TextDecoder()
      answer.on('data', (chunk: Buffer) => parser.feed(decoder.decode(chunk, { stream: true })))
    } else if (type.startsWith('application/json')) {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => {
        if (chunks.length > 0) note('server', Buffer.concat(chunks).toString('utf8'))
      })
    }
  }

  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const body = Buffer.concat(chunks)
      const message = body.length === 0 ? undefined : note('client', body.toString('utf8'))
      const { id, method = 'response' } = (message ?? {}) as { id?: unknown; method?: string }
      requests.push(incoming.method === 'POST' ? method : `${incoming.method}`)
      headers.push(incoming.headers)
      const answer = answers.get(method)
      answers.delete(method)
      if (answer === undefined) forward(incoming, body, response, id)
      else answer(response, id)
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}${pathname}`,
    requests,
    headers,
    messages,
    closed,
    get streams() {
      return streams
    },
    intercept: (method, answer) => void answers.set(method, answer),
    cut: () => server.closeAllConnections(),
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}
