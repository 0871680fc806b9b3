import {
  parseJSONRPCMessage,
  type JSONRPCMessage,
  type MessageExtraInfo,
  type Transport,
} from '@modelcontextprotocol/server'
import { parseJson } from '../json.ts'
import { KEEP_ALIVE_MS } from '../limits.ts'
import { errorFields, logEvent } from '../log.ts'
import { RPC, rpcError } from '../rpc-error.ts'
import type { LiveSession, SessionParts } from './live.ts'
import { createServer } from './server.ts'

/** An HTTP+SSE session: the answer to `GET /sse`, and the session behind it. */
export interface SseSession extends LiveSession {
  readonly stream: Response
}

/** Opens the transport of 2024-11-05: one stream down, POSTs up, no resumption. */
export async function openSse(parts: SessionParts, onEnd: () => void): Promise<SseSession> {
  const { env, sessionId, caller } = parts
  const encoder = new TextEncoder()
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  let keepAlive: ReturnType<typeof setInterval> | undefined

  const body = new ReadableStream<Uint8Array>({
    start(opened) {
      controller = opened
    },
    cancel: () => end(),
  })
  const write = (text: string) => controller?.enqueue(encoder.encode(text))

  function end(): void {
    if (controller === undefined) return
    clearInterval(keepAlive)
    try {
      controller.close()
    } catch {
      // The client went first.
    }
    controller = undefined
    transport.onclose?.()
    onEnd()
  }

  const transport: Transport = {
    sessionId,
    async start() {
      write(`event: endpoint\ndata: /sse/message?sessionId=${sessionId}\n\n`)
      keepAlive = setInterval(() => write(': keepalive\n\n'), KEEP_ALIVE_MS)
    },
    async send(message: JSONRPCMessage) {
      write(`event: message\ndata: ${JSON.stringify(message)}\n\n`)
    },
    async close() {
      end()
    },
  }
  const server = createServer({ env, caller, era: 'legacy', sessionId })
  server.server.onerror = (error) => logEvent('warn', 'mcp', errorFields(error))
  await server.connect(transport)

  async function post(request: Request, extra: MessageExtraInfo): Promise<Response> {
    let message: JSONRPCMessage
    try {
      message = parseJSONRPCMessage(parseJson(await request.text()))
    } catch {
      return rpcError(400, RPC.parse, 'Parse error: not a JSON-RPC message')
    }
    transport.onmessage?.(message, extra)
    return new Response('Accepted', { status: 202 })
  }

  return {
    server,
    stream: new Response(body, {
      headers: {
        'content-type': 'text/event-stream',
        'cache-control': 'no-cache, no-transform',
        'x-accel-buffering': 'no',
      },
    }),
    handle: (request, { authInfo }) =>
      post(request, { request, ...(authInfo === undefined ? {} : { authInfo }) }),
    dropStreams: end,
    close: () => server.close(),
  }
}
