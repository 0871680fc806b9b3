import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorker, type RunningWorker } from '../dev/serve.mjs'
import { postHeaders, rpc } from './support/raw.ts'
import { until } from './support/until.ts'

const initialize = rpc(1, 'initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'raw', version: '1' },
})

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
  const status = await new Promise((resolve, reject) => {
    const headers = { host: 'rebound.example.com', origin: 'http://rebound.example.com' }
    httpRequest(`${worker.url}/health`, { headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })
  expect(status).toBe(403)
})

describe('size caps', () => {
  const tooMuch = 'x'.repeat(4 * 1024 * 1024 + 1)

  test('a declared length over the cap is refused', async () => {
    const response = await fetch(`${worker.url}/mcp`, {
      method: 'POST',
      headers: postHeaders,
      body: tooMuch,
    })
    expect(response.status).toBe(413)
  })

  test('so is a body of undeclared length', async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(tooMuch))
        controller.close()
      },
    })
    const init = { method: 'POST', headers: postHeaders, body, duplex: 'half' }
    const response = await fetch(`${worker.url}/mcp`, init as RequestInit)
    expect(response.status).toBe(413)
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
