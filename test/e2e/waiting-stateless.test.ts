import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startAuthority } from '../auth/authority.ts'
import { visit } from '../auth/browser-stub.ts'
import { startProtected } from '../auth/protected.ts'
import { json } from '../support/http-server.ts'
import { connectV1, connectV2, type Peer } from '../support/peers.ts'
import { completeSignIn } from '../worker/dev/browser.mjs'
import { startWorker } from '../worker/dev/serve.mjs'

const MODERN = '2026-07-28'
const PINNED = { mode: { pin: MODERN } }

let worker: Awaited<ReturnType<typeof startWorker>>
beforeAll(async () => {
  worker = await startWorker({ flavour: 'oauth' })
})
afterAll(() => worker.stop())

/** The link that the sign-in tool gives. */
async function linkFrom({ client }: Peer): Promise<string> {
  const { content } = await client.callTool({ name: 'sign_in', arguments: {} })
  const [link] = /http\S+/.exec(JSON.stringify(content)) ?? []
  return link!.replace(/["\\].*$/, '')
}

const changes = ({ notes }: Peer): string[] =>
  notes.map(({ method }) => method).filter((method) => method.endsWith('/list_changed'))

test('a stateless host works while a person signs in, and sees the tools afterwards', async () => {
  const peer = await connectV2(`${worker.url}/mcp`, PINNED, { args: ['--no-browser'] })
  const { client } = peer
  expect(client.getNegotiatedProtocolVersion()).toBe(MODERN)
  expect(client.getServerVersion()).toMatchObject({ version: 'sign-in pending' })
  const subscription = await client.listen({ toolsListChanged: true })
  onTestFinished(() => subscription.close())
  const link = await linkFrom(peer)
  expect(client.getInstructions()).toContain(link)
  // Waits for the server, and is sent without being asked for again.
  const product = client.callTool({
    name: 'calculator',
    arguments: { operation: 'multiply', a: 6, b: 7 },
  })
  expect((await completeSignIn(link)).status).toBe(200)
  expect((await product).structuredContent).toEqual({ result: 42 })
  await expect.poll(() => changes(peer)).toEqual(['notifications/tools/list_changed'])
  const names = (await client.listTools()).tools.map(({ name }) => name)
  expect(names).toContain('calculator')
  expect(names).not.toContain('sign_in')
})

/** A server behind a token that speaks one era only, and says little in it. */
async function startStrict(era: 'legacy' | 'modern'): Promise<string> {
  const authority = await startAuthority()
  const authorized = (header: string | undefined): boolean =>
    authority.scopeOf(/^Bearer (.+)$/.exec(header ?? '')?.[1]) !== undefined
  const refused = { code: era === 'legacy' ? -32601 : -32022, message: 'No' }
  const discovered = { resultType: 'complete', supportedVersions: [MODERN], capabilities: {} }
  const content = [{ type: 'text', text: 'called' }]
  const { url } = await startProtected({
    metadata: (resource) => ({ resource, authorization_servers: [authority.issuer] }),
    judge(token) {
      if (authority.scopeOf(token) !== undefined) return 'accept'
      return { status: 401, challenge: 'Bearer' }
    },
    also({ headers, message }, response) {
      if (!authorized(headers.authorization) || message?.id === undefined) return false
      const { id, method } = message
      const unknown = era === 'legacy' ? 'server/discover' : 'initialize'
      if (method === unknown) {
        const data = era === 'modern' ? { supported: [MODERN] } : undefined
        json(response, { jsonrpc: '2.0', id, error: { ...refused, data } }, { status: 400 })
      } else if (method === 'server/discover') {
        json(response, { jsonrpc: '2.0', id, result: discovered })
      } else if (method === 'tools/call') {
        json(response, { jsonrpc: '2.0', id, result: { resultType: 'complete', content } })
      } else {
        return false
      }
      return true
    },
  })
  return url
}

test.each([
  {
    name: 'a stateless host at a server with sessions',
    era: 'legacy' as const,
    connect: (url: string) => connectV2(url, PINNED, { args: ['--no-browser'] }),
  },
  {
    name: 'a host with an initialize at a stateless server',
    era: 'modern' as const,
    connect: (url: string) => connectV1(url, { args: ['--no-browser'] }),
  },
])('$name: the sign-in is waited for by the translation', async ({ era, connect }) => {
  const peer = await connect(await startStrict(era))
  const called = peer.client.callTool({ name: 'any', arguments: {} })
  expect((await visit(await linkFrom(peer))).status).toBe(200)
  expect((await called).content).toEqual([{ type: 'text', text: 'called' }])
})
