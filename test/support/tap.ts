import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createParser } from 'eventsource-parser'
import { onTestFinished } from 'vitest'

/** One JSON-RPC message on the wire between the bridge and a server. */
export interface Tapped {
  readonly from: 'client' | 'server'
  readonly message: Record<string, unknown>
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
}

/** Stands between the bridge and the server at `target`, and changes nothing. */
export async function startTap(target: string): Promise<Tap> {
  const { origin, pathname } = new URL(target)
  const requests: string[] = []
  const headers: IncomingMessage['headers'][] = []
  const messages: Tapped[] = []

  const note = (from: Tapped['from'], text: string): unknown => {
    const message: unknown = JSON.parse(text)
    for (const one of Array.isArray(message) ? message : [message]) {
      messages.push({ from, message: one as Record<string, unknown> })
    }
    return message
  }

  function forward(incoming: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const options = {
      method: incoming.method,
      headers: { ...incoming.headers, host: new URL(origin).host },
    }
    const outgoing = request(new URL(incoming.url ?? '/', origin), options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      response.flushHeaders()
      listen(answer)
      answer.pipe(response)
      answer.on('error', () => response.destroy())
    })
    outgoing.on('error', () => response.destroy())
    // A client that closes its stream says something by it.
    response.on('close', () => outgoing.destroy())
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
      const method = (message as { method?: string } | undefined)?.method ?? 'response'
      requests.push(incoming.method === 'POST' ? method : `${incoming.method}`)
      headers.push(incoming.headers)
      forward(incoming, body, response)
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}${pathname}`, requests, headers, messages }
}
