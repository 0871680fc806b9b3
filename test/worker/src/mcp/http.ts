import {
  createMcpHandler,
  isLegacyRequest,
  type AuthInfo,
  type McpHandlerRequestOptions,
  type McpServerFactory,
} from '@modelcontextprotocol/server'
import { callerOf, withCaller, type Caller } from '../caller.ts'
import type { Env, Flavour } from '../env.ts'
import { noteSession } from '../hooks.ts'
import { errorFields, logEvent } from '../log.ts'
import { ownerState } from '../owner-stub.ts'
import { methodNotAllowed, RPC, rpcError, sessionNotFound } from '../rpc-error.ts'
import { methodsOf, readBody, type Body } from './body.ts'
import { createServer } from './server.ts'

/** What the entry of a flavour knows about a request. */
export interface McpOptions {
  readonly flavour: Flavour
  /** The checked token; its `extra` carries `userId`, `roles` and, if known, `login`. */
  readonly authInfo?: AuthInfo
}

/** One request on its way to a transport. */
interface Exchange {
  readonly request: Request
  readonly url: URL
  readonly env: Env
  readonly caller: Caller
}

type Route = (exchange: Exchange) => Promise<Response>

const routes: Readonly<Record<string, Route>> = {
  '/mcp': serveBothEras,
  '/sse': openSse,
  '/sse/message': postToSse,
}

/** Endpoints that serve only part of the protocol, so that a client can meet every kind of server. */
const publicRoutes: Readonly<Record<string, Route>> = {
  ...routes,
  '/stateless/mcp': serveStateless,
  '/legacy/mcp': serveLegacyOnly,
  '/modern/mcp': serveModernOnly,
}

/** Serves the MCP endpoints; everything else is a 404. */
export async function handleMcp(
  request: Request,
  env: Env,
  _ctx: ExecutionContext,
  { flavour, authInfo }: McpOptions,
): Promise<Response> {
  const url = new URL(request.url)
  const route = (flavour === 'public' ? publicRoutes : routes)[url.pathname]
  if (route === undefined) return new Response('Not found', { status: 404 })
  return route({ request, url, env, caller: callerOf(authInfo) })
}

/** `/mcp`: the modern era per request, the initialize era in sessions or, without one, statelessly. */
async function serveBothEras(exchange: Exchange): Promise<Response> {
  const { request, env } = exchange
  if (request.method !== 'POST') return onSession(exchange)
  const body = await readBody(request)
  if (body instanceof Response) return body
  if (!(await isLegacyRequest(request, body.value))) return modern(exchange, body)
  if (isSessionful(request, body)) return onSession(exchange, body)
  logMethods(body, 'legacy')
  return createMcpHandler(factoryFor(exchange, env), { onerror }).fetch(
    request,
    parsed(exchange, body),
  )
}

/** `/stateless/mcp`: both eras, never a session. */
async function serveStateless(exchange: Exchange): Promise<Response> {
  const { request, env } = exchange
  if (request.method !== 'POST') return methodNotAllowed('POST')
  const body = await readBody(request)
  if (body instanceof Response) return body
  if (!(await isLegacyRequest(request, body.value))) return modern(exchange, body)
  logMethods(body, 'legacy')
  return createMcpHandler(factoryFor(exchange, env), { onerror }).fetch(
    request,
    parsed(exchange, body),
  )
}

/** `/legacy/mcp`: a server from before 2026-07-28, which knows sessions and nothing else. */
async function serveLegacyOnly(exchange: Exchange): Promise<Response> {
  const { request } = exchange
  if (request.method !== 'POST') return onSession(exchange)
  const body = await readBody(request)
  if (body instanceof Response) return body
  if (isSessionful(request, body)) return onSession(exchange, body)
  return rpcError(400, RPC.refused, 'Bad Request: Mcp-Session-Id header is required')
}

/** `/modern/mcp`: a server that has dropped the initialize era. */
async function serveModernOnly(exchange: Exchange): Promise<Response> {
  if (exchange.request.method !== 'POST') return methodNotAllowed('POST')
  const body = await readBody(exchange.request)
  return body instanceof Response ? body : modern(exchange, body)
}

async function modern(exchange: Exchange, body: Body): Promise<Response> {
  const { request, url, env, caller } = exchange
  logMethods(body, 'modern')
  noteSession(url, env, caller.owner)
  // A change may happen in any isolate; the owner's object is the one place that hears of all.
  if (methodsOf(body.value).includes('subscriptions/listen')) {
    return ownerState(env, caller.owner).fetch(inner(exchange, body))
  }
  const handler = createMcpHandler(factoryFor(exchange, env), { legacy: 'reject', onerror })
  return handler.fetch(request, parsed(exchange, body))
}

function isSessionful(request: Request, body: Body): boolean {
  return request.headers.has('mcp-session-id') || methodsOf(body.value).includes('initialize')
}

/** Hands a request to the Durable Object of its session, or to a new one. */
async function onSession(exchange: Exchange, body?: Body): Promise<Response> {
  const { request, url, env, caller } = exchange
  const sessionId = request.headers.get('mcp-session-id')
  if (sessionId === null && body === undefined) return methodNotAllowed('POST')
  const id = sessionId === null ? env.SESSIONS.newUniqueId() : parseSessionId(sessionId, env)
  if (id === undefined) return sessionNotFound()
  if (body !== undefined) logMethods(body, 'legacy')
  noteSession(url, env, caller.owner, id.toString())
  return env.SESSIONS.get(id).fetch(inner(exchange, body))
}

/** `/sse`: the transport of 2024-11-05; the stream lives and dies with its Durable Object. */
async function openSse(exchange: Exchange): Promise<Response> {
  const { request, url, env, caller } = exchange
  // Clients that try Streamable HTTP first fall back on exactly this answer.
  if (request.method !== 'GET') return methodNotAllowed('GET')
  const id = env.SESSIONS.newUniqueId()
  noteSession(url, env, caller.owner, id.toString())
  return env.SESSIONS.get(id).fetch(inner(exchange))
}

/** `/sse/message`: what the client of an SSE stream has to say. */
async function postToSse(exchange: Exchange): Promise<Response> {
  const { request, url, env } = exchange
  if (request.method !== 'POST') return methodNotAllowed('POST')
  const id = parseSessionId(url.searchParams.get('sessionId') ?? '', env)
  if (id === undefined) return sessionNotFound()
  const body = await readBody(request)
  if (body instanceof Response) return body
  logMethods(body, 'legacy')
  return env.SESSIONS.get(id).fetch(inner(exchange, body))
}

function parseSessionId(text: string, env: Env): DurableObjectId | undefined {
  try {
    return env.SESSIONS.idFromString(text)
  } catch {
    return undefined
  }
}

/** The request as a Durable Object gets it: same URL, a caller it can trust, no token. */
function inner({ request, caller }: Exchange, body?: Body): Request {
  return new Request(request.url, {
    method: request.method,
    headers: withCaller(request.headers, caller),
    signal: request.signal,
    ...(body === undefined ? {} : { body: body.text }),
  })
}

function factoryFor({ caller }: Exchange, env: Env): McpServerFactory {
  return ({ era }) => createServer({ env, caller, era })
}

function parsed({ caller }: Exchange, body: Body): McpHandlerRequestOptions {
  const { authInfo } = caller
  return { parsedBody: body.value, ...(authInfo === undefined ? {} : { authInfo }) }
}

function logMethods(body: Body, era: 'legacy' | 'modern'): void {
  for (const rpc of methodsOf(body.value)) logEvent('debug', 'rpc', { rpc, era })
}

function onerror(error: Error): void {
  logEvent('warn', 'mcp', errorFields(error))
}
