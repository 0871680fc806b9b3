import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startWorker, type RunningWorker } from '../dev/serve.mjs'
import {
  listenForCallback,
  post,
  registerApp,
  toolCall,
  type App,
  type Tokens,
} from './oauth.client.ts'

const ACCESS_TTL_S = 5
const REFRESH_TTL_S = 12

let lasting: RunningWorker
let brief: RunningWorker
let callback: Awaited<ReturnType<typeof listenForCallback>>
beforeAll(async () => {
  callback = await listenForCallback()
  ;[lasting, brief] = await Promise.all([
    startWorker({ flavour: 'oauth' }),
    startWorker({
      flavour: 'oauth',
      vars: {
        ACCESS_TOKEN_TTL_S: String(ACCESS_TTL_S),
        REFRESH_TOKEN_TTL_S: String(REFRESH_TTL_S),
      },
    }),
  ])
})
afterAll(async () => {
  callback.close()
  await Promise.all([lasting.stop(), brief.stop()])
})

/** The HTTP status that a token gets at the MCP endpoint. */
const statusOf = async (worker: RunningWorker, token: string): Promise<number> =>
  (await post(`${worker.url}/mcp`, token, toolCall('whoami'))).status

const hook = (worker: RunningWorker, name: string): Promise<Response> =>
  fetch(`${worker.url}/__test/${name}`, { method: 'POST' })

const signedIn = async (worker: RunningWorker): Promise<{ app: App; tokens: Tokens }> => {
  const app = await registerApp(worker.url, callback.url)
  return { app, tokens: await app.obtain() }
}

const renew = async (app: App, refreshToken: string): Promise<Tokens> =>
  (await (await app.refresh(refreshToken)).json()) as Tokens

describe('a refresh', () => {
  test('gives new tokens, and the old access token lives on', async () => {
    const { app, tokens } = await signedIn(lasting)
    const next = await renew(app, tokens.refresh_token)
    expect(next.access_token).not.toBe(tokens.access_token)
    expect(next.refresh_token).not.toBe(tokens.refresh_token)
    expect(next.scope).toBe('mcp:read')
    expect(await statusOf(lasting, next.access_token)).toBe(200)
    expect(await statusOf(lasting, tokens.access_token)).toBe(200)
  })

  test('can be repeated with the previous token while the answer may have been lost', async () => {
    const { app, tokens } = await signedIn(lasting)
    await app.refresh(tokens.refresh_token)
    expect((await app.refresh(tokens.refresh_token)).status).toBe(200)
  })

  test('with a token whose successor was used is refused', async () => {
    const { app, tokens } = await signedIn(lasting)
    const second = await renew(app, tokens.refresh_token)
    await renew(app, second.refresh_token)
    const reused = await app.refresh(tokens.refresh_token)
    expect(reused.status).toBe(400)
    expect(await reused.json()).toMatchObject({ error: 'invalid_grant' })
  })

  test('belongs to the client that signed in', async () => {
    const { tokens } = await signedIn(lasting)
    const other = await registerApp(lasting.url, callback.url)
    expect((await other.refresh(tokens.refresh_token)).status).toBe(400)
  })

  test('cannot ask for another resource', async () => {
    const { tokens, app } = await signedIn(lasting)
    const answer = await fetch(`${lasting.url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: app.clientId,
        refresh_token: tokens.refresh_token,
        resource: `${lasting.url}/sse`,
      }),
    })
    expect(await answer.json()).toMatchObject({ error: 'invalid_target' })
  })
})

describe('lifetimes below the minimum of KV', () => {
  test('are promised, kept, and end', async () => {
    const started = Date.now()
    const { app, tokens } = await signedIn(brief)
    expect(tokens.expires_in).toBe(ACCESS_TTL_S)
    expect(await statusOf(brief, tokens.access_token)).toBe(200)

    await vi.waitUntil(async () => (await statusOf(brief, tokens.access_token)) === 401, {
      timeout: 20_000,
      interval: 200,
    })
    // The issue time is known to the second only, so the life may be up to one second shorter.
    expect(Date.now() - started).toBeGreaterThan((ACCESS_TTL_S - 1) * 1000)

    const next = await renew(app, tokens.refresh_token)
    expect(next.expires_in).toBe(ACCESS_TTL_S)
    expect(await statusOf(brief, next.access_token)).toBe(200)

    let latest = next.refresh_token
    const ended = await vi.waitUntil(
      async () => {
        const answer = await app.refresh(latest)
        const body = (await answer.json()) as Tokens & { error?: string }
        if (answer.ok) latest = body.refresh_token
        return answer.ok ? undefined : body
      },
      { timeout: 20_000, interval: 200 },
    )
    expect(ended).toMatchObject({ error: 'invalid_grant' })
    expect(Date.now() - started).toBeGreaterThan((REFRESH_TTL_S - 1) * 1000)
  })
})

describe('revocation by the client', () => {
  const revoke = (app: App, token: string): Promise<Response> =>
    fetch(`${lasting.url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({ token, client_id: app.clientId }),
    })

  test('of an access token ends that token', async () => {
    const { app, tokens } = await signedIn(lasting)
    expect((await revoke(app, tokens.access_token)).status).toBe(200)
    expect(await statusOf(lasting, tokens.access_token)).toBe(401)
    expect((await app.refresh(tokens.refresh_token)).status).toBe(200)
  })

  test('of a refresh token ends the sign-in', async () => {
    const { app, tokens } = await signedIn(lasting)
    expect((await revoke(app, tokens.refresh_token)).status).toBe(200)
    expect(await statusOf(lasting, tokens.access_token)).toBe(401)
    expect((await app.refresh(tokens.refresh_token)).status).toBe(400)
  })
})

describe('the test hooks', () => {
  test('revoke-access: a token that should live for an hour is refused, and a refresh heals it', async () => {
    const { app, tokens } = await signedIn(lasting)
    expect(tokens.expires_in).toBe(3600)
    await hook(lasting, 'revoke-access')
    expect(await statusOf(lasting, tokens.access_token)).toBe(401)
    const next = await renew(app, tokens.refresh_token)
    expect(await statusOf(lasting, next.access_token)).toBe(200)
  })

  test('revoke-refresh: the access token works to its end, then only a new sign-in helps', async () => {
    const { app, tokens } = await signedIn(lasting)
    await hook(lasting, 'revoke-refresh')
    expect(await statusOf(lasting, tokens.access_token)).toBe(200)
    const refused = await app.refresh(tokens.refresh_token)
    expect(await refused.json()).toMatchObject({ error: 'invalid_grant' })
  })

  test('reject-early: tokens end before expires_in says so, until the hook is taken back', async () => {
    const { tokens } = await signedIn(lasting)
    await hook(lasting, 'reject-early?after=0')
    expect(tokens.expires_in).toBe(3600)
    expect(await statusOf(lasting, tokens.access_token)).toBe(401)
    await hook(lasting, 'reject-early')
    expect(await statusOf(lasting, tokens.access_token)).toBe(200)
  })

  test('do not exist without TEST_HOOKS=1', async () => {
    const worker = await startWorker({ flavour: 'oauth', vars: { TEST_HOOKS: '0' } })
    try {
      const { tokens } = await signedIn(worker)
      const names = ['revoke-access', 'revoke-refresh', 'reject-early?after=0']
      const answers = await Promise.all(names.map((name) => hook(worker, name)))
      expect(answers.map(({ status }) => status)).toEqual([404, 404, 404])
      // Not even what an earlier run with hooks left behind has an effect.
      const store = (await worker.mf.getKVNamespace('OAUTH_KV')) as unknown as KVNamespace
      await store.put('test:reject-after', '0')
      expect(await statusOf(worker, tokens.access_token)).toBe(200)
    } finally {
      await worker.stop()
    }
  })
})
