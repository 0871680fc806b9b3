import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorker, type RunningWorker } from '../dev/serve.mjs'
import { makeApp, register } from './oauth.client.ts'

let worker: RunningWorker
beforeAll(async () => {
  worker = await startWorker({ flavour: 'oauth' })
})
afterAll(() => worker.stop())

const CALLBACK = 'http://127.0.0.1/callback'

async function clientOf({ url }: RunningWorker): Promise<string> {
  const answer = await register(url, { redirect_uris: [CALLBACK] })
  return ((await answer.json()) as { client_id: string }).client_id
}

const readJson = async (path: string): Promise<unknown> => (await fetch(worker.url + path)).json()

describe.each(['/mcp', '/sse'])('the resource %s', (path) => {
  test('describes itself by RFC 9728, with the one scope that everything needs', async () => {
    expect(await readJson(`/.well-known/oauth-protected-resource${path}`)).toMatchObject({
      resource: worker.url + path,
      authorization_servers: [worker.url],
      scopes_supported: ['mcp:read'],
      bearer_methods_supported: ['header'],
    })
  })

  test('answers a request without a token with 401, its metadata URL and the scope to ask for', async () => {
    const answer = await fetch(worker.url + path)
    expect(answer.status).toBe(401)
    const challenge = answer.headers.get('WWW-Authenticate')
    expect(challenge).toMatch(/^Bearer /)
    expect(challenge).toContain(
      `resource_metadata="${worker.url}/.well-known/oauth-protected-resource${path}"`,
    )
    expect(challenge).toContain('scope="mcp:read"')
  })

  test('calls a made-up token invalid', async () => {
    const answer = await fetch(worker.url + path, {
      headers: { Authorization: 'Bearer nobody:no:no' },
    })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('WWW-Authenticate')).toContain('error="invalid_token"')
  })

  test('answers a preflight before it asks for a token', async () => {
    const answer = await fetch(worker.url + path, {
      method: 'OPTIONS',
      headers: {
        Origin: 'http://localhost:5173',
        'Access-Control-Request-Headers': 'authorization',
      },
    })
    expect(answer.status).toBe(204)
    expect(answer.headers.get('Access-Control-Allow-Headers')).toContain('authorization')
  })
})

test('a browser page may read the challenge', async () => {
  const answer = await fetch(`${worker.url}/mcp`, { headers: { Origin: 'http://localhost:5173' } })
  expect(answer.status).toBe(401)
  expect(answer.headers.get('Access-Control-Expose-Headers')).toMatch(/WWW-Authenticate/i)
})

test('/sse/message is the resource /sse, not one of its own', async () => {
  const answer = await fetch(`${worker.url}/sse/message?sessionId=x`, { method: 'POST' })
  expect(answer.status).toBe(401)
  expect(answer.headers.get('WWW-Authenticate')).toContain('/oauth-protected-resource/sse"')
})

test('the authorization server describes itself by RFC 8414', async () => {
  expect(await readJson('/.well-known/oauth-authorization-server')).toMatchObject({
    issuer: worker.url,
    authorization_endpoint: `${worker.url}/authorize`,
    token_endpoint: `${worker.url}/oauth/token`,
    registration_endpoint: `${worker.url}/oauth/register`,
    revocation_endpoint: `${worker.url}/oauth/token`,
    protected_resources: [`${worker.url}/mcp`, `${worker.url}/sse`],
    scopes_supported: expect.arrayContaining(['mcp:read', 'notes:admin']),
    response_types_supported: ['code'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
  })
})

test('no document claims the whole origin as one resource', async () => {
  const answer = await fetch(`${worker.url}/.well-known/oauth-protected-resource`)
  expect(answer.status).toBe(404)
})

test('the endpoints of the public flavour that have no resource do not exist here', async () => {
  const paths = ['/stateless/mcp', '/legacy/mcp', '/modern/mcp', '/nothing']
  const answers = await Promise.all(
    paths.map((path) => fetch(worker.url + path, { method: 'POST' })),
  )
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404])
})

test('/health says which flavour runs', async () => {
  expect(await readJson('/health')).toMatchObject({ status: 'ok', flavour: 'oauth' })
})

describe('behind a tunnel that ends TLS', () => {
  let tunnelled: RunningWorker
  const PUBLIC_URL = 'https://mcp.example.com'
  beforeAll(async () => {
    tunnelled = await startWorker({ flavour: 'oauth', vars: { PUBLIC_URL } })
  })
  afterAll(() => tunnelled.stop())

  test('every address is the public one', async () => {
    const answer = await fetch(`${tunnelled.url}/.well-known/oauth-authorization-server`)
    expect(await answer.json()).toMatchObject({
      issuer: PUBLIC_URL,
      token_endpoint: `${PUBLIC_URL}/oauth/token`,
      protected_resources: [`${PUBLIC_URL}/mcp`, `${PUBLIC_URL}/sse`],
    })
    const refused = await fetch(`${tunnelled.url}/mcp`, { method: 'POST' })
    expect(refused.headers.get('WWW-Authenticate')).toContain(
      `resource_metadata="${PUBLIC_URL}/.well-known/oauth-protected-resource/mcp"`,
    )
  })

  test('a path cannot stand in for the host', async () => {
    const answer = await fetch(
      `${tunnelled.url}//evil.example/.well-known/oauth-authorization-server`,
    )
    expect(answer.status).toBe(404)
  })

  test('the sign-in starts there', async () => {
    const app = makeApp(PUBLIC_URL, await clientOf(tunnelled), CALLBACK)
    const { pathname, search } = new URL(app.authorizeUrl())
    const page = await fetch(tunnelled.url + pathname + search)
    expect(await page.text()).toMatch(/to use\s+mcp\.example\.com\?/)
  })
})
