import type { ServerResponse } from 'node:http'
import { initializeResult, json, type Seen, type TestServer } from './http-server.ts'
import { type Behaviour, type Handler, refuse, result, startMcpServer } from './mcp-server.ts'

/** A server that knows its sessions, and forgets them when a test says so. */
export interface SessionServer extends TestServer {
  /** The ids of the sessions opened so far, in order. */
  readonly opened: readonly string[]
  /** The streams that are open for what the server says by itself, by session. */
  readonly streams: ReadonlyMap<string, ServerResponse>
  /** Opens a session: for a test that has its own answers to some `initialize`. */
  readonly open: Handler
  /** Forgets every session, as a restarted server has. */
  forget(): void
  /** The methods of the messages that reached it in one session, in order; GET for its stream. */
  inSession(id: string): string[]
}

/** What can be different about it. */
export interface SessionServerOptions {
  readonly behaviour?: Behaviour
  /** How it refuses a session that it does not know. */
  readonly unknown?: Handler
  /** The InitializeResult for the session of this number, from 1. */
  readonly hello?: (number: number) => object
  readonly port?: number
  readonly address?: string
}

/** The capabilities of every session, unless the test has its own. */
export const CAPABILITIES = {
  logging: {},
  tools: { listChanged: true },
  prompts: {},
  resources: { subscribe: true, listChanged: true },
}

/** The words of the specification for a session that is not known. */
export const GONE = refuse(
  404,
  'application/json',
  '{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}',
)

/** Starts a server with sessions; what the test does not take over is answered with `{}`. */
export async function startSessionServer({
  behaviour = {},
  unknown = GONE,
  hello = () => ({ protocolVersion: '2025-11-25', capabilities: CAPABILITIES }),
  port = 0,
  address = '127.0.0.1',
}: SessionServerOptions = {}): Promise<SessionServer> {
  const opened: string[] = []
  const streams = new Map<string, ServerResponse>()
  let known = new Set<string>()

  const guarded =
    (handler: Handler): Handler =>
    (request, response) =>
      known.has(sessionOf(request)) ? handler(request, response) : unknown(request, response)

  const open: Handler = (request, response) => {
    const id = `session-${opened.length + 1}`
    opened.push(id)
    known.add(id)
    const base = initializeResult(request.message?.id) as { result: object }
    const body = { ...base, result: { ...base.result, ...hello(opened.length) } }
    json(response, body, { headers: { 'mcp-session-id': id } })
  }

  const defaults: Behaviour = {
    initialize: open,
    GET: (request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      streams.set(sessionOf(request), response)
    },
    response: (_request, response) => void response.writeHead(202).end(),
    ...behaviour,
  }
  const handlers = new Proxy<Behaviour>(defaults, {
    get(target, name: string) {
      if (name === 'DELETE') return undefined
      if (name === 'initialize') return target[name]
      return guarded(
        target[name] ??
          ((request, response) => {
            if (request.message?.id === undefined) response.writeHead(202).end()
            else json(response, result(request))
          }),
      )
    },
  })
  const server = await startMcpServer(handlers, { port, host: address })
  return {
    ...server,
    opened,
    streams,
    open,
    forget() {
      known = new Set()
      for (const stream of streams.values()) stream.end()
      streams.clear()
    },
    inSession: (id) =>
      server.seen
        .filter((request) => sessionOf(request) === id)
        .map(({ method, message }) => message?.method ?? method),
  }
}

function sessionOf({ headers }: Seen): string {
  return String(headers['mcp-session-id'])
}
