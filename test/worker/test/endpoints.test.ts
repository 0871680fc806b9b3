import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorker, type RunningWorker } from '../dev/serve.mjs'
import { connect } from './support/clients.ts'
import { openSession, postHeaders, rpc } from './support/raw.ts'

let worker: RunningWorker
beforeAll(async () => {
  worker = await startWorker({ flavour: 'public' })
})
afterAll(() => worker.stop())

/** Which client gets on with which endpoint, and whether it then has a session. */
const meetings = [
  ['SDK v1', '/mcp', 'session'],
  ['SDK v1', '/sse', 'session'],
  ['SDK v1', '/stateless/mcp', 'stateless'],
  ['SDK v1', '/legacy/mcp', 'session'],
  ['SDK v2, legacy', '/mcp', 'session'],
  ['SDK v2, legacy', '/sse', 'session'],
  ['SDK v2, legacy', '/stateless/mcp', 'stateless'],
  ['SDK v2, legacy', '/legacy/mcp', 'session'],
  ['SDK v2, modern', '/mcp', 'stateless'],
  ['SDK v2, modern', '/stateless/mcp', 'stateless'],
  ['SDK v2, modern', '/modern/mcp', 'stateless'],
] as const

test.each(meetings)('%s at %s: %s', async (name, path, found) => {
  const client = await connect(name, worker.url + path)
  const { structuredContent } = await client.call('whoami')
  expect(structuredContent).toMatchObject({
    era: name.endsWith('modern') ? 'modern' : 'legacy',
    session: found === 'session',
  })
  await client.close()
})

test.each([
  ['SDK v1', '/modern/mcp', /protocol version/i],
  ['SDK v2, legacy', '/modern/mcp', /protocol version/i],
  ['SDK v2, modern', '/legacy/mcp', /negotiat/i],
] as const)('%s cannot connect to %s', async (name, path, why) => {
  await expect(connect(name, worker.url + path)).rejects.toThrow(why)
})

describe('answers to requests that an endpoint does not serve', () => {
  const modernList = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/list',
    params: {
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  })
  const modernHeaders = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' }
  const initialize = rpc(1, 'initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'raw', version: '1' },
  })

  test.each([
    ['GET', '/mcp', {}, undefined, 405],
    ['DELETE', '/mcp', {}, undefined, 405],
    ['GET', '/stateless/mcp', {}, undefined, 405],
    ['GET', '/modern/mcp', {}, undefined, 405],
    ['POST', '/sse', {}, initialize, 405],
    ['GET', '/sse/message', {}, undefined, 405],
    ['POST', '/sse/message?sessionId=nonsense', {}, initialize, 404],
    ['POST', '/mcp', { 'mcp-session-id': 'nonsense' }, rpc(1, 'tools/list'), 404],
    ['GET', '/mcp', { 'mcp-session-id': 'nonsense' }, undefined, 404],
    ['POST', '/legacy/mcp', {}, rpc(1, 'tools/list'), 400],
    ['POST', '/legacy/mcp', modernHeaders, modernList, 400],
    ['POST', '/modern/mcp', modernHeaders, modernList, 200],
    ['POST', '/modern/mcp', {}, initialize, 400],
    ['POST', '/mcp', { 'content-type': 'text/plain' }, initialize, 415],
    ['POST', '/mcp', {}, '{"jsonrpc":', 400],
    ['POST', '/mcp', { accept: 'application/json' }, initialize, 406],
    ['POST', '/nowhere', {}, initialize, 404],
    ['GET', '/', {}, undefined, 404],
  ] as const)('%s %s %o', async (method, path, headers, body, status) => {
    const response = await fetch(worker.url + path, {
      method,
      headers: { ...postHeaders, ...headers },
      ...(body === undefined ? {} : { body }),
    })
    expect(response.status).toBe(status)
    await response.text()
  })

  test('a refused modern request to /modern says which versions there are', async () => {
    const response = await fetch(`${worker.url}/modern/mcp`, {
      method: 'POST',
      headers: postHeaders,
      body: initialize,
    })
    expect(await response.json()).toMatchObject({
      error: { code: -32022, data: { supported: ['2026-07-28'] } },
    })
  })
})

test('a request without a session is served statelessly at /mcp', async () => {
  const body = rpc(7, 'tools/call', { name: 'whoami', arguments: {} })
  const response = await fetch(`${worker.url}/mcp`, { method: 'POST', headers: postHeaders, body })
  expect(response.headers.has('mcp-session-id')).toBe(false)
  expect(await response.text()).toContain('"session":false')
})

test('an unknown session of the right shape is a 404', async () => {
  const { id, headers } = await openSession(`${worker.url}/mcp`)
  const gone = await fetch(`${worker.url}/mcp`, { method: 'DELETE', headers })
  expect(gone.status).toBe(200)
  for (const path of ['/mcp', '/legacy/mcp']) {
    const response = await fetch(worker.url + path, {
      method: 'POST',
      headers: { ...headers, 'mcp-session-id': id },
      body: rpc(1, 'tools/list'),
    })
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ error: { code: -32001 } })
  }
})

test('a batch of 2025-03-26 is answered', async () => {
  const session = await openSession(`${worker.url}/mcp`, '2025-03-26')
  const response = await session.post(`[${rpc(1, 'ping')},${rpc(2, 'ping')}]`)
  const text = await response.text()
  expect(text).toContain('"id":1')
  expect(text).toContain('"id":2')
})

test('/health says which flavour is running', async () => {
  const response = await fetch(`${worker.url}/health`)
  expect(await response.json()).toEqual({ status: 'ok', flavour: 'public' })
})
