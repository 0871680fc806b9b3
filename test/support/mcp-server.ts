import type { ServerResponse } from 'node:http'
import {
  initializeResult,
  json,
  type Seen,
  type ServerOptions,
  startServer,
  type TestServer,
} from './http-server.ts'

/** Answers one request of the bridge. */
export type Handler = (request: Seen, response: ServerResponse) => void | Promise<void>

/**
 * What a test wants otherwise, by JSON-RPC method; `GET` and `DELETE` stand for these verbs,
 * `response` for a POST that carries an answer of the host.
 */
export type Behaviour = Readonly<Record<string, Handler>>

/** The session id of every server started here. */
export const SESSION = 'session-1'

/** A Streamable HTTP server that does everything right, except for what the test takes over. */
export function startMcpServer(
  behaviour: Behaviour = {},
  options: ServerOptions = {},
): Promise<TestServer> {
  return startServer((request, response) => {
    const handler = behaviour[kindOf(request)] ?? DEFAULTS[kindOf(request)] ?? acknowledge
    return handler(request, response)
  }, options)
}

/** What a request is to `Behaviour`. */
export function kindOf({ method, message }: Seen): string {
  return method === 'POST' ? (message?.method ?? 'response') : method
}

/** A result for whatever was asked. */
export function result(request: Seen, value: object = {}): object {
  return { jsonrpc: '2.0', id: request.message?.id, result: value }
}

/** Opens an event stream and writes these pieces of it. */
export function stream(response: ServerResponse, ...pieces: string[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.flushHeaders()
  for (const piece of pieces) response.write(piece)
}

/** One event of a stream. */
export function event(data: unknown, id?: string): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data)
  return `${id === undefined ? '' : `id: ${id}\n`}data: ${text}\n\n`
}

/** An HTTP error with a body. */
export function refuse(status: number, type: string, body: string, headers = {}): Handler {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': type, ...headers }).end(body)
  }
}

/** An event stream that ends in good order after these pieces. */
export function events(pieces: (request: Seen) => string[]): Handler {
  return (request, response) => {
    stream(response, ...pieces(request))
    response.end()
  }
}

/** Cuts the connection with a TCP reset. */
export function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy()
}

const DEFAULTS: Behaviour = {
  initialize: (request, response) => {
    const { id, params } = request.message ?? {}
    const headers = { 'mcp-session-id': SESSION }
    json(response, initializeResult(id, String(params?.['protocolVersion'])), { headers })
  },
  GET: (_request, response) => {
    response.writeHead(405).end()
  },
  DELETE: (_request, response) => {
    response.writeHead(204).end()
  },
}

/** 202 to notifications and answers, an empty result to requests. */
const acknowledge: Handler = (request, response) => {
  const { message } = request
  if (message?.method !== undefined && message.id !== undefined) json(response, result(request))
  else response.writeHead(202).end()
}

/** How often the server was told that its session is over. */
export function deletions(server: TestServer): number {
  return server.seen.filter(
    ({ method, headers }) => method === 'DELETE' && headers['mcp-session-id'] === SESSION,
  ).length
}
