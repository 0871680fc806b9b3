import {
  createMcpHandler,
  isLegacyRequest,
  type AuthInfo,
  type CreateMcpHandlerOptions,
} from '@modelcontextprotocol/server'
import { callerOf } from '../caller.ts'
import type { Env, Flavour } from '../env.ts'
import { noteSession } from '../hooks.ts'
import { errorFields, logEvent } from '../log.ts'
import { ownerState } from '../owner-stub.ts'
import { methodNotAllowed, RPC, rpcError } from '../rpc-error.ts'
import { methodsOf, readBody, type Body } from './body.ts'
import { forObject, logMethods, type Exchange } from './exchange.ts'
import { createServer } from './server.ts'
import { onSession, openSse, postToSse } from './to-session.ts'

/** What the entry of a flavour knows about a request. */
export interface McpOptions {
  readonly flavour: Flavour
  /** The checked token; its `extra` carries `userId`, `roles` and, if known, `login`. */
  readonly authInfo?: AuthInfo
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
  '/stateless/mcp': (exchange) => serveStateless(exchange, 'stateless'),
  '/legacy/mcp': serveLegacyOnly,
  '/modern/mcp': (exchange) => serveStateless(exchange, 'reject'),
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
  const { request } = exchange
  if (request.method !== 'POST') return onSession(exchange)
  const body = await readBody(request)
  if (body instanceof Response) return body
  const legacy = await isLegacyRequest(request, body.value)
  if (legacy && isSessionful(request, body)) return onSession(exchange, body)
  return serveOnce(exchange, body, legacy ? 'legacy' : 'modern', 'stateless')
}

/** `/stateless/mcp`: both eras without sessions; `/modern/mcp`: the initialize era is refused. */
async function serveStateless(
  exchange: Exchange,
  legacy: NonNullable<CreateMcpHandlerOptions['legacy']>,
): Promise<Response> {
  const { request } = exchange
  if (request.method !== 'POST') return methodNotAllowed('POST')
  const body = await readBody(request)
  if (body instanceof Response) return body
  const era = (await isLegacyRequest(request, body.value)) ? 'legacy' : 'modern'
  return serveOnce(exchange, body, era, legacy)
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

/** Serves one request with a server instance of its own. */
async function serveOnce(
  exchange: Exchange,
  body: Body,
  era: 'legacy' | 'modern',
  legacy: NonNullable<CreateMcpHandlerOptions['legacy']>,
): Promise<Response> {
  const { request, url, env, caller } = exchange
  logMethods(body, era)
  noteSession(url, env, caller.owner)
  // A change may happen in any isolate; the owner's object is the one place that hears of all.
  if (era === 'modern' && methodsOf(body.value).includes('subscriptions/listen')) {
    return ownerState(env, caller.owner).fetch(forObject(exchange, body))
  }
  const handler = createMcpHandler((context) => createServer({ env, caller, era: context.era }), {
    legacy,
    onerror: (error) => logEvent('warn', 'mcp', errorFields(error)),
  })
  const { authInfo } = caller
  const options = { parsedBody: body.value, ...(authInfo === undefined ? {} : { authInfo }) }
  return handler.fetch(request, options)
}

function isSessionful(request: Request, body: Body): boolean {
  return request.headers.has('mcp-session-id') || methodsOf(body.value).includes('initialize')
}
