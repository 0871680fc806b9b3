import { fetch as forward } from 'miniflare'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBrowser } from '../dev/browser.mjs'
import { startWorker, type RunningWorker } from '../dev/serve.mjs'
import { listenForCallback, makeApp, post, register, toolCall } from './oauth.client.ts'

const CLIENT_ID = 'https://app.example/oauth/client.json'

let worker: RunningWorker
let callback: Awaited<ReturnType<typeof listenForCallback>>
let document: Record<string, unknown>
beforeAll(async () => {
  callback = await listenForCallback()
  document = {
    client_id: CLIENT_ID,
    client_name: 'App of a known domain',
    redirect_uris: [callback.url],
    token_endpoint_auth_method: 'none',
  }
  const { Response } = await import('miniflare')
  worker = await startWorker({
    flavour: 'oauth',
    vars: { DCR_REDIRECT_HOSTS: 'claude.ai, vscode.dev' },
    outboundService: (request) => {
      const { hostname } = new URL(request.url)
      if (hostname === 'app.example') return Response.json(document)
      if (hostname === 'gone.example') return new Response('Not found', { status: 404 })
      return forward(request)
    },
  })
})
afterAll(async () => {
  callback.close()
  await worker.stop()
})

describe('a client known by its metadata document', () => {
  test('signs in without registering and calls a tool', async () => {
    const tokens = await makeApp(worker.url, CLIENT_ID, callback.url).obtain()
    expect((await post(`${worker.url}/mcp`, tokens.access_token, toolCall('whoami'))).status).toBe(
      200,
    )
  })

  test('is shown with its domain, which is verified', async () => {
    const { body } = await openBrowser().visit(
      makeApp(worker.url, CLIENT_ID, callback.url).authorizeUrl(),
    )
    expect(body).toContain('<bdi>App of a known domain</bdi>')
    expect(body).toContain('<strong>app.example</strong>')
    expect(body).not.toContain('Unverified')
  })

  test('may use any port on loopback, as its document cannot know it', async () => {
    const app = makeApp(worker.url, CLIENT_ID, callback.url.replace(/:\d+/, ':1'))
    expect((await openBrowser().visit(app.authorizeUrl())).body).toContain('It will be able to')
  })

  test.each([
    'https://gone.example/client.json',
    'http://app.example/c.json',
    'https://app.example/',
  ])('is refused on a page of its own when %s is no document', async (id) => {
    const page = await openBrowser().visit(makeApp(worker.url, id, callback.url).authorizeUrl())
    expect(page.status).toBe(400)
    expect(page.body).toContain('Sign-in stopped')
  })

  test('is refused when the document is about somebody else', async () => {
    const id = 'https://app.example/oauth/another.json'
    const page = await openBrowser().visit(makeApp(worker.url, id, callback.url).authorizeUrl())
    expect(page.status).toBe(400)
  })
})

describe('a registration', () => {
  test.each([
    [
      'an app on this computer',
      ['http://127.0.0.1:7777/cb', 'http://localhost/cb', 'http://[::1]/cb'],
    ],
    ['an app on a listed host', ['https://claude.ai/api/mcp/auth_callback']],
    [
      'an editor that also lists a scheme of its own',
      ['editor://callback', 'https://vscode.dev/redirect'],
    ],
  ])('of %s is taken', async (_what, uris) => {
    const answer = await register(worker.url, { redirect_uris: uris })
    expect(answer.status).toBe(201)
    expect(await answer.json()).toMatchObject({
      token_endpoint_auth_method: 'none',
      redirect_uris: uris,
    })
  })

  test.each([
    ['a host that is not listed', ['https://evil.example/cb']],
    ['a host that only ends like a listed one', ['https://notclaude.ai/cb']],
    ['a listed host and another', ['https://claude.ai/cb', 'https://evil.example/cb']],
    ['plain http to the network', ['http://192.168.0.7/cb']],
    ['a loopback address as user name', ['http://127.0.0.1@evil.example/cb']],
    ['nothing but a scheme', ['editor://callback']],
    ['a script', ['javascript:alert(1)']],
    ['no address', []],
  ])('for %s is refused', async (_what, uris) => {
    const answer = await register(worker.url, { redirect_uris: uris })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: expect.stringMatching(/^invalid_/) })
  })

  test('with kilobytes of metadata is refused', async () => {
    const answer = await register(worker.url, {
      redirect_uris: [callback.url],
      contacts: Array.from({ length: 500 }, (_, n) => `someone-${n}@example.com`),
    })
    expect(answer.status).toBe(400)
  })

  test('of a client with a secret gives it one, and the token endpoint asks for it', async () => {
    const answer = await register(worker.url, {
      redirect_uris: [callback.url],
      token_endpoint_auth_method: 'client_secret_basic',
    })
    const client = (await answer.json()) as { client_id: string; client_secret: string }
    expect(client.client_secret).toMatch(/.{16}/)
    const app = makeApp(worker.url, client.client_id, callback.url)
    const refused = await app.redeem(await app.signIn())
    expect(refused.status).toBe(401)
    expect(await refused.json()).toMatchObject({ error: 'invalid_client' })
  })
})
