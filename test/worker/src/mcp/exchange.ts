import { withCaller, type Caller } from '../caller.ts'
import type { Env } from '../env.ts'
import { logEvent } from '../log.ts'
import { methodsOf, type Body } from './body.ts'

/** One request on its way to a transport. */
export interface Exchange {
  readonly request: Request
  readonly url: URL
  readonly env: Env
  readonly caller: Caller
}

/** The request as a Durable Object gets it: same URL, a caller it can trust, no token. */
export function forObject({ request, caller }: Exchange, body?: Body): Request {
  return new Request(request.url, {
    method: request.method,
    headers: withCaller(request.headers, caller),
    signal: request.signal,
    ...(body === undefined ? {} : { body: body.text }),
  })
}

/** One log line per JSON-RPC method. */
export function logMethods(body: Body, era: 'legacy' | 'modern'): void {
  for (const rpc of methodsOf(body.value)) logEvent('debug', 'rpc', { rpc, era })
}
