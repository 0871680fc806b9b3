import { pause } from './pause.ts'
import { RPC, rpcError } from './rpc-error.ts'
import { methodsOf } from './mcp/body.ts'

/** Way on to the real handler. */
export type Next = (request: Request) => Promise<Response>

/** One kind of trouble: answers in place of the handler, or spoils its answer. */
type Trouble = (request: Request, next: Next, fault: Fault) => Promise<Response>

/** Trouble ordered for the next requests that match. */
interface Fault {
  left: number
  readonly trouble: Trouble
  readonly ms: number
  readonly path: string | undefined
  readonly verb: string
  readonly rpc: string | undefined
}

const DEFAULT_SLOW_MS = 5000

const status =
  (code: number, headers: Record<string, string> = {}): Trouble =>
  async () =>
    rpcError(code, RPC.refused, `Injected ${code}`, headers)

const troubles: Readonly<Record<string, Trouble>> = {
  '401': status(401, { 'www-authenticate': 'Bearer error="invalid_token"' }),
  '403': status(403),
  '404': status(404),
  '429': status(429, { 'retry-after': '1' }),
  '500': status(500),
  '503': status(503, { 'retry-after': '1' }),
  async slow(request, next, { ms }) {
    await pause(ms, request.signal)
    return next(request)
  },
  // The work is done and its answer is lost on the way.
  async cut(request, next) {
    return cutOff(await next(request))
  },
}

let faults: readonly Fault[] = []

/** Forgets all ordered trouble. */
export function clearFaults(): void {
  faults = []
}

/** Orders trouble from the query of a hook; says what is wrong with the query otherwise. */
export function orderFault(query: URLSearchParams): string | undefined {
  const trouble = troubles[query.get('with') ?? '']
  if (trouble === undefined) return `with must be one of ${Object.keys(troubles).join(', ')}`
  const left = Number(query.get('next') ?? 1)
  if (!Number.isInteger(left) || left < 1) return 'next must be a positive integer'
  const fault: Fault = {
    left,
    trouble,
    ms: Number(query.get('ms') ?? DEFAULT_SLOW_MS),
    path: query.get('path') ?? undefined,
    verb: query.get('verb') ?? 'POST',
    rpc: query.get('rpc') ?? undefined,
  }
  faults = [...faults, fault]
  return undefined
}

/** The trouble that this request runs into, if any. */
export async function faultFor(
  request: Request,
): Promise<((next: Next) => Promise<Response>) | undefined> {
  for (const fault of faults) {
    if (fault.left === 0 || !(await matches(fault, request))) continue
    fault.left -= 1
    return (next) => fault.trouble(request, next, fault)
  }
  return undefined
}

async function matches(fault: Fault, request: Request): Promise<boolean> {
  if (fault.verb !== request.method) return false
  if (fault.path !== undefined && fault.path !== new URL(request.url).pathname) return false
  if (fault.rpc === undefined) return true
  const text = await request.clone().text()
  return text.startsWith('{') && methodsOf(JSON.parse(text)).includes(fault.rpc)
}

const PRIMING = /^id: .*\n(?:retry: .*\n)?data: \n\n/

/**
 * Lets the priming event, or half of what comes first, through and breaks the connection. The
 * declared length is what makes the end a break: an open-ended body would just be over.
 */
async function cutOff(response: Response): Promise<Response> {
  const reader = response.body?.getReader()
  const { value } = (await reader?.read()) ?? {}
  if (value === undefined) return response
  const priming = PRIMING.exec(new TextDecoder().decode(value))
  const kept = value.slice(0, priming?.[0].length ?? Math.floor(value.length / 2))
  const { readable, writable } = new FixedLengthStream(kept.length + 1)
  const writer = writable.getWriter()
  void writer
    .write(kept)
    .then(() => writer.abort(new Error('cut by the test hook')))
    .catch(() => undefined)
  void reader?.cancel()
  const headers = new Headers(response.headers)
  headers.delete('content-length')
  return new Response(readable, { status: response.status, headers })
}
