import { corsHeaders, isAllowedOrigin, isTrustedHost, preflight } from './cors.ts'
import type { Env, Flavour } from './env.ts'
import { hookFor, type Hook } from './hooks.ts'
import { MAX_BODY_BYTES, RATE_LIMIT_PERIOD_S } from './limits.ts'
import { errorFields, logEvent } from './log.ts'
import { RPC, rpcError } from './rpc-error.ts'

/** A Worker's fetch handler. */
export type Handler = (request: Request, env: Env, ctx: ExecutionContext) => Promise<Response>

/** What the gateway must know about the flavour it stands before. */
export interface GatewayOptions {
  readonly flavour: Flavour
  /** Further test hooks by name; they answer under `/__test/<name>`. */
  readonly hooks?: Readonly<Record<string, Hook>>
}

/**
 * What every request passes before its handler: address and origin checks, CORS, size cap, rate
 * limit, and one log line. Whatever escapes the handler becomes a JSON-RPC internal error.
 */
export function withGateway(handler: Handler, options: GatewayOptions): Handler {
  return async (request, env, ctx) => {
    const started = Date.now()
    const url = new URL(request.url)
    let response: Response
    try {
      response = await admit(request, url, env, ctx, handler, options)
    } catch (thrown) {
      logEvent('error', 'unhandled', { path: url.pathname, ...errorFields(thrown) })
      response = rpcError(500, RPC.internal, 'Internal error')
    }
    logEvent(response.status < 500 ? 'info' : 'error', 'request', {
      method: request.method,
      path: url.pathname,
      status: response.status,
      ms: Date.now() - started,
    })
    return withCors(response, request, url, env)
  }
}

async function admit(
  request: Request,
  url: URL,
  env: Env,
  ctx: ExecutionContext,
  handler: Handler,
  options: GatewayOptions,
): Promise<Response> {
  if (!isTrustedHost(url, env))
    return rpcError(403, RPC.refused, 'Use https, or a loopback address')
  if (!isAllowedOrigin(request, url, env)) return rpcError(403, RPC.refused, 'Origin not allowed')
  if (request.method === 'OPTIONS') return preflight(request)
  if (url.pathname === '/health') return Response.json({ status: 'ok', flavour: options.flavour })
  if (declaredBytes(request) > MAX_BODY_BYTES) {
    return rpcError(413, RPC.refused, `Request body over ${MAX_BODY_BYTES} bytes`)
  }
  const hook = await hookFor(request, url, env, options.hooks)
  if (hook !== undefined) return hook((inner) => limited(inner, env, ctx, handler))
  return limited(request, env, ctx, handler)
}

async function limited(
  request: Request,
  env: Env,
  ctx: ExecutionContext,
  handler: Handler,
): Promise<Response> {
  const { success } = await env.RATE_LIMITER.limit({ key: await rateKey(request) })
  if (success) return handler(request, env, ctx)
  return rpcError(429, RPC.refused, 'Too many requests', {
    'retry-after': String(RATE_LIMIT_PERIOD_S),
  })
}

/** One bucket per token, else per address. The token is hashed: keys are visible to the platform. */
async function rateKey(request: Request): Promise<string> {
  const credential = request.headers.get('authorization')
  if (credential === null) return `ip:${request.headers.get('cf-connecting-ip') ?? 'unknown'}`
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(credential))
  return `token:${btoa(String.fromCodePoint(...new Uint8Array(digest)))}`
}

function declaredBytes(request: Request): number {
  return Number(request.headers.get('content-length') ?? 0)
}

function withCors(response: Response, request: Request, url: URL, env: Env): Response {
  const headers = corsHeaders(request, url, env)
  if (headers === undefined) return response
  const open = new Response(response.body, response)
  for (const [name, value] of Object.entries(headers)) open.headers.set(name, value)
  return open
}
