import { request as httpRequest } from 'node:http'
import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { visit } from '../auth/browser-stub.ts'
import { type Host, startHost } from '../auth/host.ts'
import { startWorld, type World } from '../auth/world.ts'
import { initialize } from '../support/bridge.ts'

interface SignIn {
  readonly world: World
  readonly host: Host
  readonly link: string
  readonly redirect: URL
  readonly state: string
}

/** A bridge that waits for its browser. */
async function waiting(): Promise<SignIn> {
  const world = await startWorld()
  const host = startHost(world.mcp.url)
  host.write(initialize(0))
  const link = await host.browser.opened()
  const { searchParams } = new URL(link)
  const redirect = new URL(searchParams.get('redirect_uri')!)
  return { world, host, link, redirect, state: searchParams.get('state')! }
}

interface Reply {
  readonly status: number | undefined
  readonly headers: Record<string, unknown>
  readonly body: string
}

/** One raw request to the listener; what fetch forbids is allowed. */
function send(
  { port }: URL,
  path: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method, headers }
    const request = httpRequest(options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8')
        resolve({ status: response.statusCode, headers: response.headers, body })
      })
    })
    request.on('error', reject)
    request.end()
  })
}

/** Whether nobody listens at the port of the address. */
function isFree({ port }: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host: '127.0.0.1', port: Number(port), exclusive: true }, () => {
      server.close(() => resolve(true))
    })
  })
}

describe('A-54, A-62: the listener of a sign-in', () => {
  test('knows one way in; whatever else comes changes nothing, also with the right state', async () => {
    const { world, host, link, redirect, state } = await waiting()
    const genuine = `/callback?code=x&state=${state}`
    const evil = { headers: { host: `evil.example:${redirect.port}` } }
    const attempts: readonly (readonly [number, string, Parameters<typeof send>[2]?])[] = [
      [400, genuine, evil],
      [400, genuine, { headers: { host: 'evil.example' } }],
      [400, genuine, { headers: { host: `127.0.0.1.evil.example:${redirect.port}` } }],
      [400, `/callback?error=access_denied&state=${state}`, evil],
      [400, '/callback?error=access_denied'],
      [400, '/callback?error=access_denied&state=wrong'],
      [400, '/callback?code=x'],
      [400, '/callback?code=x&state='],
      [400, `/callback?code=x&state=wrong&state=${state}`],
      [400, `/callback?code=x&STATE=${state}`],
      [400, `/callback?code=x&state=${state.slice(0, -1)}`],
      [400, `/callback?code=x&state=${state}0`],
      [404, `/?code=x&state=${state}`],
      [404, `/callback/?code=x&state=${state}`],
      [404, `/x/../callback2?code=x&state=${state}`],
      [404, '/.mcp-remote/id'],
      [404, '/favicon.ico'],
      ...['POST', 'PUT', 'HEAD', 'OPTIONS', 'DELETE'].map(
        (method) => [405, genuine, { method }] as const,
      ),
    ]
    for (const [status, path, options] of attempts) {
      const reply = await send(redirect, path, options)
      expect({ path, options, status: reply.status }).toEqual({ path, options, status })
      expect(reply.headers).toMatchObject({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      })
      expect(reply.headers).not.toHaveProperty('access-control-allow-origin')
      expect(reply.headers).not.toHaveProperty('x-powered-by')
    }
    expect(world.authority.tokenCalls).toEqual([])
    expect(host.messages()).toEqual([])
    expect((await visit(link)).status).toBe(200)
    expect(await host.answer(0)).toHaveProperty('result')
    expect(world.authority.tokenCalls).toHaveLength(1)
  })

  test('reflects nothing that a browser would run, whoever sends it', async () => {
    const script = '<script>alert(1)</script>"\'><img src=x onerror=alert(1)>'
    const { host, redirect, state } = await waiting()
    const hostile = encodeURIComponent(script)
    const stray = await send(redirect, `/callback?error=${hostile}&error_description=${hostile}`)
    const genuine = await send(
      redirect,
      `/callback?error=${hostile}&error_description=${hostile}&error_uri=${hostile}&state=${state}`,
    )
    for (const { body, headers } of [stray, genuine]) {
      expect(body).not.toMatch(/<script|<img|onerror=alert\(1\)>/)
      expect(headers['content-security-policy']).toMatch(/default-src 'none'/)
    }
    expect(stray.body).not.toContain('alert(1)')
    expect(genuine.body).toContain('The sign-in failed')
    expect(await host.answer(0)).toHaveProperty('error')
  })

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('is gone after %s', async (signal) => {
    const { host, redirect } = await waiting()
    expect(await isFree(redirect)).toBe(false)
    host.child.kill(signal)
    expect((await host.exit(3_000)).code).toBeGreaterThan(128)
    expect(await isFree(redirect)).toBe(true)
  })
})
