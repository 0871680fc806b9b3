import type { ServerResponse } from 'node:http'
import { initializeResult, type Seen, startServer, type TestServer } from './http-server.ts'
import type { Behaviour } from './mcp-server.ts'
import { event, kindOf, result } from './mcp-server.ts'

/** A server of the deprecated HTTP+SSE transport. */
export interface SseServer extends TestServer {
  /** The streams that clients have opened, the latest last. */
  readonly streams: readonly ServerResponse[]
  /** Says something on the latest stream. */
  say(message: unknown): void
}

/**
 * An HTTP+SSE server at `/sse` whose endpoint is `/messages`: it does everything right, except for
 * what the test takes over (by JSON-RPC method, or `GET` for the stream).
 */
export async function startSseServer(
  behaviour: Behaviour = {},
  options: { port?: number; endpoint?: string } = {},
): Promise<SseServer> {
  const { port = 0, endpoint = '/messages?session=1' } = options
  const streams: ServerResponse[] = []
  const say = (message: unknown): void => {
    streams.at(-1)?.write(event(message))
  }
  const server = await startServer(
    (request, response) => {
      if (request.method === 'POST' && !request.path.startsWith('/messages')) {
        response.writeHead(405).end()
        return undefined
      }
      const handler = behaviour[kindOf(request)]
      if (handler !== undefined) return handler(request, response)
      if (request.method === 'GET') {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(`event: endpoint\ndata: ${endpoint}\n\n`)
        streams.push(response)
        return undefined
      }
      response.writeHead(202).end('Accepted')
      const answer = answerTo(request)
      if (answer !== undefined) say(answer)
      return undefined
    },
    { port, path: '/sse' },
  )
  return { ...server, streams, say }
}

function answerTo(request: Seen): object | undefined {
  const { message } = request
  if (message?.method === undefined || message.id === undefined) return undefined
  if (message.method !== 'initialize') return result(request)
  return initializeResult(message.id, '2024-11-05')
}
