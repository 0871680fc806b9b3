import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startWorker, type RunningWorker } from '../dev/serve.mjs'
import { TIMEOUTS } from './oauth.client.ts'

vi.setConfig(TIMEOUTS)

let worker: RunningWorker
beforeAll(async () => {
  worker = await startWorker({ flavour: 'oauth' })
})
afterAll(() => worker.stop())

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
