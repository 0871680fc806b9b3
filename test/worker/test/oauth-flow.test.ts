import {
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
  UnauthorizedError,
} from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport as SseV1 } from '@modelcontextprotocol/sdk/client/sse.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { completeSignIn } from '../dev/browser.mjs'
import { startWorker, type RunningWorker } from '../dev/serve.mjs'
import { listenForCallback, post, registerApp, structuredOf, toolCall } from './oauth.client.ts'
import { memoryProvider } from './oauth.sdk.ts'

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

describe('by hand, from registration to a tool', () => {
  test('the app gets its state and the issuer back with the code', async () => {
    const app = await registerApp(worker.url, callback.url)
    const url = await app.signIn()
    expect(url.href.startsWith(callback.url)).toBe(true)
    expect(url.searchParams.get('state')).toBe('state-of-the-app')
    expect(url.searchParams.get('iss')).toBe(worker.url)
  })

  test('the token opens its resource as the person who signed in', async () => {
    const app = await registerApp(worker.url, callback.url)
    const tokens = await app.obtain('mcp:read', { user: 'ben' })
    expect(tokens).toMatchObject({
      expires_in: 3600,
      scope: 'mcp:read',
      resource: `${worker.url}/mcp`,
    })
    const answer = await post(`${worker.url}/mcp`, tokens.access_token, toolCall('whoami'))
    expect(await structuredOf(answer)).toMatchObject({
      login: 'ben',
      roles: [],
      scopes: ['mcp:read'],
    })
  })

  test('two people are two owners, one person is the same owner twice', async () => {
    const ownerOf = async (user: string) => {
      const app = await registerApp(worker.url, callback.url)
      const { access_token: token } = await app.obtain('mcp:read', { user })
      return (await structuredOf(await post(`${worker.url}/mcp`, token, toolCall('whoami'))))[
        'owner'
      ]
    }
    const [ada, ben, adaAgain] = [await ownerOf('ada'), await ownerOf('ben'), await ownerOf('ada')]
    expect(ada).toMatch(/^oidc-[\w-]{22}$/)
    expect(ben).not.toBe(ada)
    expect(adaAgain).toBe(ada)
  })

  test('a token for one resource does not open the other', async () => {
    const app = await registerApp(worker.url, callback.url)
    const { access_token: token } = await app.obtain()
    const answer = await fetch(`${worker.url}/sse`, {
      headers: { Authorization: `Bearer ${token}` },
    })
    expect(answer.status).toBe(401)
  })

  test('a request without resource is for /mcp, as clients of 2025-03-26 expect', async () => {
    const app = await registerApp(worker.url, callback.url)
    const { finalUrl } = await completeSignIn(app.authorizeUrl({ resource: undefined }))
    expect(await (await app.redeem(new URL(finalUrl))).json()).toMatchObject({
      resource: `${worker.url}/mcp`,
    })
  })

  test('a code works once, and only with its verifier', async () => {
    const app = await registerApp(worker.url, callback.url)
    const url = await app.signIn()
    expect((await app.redeem(url)).status).toBe(200)
    expect((await app.redeem(url)).status).toBe(400)

    const other = await app.signIn()
    app.authorizeUrl()
    const wrong = await app.redeem(other)
    expect(wrong.status).toBe(400)
    expect(await wrong.json()).toMatchObject({ error: 'invalid_grant' })
  })

  test('a token in the query does not count', async () => {
    const app = await registerApp(worker.url, callback.url)
    const { access_token: token } = await app.obtain()
    const answer = await post(
      `${worker.url}/mcp?access_token=${token}`,
      undefined,
      toolCall('whoami'),
    )
    expect(answer.status).toBe(401)
  })
})

describe('with the OAuth of the official clients', () => {
  test('v1 signs in at /mcp and calls a tool in a session', async () => {
    const provider = memoryProvider(callback.url)
    const connect = async () => {
      const client = new ClientV1(info)
      const transport = new TransportV1(new URL(`${worker.url}/mcp`), { authProvider: provider })
      const outcome = await client.connect(transport).then(
        () => 'connected',
        () => 'asked to sign in',
      )
      return { client, transport, outcome }
    }
    const first = await connect()
    expect(first.outcome).toBe('asked to sign in')
    const { finalUrl } = await completeSignIn(provider.sentTo())
    await first.transport.finishAuth(new URL(finalUrl).searchParams.get('code') ?? '')
    const second = await connect()
    expect(second.outcome).toBe('connected')
    const answer = await second.client.callTool({
      name: 'calculator',
      arguments: { operation: 'add', a: 2, b: 3 },
    })
    expect(answer.structuredContent).toMatchObject({ result: 5 })
    await second.client.close()
  })

  test('v1 signs in at /sse and calls a tool over the stream', async () => {
    const provider = memoryProvider(callback.url)
    const first = new SseV1(new URL(`${worker.url}/sse`), { authProvider: provider })
    await expect(new ClientV1(info).connect(first)).rejects.toThrow('Unauthorized')
    const { finalUrl } = await completeSignIn(provider.sentTo())
    await first.finishAuth(new URL(finalUrl).searchParams.get('code') ?? '')
    const client = new ClientV1(info)
    await client.connect(new SseV1(new URL(`${worker.url}/sse`), { authProvider: provider }))
    const answer = await client.callTool({ name: 'whoami', arguments: {} })
    expect(answer.structuredContent).toMatchObject({ login: 'ada', era: 'legacy' })
    await client.close()
  })

  test('v2 checks the issuer, signs in and speaks the modern era', async () => {
    const provider = memoryProvider(callback.url)
    const open = () => new TransportV2(new URL(`${worker.url}/mcp`), { authProvider: provider })
    const make = () => new ClientV2(info, { versionNegotiation: { mode: 'auto' } })
    const first = open()
    await expect(make().connect(first)).rejects.toThrow(UnauthorizedError)
    const { finalUrl } = await completeSignIn(provider.sentTo())
    await first.finishAuth(new URL(finalUrl).searchParams)
    const client = make()
    await client.connect(open())
    const answer = await client.callTool({ name: 'whoami', arguments: {} })
    expect(answer.structuredContent).toMatchObject({
      login: 'ada',
      era: 'modern',
      scopes: ['mcp:read'],
    })
    await client.close()
  })
})
