import type { Env } from '../env.ts'
import { noteSession } from '../hooks.ts'
import { methodNotAllowed, sessionNotFound } from '../rpc-error.ts'
import { readBody, type Body } from './body.ts'
import { forObject, logMethods, type Exchange } from './exchange.ts'

/** Hands a request to the Durable Object of its session, or to a new one. */
export async function onSession(exchange: Exchange, body?: Body): Promise<Response> {
  const { request, env } = exchange
  const sessionId = request.headers.get('mcp-session-id')
  if (sessionId === null && body === undefined) return methodNotAllowed('POST')
  const id = sessionId === null ? env.SESSIONS.newUniqueId() : parseSessionId(sessionId, env)
  return id === undefined ? sessionNotFound() : handOver(exchange, id, body)
}

/** `/sse`: the transport of 2024-11-05; the stream lives and dies with its Durable Object. */
export async function openSse(exchange: Exchange): Promise<Response> {
  // Clients that try Streamable HTTP first fall back on exactly this answer.
  if (exchange.request.method !== 'GET') return methodNotAllowed('GET')
  return handOver(exchange, exchange.env.SESSIONS.newUniqueId())
}

/** `/sse/message`: what the client of an SSE stream has to say. */
export async function postToSse(exchange: Exchange): Promise<Response> {
  const { request, url, env } = exchange
  if (request.method !== 'POST') return methodNotAllowed('POST')
  const id = parseSessionId(url.searchParams.get('sessionId') ?? '', env)
  if (id === undefined) return sessionNotFound()
  const body = await readBody(request)
  return body instanceof Response ? body : handOver(exchange, id, body)
}

function handOver(exchange: Exchange, id: DurableObjectId, body?: Body): Promise<Response> {
  const { url, env, caller } = exchange
  if (body !== undefined) logMethods(body, 'legacy')
  noteSession(url, env, caller.owner, id.toString())
  return env.SESSIONS.get(id).fetch(forObject(exchange, body))
}

/** Ids are made by the platform and carry its check sum: others are refused without a look-up. */
function parseSessionId(text: string, env: Env): DurableObjectId | undefined {
  try {
    return env.SESSIONS.idFromString(text)
  } catch {
    return undefined
  }
}
