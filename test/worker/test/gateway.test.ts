import { request as httpRequest, type ClientRequest } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { startWorker, type RunningWorker } from '../dev/serve.mjs'
import { isAllowedOrigin } from '../src/cors.ts'
import type { Env } from '../src/env.ts'
import { withGateway } from '../src/gateway.ts'
import { readBody } from '../src/mcp/body.ts'
import { postHeaders, rpc } from './support/raw.ts'
import { until } from './support/until.ts'

const initialize = rpc(1, 'initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'raw', version: '1' },
})

/** The status of an answer that may come while the request is still open. */
function statusOf(request: ClientRequest): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request.once('error', reject)
    request.once('response', (response) => {
      resolve(response.statusCode)
      request.destroy()
    })
    request.flushHeaders()
  })
}

let worker: RunningWorker
beforeAll(async () => {
  worker = await startWorker({
    flavour: 'public',
    vars: { ALLOWED_ORIGINS: 'https://app.example.com, https://b.example.com' },
  })
})
afterAll(() => worker.stop())

describe('CORS', () => {
  test.each(['https://app.example.com', 'https://b.example.com', 'http://localhost:6274'])(
    'a preflight from %s is answered',
    async (origin) => {
      const response = await fetch(`${worker.url}/mcp`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type, mcp-session-id, authorization',
        },
      })
      expect(response.status).toBe(204)
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-allow-headers': 'content-type, mcp-session-id, authorization',
        'access-control-allow-methods': 'GET, POST, DELETE, OPTIONS',
      })
    },
  )

  test('behind a tunnel, the public origin is the own one', async () => {
    const url = new URL('http://127.0.0.1:8787/authorize')
    const request = new Request(url, { headers: { origin: 'https://mcp.example.com' } })
    expect(isAllowedOrigin(request, url, {} as Env)).toBe(false)
    const env = { PUBLIC_URL: 'https://mcp.example.com' } as Env
    expect(isAllowedOrigin(request, url, env)).toBe(true)
  })

  test('a real answer exposes what a page has to read', async () => {
    const response = await fetch(`${worker.url}/mcp`, {
      method: 'POST',
      headers: { ...postHeaders, origin: 'https://app.example.com' },
      body: initialize,
    })
    expect(response.status).toBe(200)
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example.com')
    expect(response.headers.get('access-control-expose-headers')).toContain('Mcp-Session-Id')
    expect(response.headers.get('vary')).toBe('Origin')
    await response.text()
  })

  test('an answer to a program that is no page has no CORS headers', async () => {
    const response = await fetch(`${worker.url}/health`)
    expect(response.headers.has('access-control-allow-origin')).toBe(false)
  })

  test.each(['https://evil.example.com', 'null', 'https://app.example.com.evil.com'])(
    'the origin %s is refused, preflight or not',
    async (origin) => {
      for (const method of ['OPTIONS', 'POST']) {
        const response = await fetch(`${worker.url}/mcp`, {
          method,
          headers: { ...postHeaders, origin },
          ...(method === 'POST' ? { body: initialize } : {}),
        })
        expect(response.status).toBe(403)
        expect(response.headers.has('access-control-allow-origin')).toBe(false)
      }
    },
  )
})

test('a foreign host name over plain http is refused', async () => {
  const headers = { host: 'rebound.example.com', origin: 'http://rebound.example.com' }
  const request = httpRequest(`${worker.url}/health`, { headers })
  request.end()
  expect(await statusOf(request)).toBe(403)
})

describe('size caps', () => {
  test('a declared length over the cap is refused before the body is sent', async () => {
    const headers = { ...postHeaders, 'content-length': String(4 * 1024 * 1024 + 1) }
    expect(await statusOf(httpRequest(`${worker.url}/mcp`, { method: 'POST', headers }))).toBe(413)
  })

  test('a body of undeclared length is read up to the cap', async () => {
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 1
        controller.enqueue(new Uint8Array(1024 * 1024).fill(0x20))
      },
    })
    const init = { method: 'POST', headers: postHeaders, body, duplex: 'half' }
    const refused = await readBody(new Request('https://mcp.example.com/mcp', init as RequestInit))
    expect(refused).toMatchObject({ status: 413 })
    expect(sent).toBeLessThan(8)
  })
})

test('a log line per request, and none with the session id', async () => {
  const response = await fetch(`${worker.url}/mcp`, {
    method: 'POST',
    headers: postHeaders,
    body: initialize,
  })
  await response.text()
  const line = await until('log line', () =>
    worker.logs.find(
      ({ event, method, status }) => event === 'request' && method === 'POST' && status === 200,
    ),
  )
  expect(line).toEqual({
    level: 'info',
    event: 'request',
    ts: expect.any(String),
    method: 'POST',
    path: '/mcp',
    status: 200,
    ms: expect.any(Number),
  })
  const session = response.headers.get('mcp-session-id')
  expect(session).not.toBeNull()
  expect(JSON.stringify(worker.logs)).not.toContain(session)
})

test('over the rate limit a caller gets 429 with Retry-After', async () => {
  const limited = await startWorker({ flavour: 'public', rateLimit: 3 })
  const ask = (credential: string) =>
    fetch(`${limited.url}/mcp`, {
      method: 'POST',
      headers: { ...postHeaders, authorization: `Bearer ${credential}` },
      body: initialize,
    })
  const statuses: number[] = []
  for (let index = 0; index < 4; index += 1) statuses.push((await ask('a')).status)
  expect(statuses).toEqual([200, 200, 200, 429])
  const refused = await ask('a')
  expect(refused.headers.get('retry-after')).toBe('60')
  expect(await refused.json()).toMatchObject({ jsonrpc: '2.0', error: { code: -32000 }, id: null })
  // Somebody else is not held up, and neither is the health check.
  expect((await ask('b')).status).toBe(200)
  expect((await fetch(`${limited.url}/health`)).status).toBe(200)
  await limited.stop()
})

describe('the gateway by itself', () => {
  beforeEach(() => {
    for (const method of ['info', 'error'] as const) {
      vi.spyOn(console, method).mockImplementation(() => undefined)
    }
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })

  test('whatever a handler throws becomes a JSON-RPC internal error without its message', async () => {
    const env = { RATE_LIMITER: { limit: async () => ({ success: true }) } } as unknown as Env
    const handler = withGateway(() => Promise.reject(new Error('the password is x')), {
      flavour: 'public',
    })
    const request = new Request('https://mcp.example.com/mcp', {
      method: 'POST',
      headers: { origin: 'https://mcp.example.com' },
    })
    const response = await handler(request, env, {} as ExecutionContext)
    expect(response.status).toBe(500)
    expect(response.headers.get('access-control-allow-origin')).toBe('https://mcp.example.com')
    const error = { code: -32603, message: 'Internal error' }
    expect(await response.json()).toEqual({ jsonrpc: '2.0', error, id: null })
    expect(vi.mocked(console.error).mock.calls[0]?.[0]).toContain('Error: the password is x')
  })

  test.each([
    ['http://mcp.example.com/health', {}, 403],
    ['http://mcp.example.com/health', { PUBLIC_URL: 'http://mcp.example.com' }, 200],
    ['https://mcp.example.com/health', {}, 200],
    ['http://127.0.0.1:8787/health', {}, 200],
    ['http://[::1]:8787/health', {}, 200],
  ])('%s with %o: %d', async (url, vars, status) => {
    const handler = withGateway(async () => new Response(), { flavour: 'public' })
    const response = await handler(new Request(url), vars as Env, {} as ExecutionContext)
    expect(response.status).toBe(status)
  })
})
