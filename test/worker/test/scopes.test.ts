import { fileURLToPath } from 'node:url'
import {
  Client,
  SSEClientTransport,
  StreamableHTTPClientTransport,
  type VersionNegotiationMode,
} from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorker, type RunningWorker } from '../dev/serve.mjs'
import { textOf } from './support/clients.ts'
import { openSession, postHeaders, rpc } from './support/raw.ts'

const MODERN: VersionNegotiationMode = { pin: '2026-07-28' }

let worker: RunningWorker
beforeAll(async () => {
  worker = await startWorker({
    flavour: 'public',
    entry: fileURLToPath(import.meta.resolve('./support/authed.ts')),
  })
})
afterAll(() => worker.stop())

/** Connects as a user; the scopes may be changed between two calls, as after a step-up. */
async function connectAs(user: string, path: string, mode: VersionNegotiationMode) {
  const token = { scopes: 'mcp:read' }
  const signed: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers)
    headers.set('authorization', `Bearer ${user} ${token.scopes}`)
    return fetch(input, { ...init, headers })
  }
  const client = new Client({ name: 'scopes', version: '1' }, { versionNegotiation: { mode } })
  const url = new URL(path, worker.url)
  await client.connect(
    path === '/sse'
      ? new SSEClientTransport(url, { fetch: signed })
      : new StreamableHTTPClientTransport(url, { fetch: signed }),
  )
  return { client, token }
}

describe.each([
  ['the modern era', '/mcp', MODERN],
  ['a session', '/mcp', 'legacy' as const],
  ['HTTP+SSE', '/sse', 'legacy' as const],
])('over %s', (transport, path, mode) => {
  test('the administrator’s tool is listed, refused without the scope, and runs with it', async () => {
    const { client, token } = await connectAs('ada', path, mode)
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toContain('delete_all_notes')
    await client.callTool({ name: 'add_note', arguments: { text: 'keep me' } })

    const attempt = () => client.callTool({ name: 'delete_all_notes', arguments: {} })
    const refusal = await attempt().then(textOf, String)
    expect(refusal).toMatch(
      transport === 'HTTP+SSE' ? /needs the scope notes:admin/ : /403|scope|unauthori/i,
    )
    const kept = await client.callTool({ name: 'search_notes', arguments: { query: 'keep me' } })
    expect((kept.structuredContent as { notes: unknown[] }).notes.length).toBeGreaterThan(0)

    // The very session that was opened with the small token now comes with the large one.
    token.scopes = 'mcp:read notes:admin'
    const done = await attempt()
    expect(done.isError).toBeFalsy()
    expect((done.structuredContent as { deleted: number }).deleted).toBeGreaterThan(0)
    await client.close()
  })

  test('what one user stores, another does not see', async () => {
    const [ada, bob] = await Promise.all([
      connectAs('ada', path, mode),
      connectAs('bob', path, mode),
    ])
    const name = `n-${crypto.randomUUID().slice(0, 8)}`
    await ada.client.callTool({ name: 'add_note', arguments: { text: name } })
    await ada.client.callTool({ name: 'increment', arguments: { counter: name } })
    await ada.client.callTool({ name: 'set_preference', arguments: { name, value: 'x' } })
    const job = await ada.client.callTool({
      name: 'start_job',
      arguments: { task: 'count_words', input: 'a' },
    })
    const { id } = job.structuredContent as { id: string }

    const notes = await bob.client.callTool({ name: 'search_notes', arguments: { query: name } })
    expect(notes.structuredContent).toEqual({ notes: [] })
    const counter = await bob.client.callTool({ name: 'increment', arguments: { counter: name } })
    expect(counter.structuredContent).toMatchObject({ value: 1 })
    const preference = await bob.client.callTool({ name: 'get_preference', arguments: { name } })
    expect(preference.isError).toBe(true)
    const foreign = await bob.client.callTool({ name: 'get_job', arguments: { id } })
    expect(foreign.isError).toBe(true)
    await expect(bob.client.readResource({ uri: `job://${id}` })).rejects.toThrow(/not found/i)
    await Promise.all([ada.client.close(), bob.client.close()])
  })

  test('whoami shows the token’s facts', async () => {
    const { client } = await connectAs('ada', path, mode)
    const { structuredContent } = await client.callTool({ name: 'whoami', arguments: {} })
    expect(structuredContent).toMatchObject({
      owner: 'ada',
      login: 'ada Łódź',
      roles: ['member'],
      scopes: ['mcp:read'],
    })
    await client.close()
  })
})

test('the challenge names the exact scopes and the metadata of the resource', async () => {
  const bearer = { authorization: 'Bearer ada mcp:read' }
  const session = await openSession(`${worker.url}/mcp`, '2025-11-25', bearer)
  const response = await session.post(
    rpc(1, 'tools/call', { name: 'delete_all_notes', arguments: {} }),
  )
  expect(response.status).toBe(403)
  const challenge = response.headers.get('www-authenticate')
  expect(challenge).toContain('error="insufficient_scope"')
  expect(challenge).toContain('scope="mcp:read notes:admin"')
  expect(challenge).toContain(`${worker.url}/.well-known/oauth-protected-resource/mcp`)
})

test('another user’s session does not exist', async () => {
  const session = await openSession(`${worker.url}/mcp`, '2025-11-25', {
    authorization: 'Bearer ada mcp:read',
  })
  const stolen = await fetch(`${worker.url}/mcp`, {
    method: 'POST',
    headers: { ...session.headers, authorization: 'Bearer mallory mcp:read' },
    body: rpc(1, 'tools/list'),
  })
  expect(stolen.status).toBe(404)
  expect((await session.post(rpc(2, 'ping'))).status).toBe(200)
})

test('a caller header from outside counts for nothing', async () => {
  const response = await fetch(`${worker.url}/mcp`, {
    method: 'POST',
    headers: {
      ...postHeaders,
      authorization: 'Bearer bob mcp:read',
      'x-worker-caller': encodeURIComponent(JSON.stringify({ owner: 'ada' })),
    },
    body: rpc(1, 'tools/call', { name: 'whoami', arguments: {} }),
  })
  expect(await response.text()).toContain(String.raw`\"owner\":\"bob\"`)
})

test('the endpoints for partial servers are part of the public flavour only', async () => {
  for (const path of ['/stateless/mcp', '/legacy/mcp', '/modern/mcp']) {
    const response = await fetch(worker.url + path, {
      method: 'POST',
      headers: { ...postHeaders, authorization: 'Bearer bob mcp:read' },
      body: rpc(1, 'tools/list'),
    })
    expect(response.status).toBe(404)
  }
})

test('an entry may bring test hooks of its own', async () => {
  const response = await fetch(`${worker.url}/__test/hello`)
  expect(await response.json()).toEqual({ hello: true })
})
