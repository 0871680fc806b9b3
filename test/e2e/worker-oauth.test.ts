import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import clientMetadata from '../../docs/client-metadata.json' with { type: 'json' }
import { finish, type Host, printedLink, request, startHost } from '../auth/host.ts'
import { type BridgeOptions, initialize, type Message } from '../support/bridge.ts'
import { until } from '../support/until.ts'
import { completeSignIn } from '../worker/dev/browser.mjs'
import { publishing } from '../worker/dev/outbound.mjs'
import { startWorker } from '../worker/dev/serve.mjs'

type Worker = Awaited<ReturnType<typeof startWorker>>

let worker: Worker
beforeAll(async () => {
  worker = await startWorker({ flavour: 'oauth' })
})
afterAll(() => worker.stop())

/** A host whose person has signed in. */
async function signedIn(at: string, options: BridgeOptions = {}): Promise<Host> {
  const host = startHost(at, options)
  host.write(initialize(0))
  const page = await completeSignIn(await printedLink(host))
  expect(page.status).toBe(200)
  expect(await host.answer(0)).toHaveProperty('result')
  host.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
  return host
}

function call(host: Host, id: number, name: string): Promise<Message> {
  host.write(request(id, 'tools/call', { name, arguments: {} }))
  return host.answer(id, 30_000)
}

/** How often a path of the Worker was asked for. */
function asked(at: Worker, path: string): number {
  return at.logs.filter((line) => line.event === 'request' && line['path'] === path).length
}

async function hook(name: string): Promise<void> {
  const { status } = await fetch(`${worker.url}/__test/${name}`, { method: 'POST' })
  expect(status).toBe(200)
}

describe.each(['/mcp', '/sse'])('the OAuth flavour of the Worker at %s', (path) => {
  test('registers the bridge, lets a person sign in and knows who calls', async () => {
    const host = await signedIn(worker.url + path)
    const { result } = await call(host, 1, 'whoami')
    expect(result).toMatchObject({ structuredContent: { login: 'ada', scopes: ['mcp:read'] } })
    await finish(host)
  })

  test('the next start needs no browser', async () => {
    const first = await signedIn(worker.url + path)
    await finish(first)
    const before = asked(worker, '/oauth/token')
    const second = startHost(worker.url + path, { home: first.home })
    second.write(initialize(0))
    expect(await second.answer(0)).toHaveProperty('result')
    expect(await call(second, 1, 'whoami')).toHaveProperty('result.structuredContent.login', 'ada')
    expect(second.browser.calls()).toEqual([])
    expect(asked(worker, '/oauth/token')).toBe(before)
    await finish(second)
  })
})

test('a token that the Worker revokes early is renewed without a person', async () => {
  const host = await signedIn(`${worker.url}/mcp`)
  const before = asked(worker, '/oauth/token')
  await hook('revoke-access')
  expect(await call(host, 1, 'whoami')).toHaveProperty('result.structuredContent.login', 'ada')
  expect(asked(worker, '/oauth/token')).toBe(before + 1)
  expect(host.browser.calls()).toHaveLength(1)
  await finish(host)
})

test('a tool that needs more asks the person again, and the same call succeeds', async () => {
  const host = await signedIn(`${worker.url}/mcp`)
  const answer = call(host, 1, 'delete_all_notes')
  const page = await completeSignIn(await printedLink(host, 1))
  expect(page.status).toBe(200)
  expect(await answer).toHaveProperty('result.structuredContent.deleted', 0)
  const { result } = await call(host, 2, 'whoami')
  const { scopes } = result!['structuredContent'] as { scopes: string[] }
  expect(scopes.sort()).toEqual(['mcp:read', 'notes:admin'])
  await finish(host)
})

test('a token that expires is renewed ahead of time, and nobody notices', async () => {
  const brief = await startWorker({ flavour: 'oauth', vars: { ACCESS_TOKEN_TTL_S: '5' } })
  onTestFinished(() => brief.stop())
  const host = await signedIn(`${brief.url}/mcp`)
  const before = asked(brief, '/oauth/token')
  let id = 0
  await until('a renewal', async () => {
    expect(await call(host, ++id, 'whoami')).toHaveProperty('result.structuredContent.login', 'ada')
    return asked(brief, '/oauth/token') > before
  })
  expect(host.browser.calls()).toHaveLength(1)
  await finish(host)
})

test('the published client metadata document is a client of the Worker', async () => {
  const known = await startWorker({
    flavour: 'oauth',
    outboundService: publishing(new URL(clientMetadata.client_id).hostname, clientMetadata),
  })
  onTestFinished(() => known.stop())
  const args = ['--client-metadata-url', clientMetadata.client_id]
  const host = await signedIn(`${known.url}/mcp`, { args })
  expect(await call(host, 1, 'whoami')).toHaveProperty('result.structuredContent.login', 'ada')
  expect(asked(known, '/oauth/register')).toBe(0)
  await finish(host)
})
