import {
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
  UnauthorizedError,
} from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport as SseV1 } from '@modelcontextprotocol/sdk/client/sse.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { completeSignIn } from '../dev/browser.mjs'
import { startWorker, type RunningWorker } from '../dev/serve.mjs'
import {
  listenForCallback,
  post,
  registerApp,
  structuredOf,
  toolCall,
  type App,
} from './oauth.client.ts'
import { memoryProvider } from './oauth.sdk.ts'

const GUARDED = toolCall('delete_all_notes')
const BOTH = 'mcp:read notes:admin'

let worker: RunningWorker
let callback: Awaited<ReturnType<typeof listenForCallback>>
beforeAll(async () => {
  callback = await listenForCallback()
  worker = await startWorker({ flavour: 'oauth' })
})
afterAll(async () => {
  callback.close()
  await worker.stop()
})

const info = { name: 'test', version: '1' }

const obtain = async (scope: string, user = 'ada', path = '/mcp') => {
  const app: App = await registerApp(worker.url, callback.url, path)
  return (await app.obtain(scope, { user })).access_token
}

/** What an answer asks a client to do, in the parts that matter. */
function challengeOf(answer: Response): Readonly<Record<string, unknown>> {
  const header = answer.headers.get('WWW-Authenticate') ?? ''
  const parameters = [...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value]) => [
    name,
    value,
  ])
  return { status: answer.status, ...Object.fromEntries(parameters) }
}

const stepUp = () => ({
  status: 403,
  error: 'insufficient_scope',
  scope: BOTH,
  resource_metadata: `${worker.url}/.well-known/oauth-protected-resource/mcp`,
})

describe('what a sign-in grants', () => {
  test.each([
    ['ada', 'mcp:read', 'mcp:read'],
    ['ada', BOTH, BOTH],
    ['ben', BOTH, 'mcp:read'],
    ['ada', 'notes:admin', BOTH],
    ['ada', '', 'mcp:read'],
  ])('%s, asked for "%s", grants "%s"', async (user, asked, granted) => {
    const app = await registerApp(worker.url, callback.url)
    expect(await app.obtain(asked, { user })).toMatchObject({ scope: granted })
  })
})

describe('a guarded tool at /mcp', () => {
  test('is listed, so that a client can find out what it needs', async () => {
    const answer = await post(`${worker.url}/mcp`, await obtain('mcp:read'), {
      method: 'tools/list',
    })
    expect(await answer.text()).toContain('delete_all_notes')
  })

  test('answers 403 with the scopes to ask for, and runs after the step-up', async () => {
    expect(
      challengeOf(await post(`${worker.url}/mcp`, await obtain('mcp:read'), GUARDED)),
    ).toMatchObject(stepUp())
    const answer = await post(`${worker.url}/mcp`, await obtain(BOTH), GUARDED)
    expect(answer.status).toBe(200)
    expect(await structuredOf(answer)).toHaveProperty('deleted')
  })

  test('stays closed for somebody without the role, whatever was allowed', async () => {
    expect(
      challengeOf(await post(`${worker.url}/mcp`, await obtain(BOTH, 'ben'), GUARDED)),
    ).toMatchObject(stepUp())
  })

  test('in the modern era: the official client asks for both scopes, and the same call succeeds', async () => {
    const provider = memoryProvider(callback.url)
    const open = () => new TransportV2(new URL(`${worker.url}/mcp`), { authProvider: provider })
    const make = () => new ClientV2(info, { versionNegotiation: { mode: 'auto' } })
    const first = open()
    await expect(make().connect(first)).rejects.toThrow(UnauthorizedError)
    await first.finishAuth(new URL((await completeSignIn(provider.sentTo())).finalUrl).searchParams)

    const client = make()
    const transport = open()
    await client.connect(transport)
    const call = { name: 'delete_all_notes', arguments: {} }
    await expect(client.callTool(call)).rejects.toThrow(UnauthorizedError)
    const next = new URL(provider.sentTo())
    expect(next.searchParams.get('scope')?.split(' ').toSorted()).toEqual([
      'mcp:read',
      'notes:admin',
    ])
    await transport.finishAuth(new URL((await completeSignIn(next.href)).finalUrl).searchParams)
    expect((await client.callTool(call)).structuredContent).toHaveProperty('deleted')
    await client.close()
  })
})

describe('a guarded tool in a session', () => {
  const startSession = async (token: string): Promise<string> => {
    const answer = await post(`${worker.url}/mcp`, token, {
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: info },
    })
    await answer.text()
    return answer.headers.get('Mcp-Session-Id') ?? ''
  }

  test('answers 403, and runs in the same session with the token of a step-up', async () => {
    const plain = await obtain('mcp:read')
    const session = { 'Mcp-Session-Id': await startSession(plain) }
    expect(challengeOf(await post(`${worker.url}/mcp`, plain, GUARDED, session))).toMatchObject(
      stepUp(),
    )
    const answer = await post(`${worker.url}/mcp`, await obtain(BOTH), GUARDED, session)
    expect(answer.status).toBe(200)
    expect(await structuredOf(answer)).toHaveProperty('deleted')
  })

  test('forgets the scope again when the next call has less', async () => {
    const session = { 'Mcp-Session-Id': await startSession(await obtain(BOTH)) }
    expect(
      challengeOf(await post(`${worker.url}/mcp`, await obtain('mcp:read'), GUARDED, session)),
    ).toMatchObject(stepUp())
  })

  test("is not reachable with another person's token", async () => {
    const session = { 'Mcp-Session-Id': await startSession(await obtain('mcp:read', 'ada')) }
    const token = await obtain('mcp:read', 'ben')
    const answer = await post(`${worker.url}/mcp`, token, toolCall('whoami'), session)
    expect(answer.status).toBe(404)
  })
})

describe('a guarded tool over /sse', () => {
  /** A v1 client on one stream, whose token can be changed between two calls. */
  async function connect(first: string) {
    let token = first
    const withToken = (url: string | URL, init: RequestInit = {}): Promise<Response> => {
      const headers = new Headers(init.headers)
      headers.set('Authorization', `Bearer ${token}`)
      return fetch(url, { ...init, headers })
    }
    const client = new ClientV1(info)
    await client.connect(
      new SseV1(new URL(`${worker.url}/sse`), {
        fetch: withToken,
        eventSourceInit: { fetch: withToken },
      }),
    )
    const call = () => client.callTool({ name: 'delete_all_notes', arguments: {} })
    return { client, call, use: (next: string) => void (token = next) }
  }

  test('says what it needs as a tool error, since the transport has no challenge', async () => {
    const { client, call } = await connect(await obtain('mcp:read', 'ada', '/sse'))
    const answer = await call()
    expect(answer.isError).toBe(true)
    expect(JSON.stringify(answer.content)).toContain('notes:admin')
    await client.close()
  })

  test('runs on the same stream with the token of a step-up', async () => {
    const { client, call, use } = await connect(await obtain('mcp:read', 'ada', '/sse'))
    use(await obtain(BOTH, 'ada', '/sse'))
    expect((await call()).structuredContent).toHaveProperty('deleted')
    await client.close()
  })

  test('stays closed for somebody without the role', async () => {
    const { client, call } = await connect(await obtain(BOTH, 'ben', '/sse'))
    expect((await call()).isError).toBe(true)
    await client.close()
  })
})

describe('a token with less than the base scope', () => {
  test('opens nothing and is told what to ask for', async () => {
    const app = await registerApp(worker.url, callback.url)
    const { refresh_token: refreshToken } = await app.obtain(BOTH)
    const narrowed = await fetch(`${worker.url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: app.clientId,
        refresh_token: refreshToken,
        scope: 'notes:admin',
      }),
    })
    const { access_token: token } = (await narrowed.json()) as { access_token: string }
    const answer = await post(`${worker.url}/mcp`, token, { method: 'tools/list' })
    expect(answer.status).toBe(403)
    expect(answer.headers.get('WWW-Authenticate')).toContain('scope="mcp:read"')
  })
})
