import type { ServerResponse } from 'node:http'
import {
  initializeResult,
  json,
  type Seen,
  startServer,
  type TestServer,
} from '../support/http-server.ts'

/** What a server thinks of a request: fine, or a refusal with this challenge. */
export type Verdict =
  | 'accept'
  | {
      readonly status: 401 | 403 | 307
      readonly challenge: string
      readonly headers?: Readonly<Record<string, string>>
    }

/** A server behind a token. */
export interface Protection {
  judge(token: string | undefined, request: Seen, url: string): Verdict | Promise<Verdict>
  /** The document below `/.well-known/oauth-protected-resource`; `undefined` when there is none. */
  metadata?(url: string): unknown
  /** Opens an event stream for a GET that is accepted; true when it did. */
  stream?(response: ServerResponse): boolean
  /** Anything else that lives on this origin; true when it was answered. */
  also?(request: Seen, response: ServerResponse): boolean | Promise<boolean>
  /** More headers of the answer to `initialize`. */
  readonly session?: Readonly<Record<string, string>>
}

/** An MCP server that answers everything with an empty result, to those who may ask. */
export async function startProtected(protection: Protection): Promise<TestServer> {
  const server: TestServer = await startServer(async (request, response) => {
    if (request.path.startsWith('/.well-known/oauth-protected-resource')) {
      const document = protection.metadata?.(server.url)
      json(response, document ?? {}, { status: document === undefined ? 404 : 200 })
      return
    }
    if ((await protection.also?.(request, response)) === true) return
    if (!request.path.startsWith('/mcp')) {
      response.writeHead(404).end()
      return
    }
    const token = /^(?:Bearer|DPoP) (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    const verdict = await protection.judge(token, request, server.url)
    if (verdict === 'accept') {
      const streams = request.method === 'GET' && protection.stream?.(response) === true
      if (!streams) answer(request, response, protection.session)
    } else
      json(
        response,
        {},
        {
          status: verdict.status,
          headers: { 'www-authenticate': verdict.challenge, ...verdict.headers },
        },
      )
  })
  return server
}

function answer({ method, message }: Seen, response: ServerResponse, headers = {}): void {
  if (method !== 'POST') response.writeHead(method === 'DELETE' ? 204 : 405).end()
  else if (message?.method === 'initialize')
    json(response, initializeResult(message.id), { headers })
  else if (message?.id === undefined) response.writeHead(202).end()
  else json(response, { jsonrpc: '2.0', id: message.id, result: {} })
}
