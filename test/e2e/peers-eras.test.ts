import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node'
import {
  acceptedContent,
  createMcpHandler,
  inputRequired,
  McpServer,
  type McpHttpHandler,
} from '@modelcontextprotocol/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { connectV1, connectV2, type Peer } from '../support/peers.ts'

const MODERN = '2026-07-28'

/** A server of the SDK's newest generation, which serves both eras at one URL. */
function makeServer(): McpServer {
  const server = new McpServer(
    { name: 'both-eras', version: '1.0.0' },
    { capabilities: { tools: { listChanged: true }, resources: { subscribe: true } } },
  )
  const sum = z.object({ a: z.number(), b: z.number() })
  server.registerTool(
    'sum',
    { inputSchema: sum, outputSchema: z.object({ sum: z.number() }) },
    ({ a, b }) => ({
      content: [{ type: 'text', text: String(a + b) }],
      structuredContent: { sum: a + b },
    }),
  )
  // The SDK refuses a call whose header does not say what its argument says.
  const region = z.string().meta({ 'x-mcp-header': 'Region' })
  server.registerTool('route', { inputSchema: z.object({ region }) }, (args) => ({
    content: [{ type: 'text', text: `routed to ${args.region}` }],
  }))
  server.registerTool('steps', { inputSchema: z.object({}) }, async (_args, { mcpReq }) => {
    const { _meta: meta } = mcpReq
    const progressToken = meta?.progressToken
    for (let progress = 1; progress <= 3 && progressToken !== undefined; progress++) {
      const params = { progressToken, progress, total: 3 }
      await mcpReq.notify({ method: 'notifications/progress', params })
    }
    return { content: [{ type: 'text', text: 'stepped' }] }
  })
  const call = z.object({ call: z.string() })
  server.registerTool('hang', { inputSchema: call }, (args, { mcpReq }) => {
    hanging.add(args.call)
    return new Promise((resolve) => {
      mcpReq.signal.addEventListener('abort', () => {
        hanging.delete(args.call)
        resolve({ content: [] })
      })
    })
  })
  const reply = z.object({ name: z.string() })
  server.registerTool('ask', { inputSchema: z.object({}) }, (_args, { mcpReq }) => {
    const content = acceptedContent(mcpReq.inputResponses, 'who', reply)
    if (content !== undefined) return { content: [{ type: 'text', text: `hello ${content.name}` }] }
    const who = inputRequired.elicit({ message: 'Who are you?', requestedSchema: reply })
    return inputRequired({ inputRequests: { who } })
  })
  server.registerResource('note', 'note://one', {}, (uri) => ({
    contents: [{ uri: uri.href, text: 'noted' }],
  }))
  server.registerPrompt('grüße', { argsSchema: z.object({ name: z.string() }) }, ({ name }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Greet ${name}` } }],
  }))
  return server
}

/** The calls of `hang` that the server has not been told to give up. */
const hanging = new Set<string>()
const both = createMcpHandler(makeServer)
const strict = createMcpHandler(makeServer, { legacy: 'reject' })
let url: string
let modernOnly: string
const stops: (() => void)[] = []

beforeAll(async () => {
  url = await listen(both)
  modernOnly = await listen(strict)
})
afterAll(() => {
  for (const stop of stops) stop()
})

async function listen(served: McpHttpHandler): Promise<string> {
  const node = toNodeHandler(served)
  const server = createServer((request, response) => {
    // Only `exactOptionalPropertyTypes` sees a difference between the two.
    void node(request as NodeIncomingMessageLike, response)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  stops.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
}

interface Row {
  readonly client: string
  readonly connect: () => Promise<Peer>
  readonly negotiated: string
  /** The server's end of it. */
  readonly served?: () => McpHttpHandler
}

const LEGACY: readonly Row[] = [
  { client: 'SDK v1', connect: () => connectV1(url), negotiated: '2025-11-25' },
  { client: 'SDK v2, legacy', connect: () => connectV2(url), negotiated: '2025-11-25' },
]

const MODERN_ROWS: readonly Row[] = [
  {
    client: 'SDK v2, auto',
    connect: () => connectV2(url, { mode: 'auto' }),
    negotiated: MODERN,
    served: () => both,
  },
  {
    client: 'SDK v2, pinned',
    connect: () => connectV2(url, { mode: { pin: MODERN } }),
    negotiated: MODERN,
    served: () => both,
  },
  {
    client: 'SDK v2, pinned, with a server that knows nothing older',
    connect: () => connectV2(modernOnly, { mode: { pin: MODERN } }),
    negotiated: MODERN,
    served: () => strict,
  },
]

/** SDK v1 does not tell; what it asked for is what it got. */
function version(client: Peer['client']): string | undefined {
  return 'getNegotiatedProtocolVersion' in client
    ? client.getNegotiatedProtocolVersion()
    : '2025-11-25'
}

describe.each([...LEGACY, ...MODERN_ROWS])('$client', ({ connect, negotiated }) => {
  test('tools, resources and prompts', async () => {
    const { client } = await connect()
    expect(version(client)).toBe(negotiated)
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name).sort()).toEqual(['ask', 'hang', 'route', 'steps', 'sum'])
    const sum = await client.callTool({ name: 'sum', arguments: { a: 1.5, b: 2 } })
    expect(sum.structuredContent).toEqual({ sum: 3.5 })
    const { contents } = await client.readResource({ uri: 'note://one' })
    expect(contents).toMatchObject([{ text: 'noted' }])
    const prompt = await client.getPrompt({ name: 'grüße', arguments: { name: 'Zoë' } })
    expect(JSON.stringify(prompt)).toContain('Greet Zoë')
    await expect(client.callTool({ name: 'nothing', arguments: {} })).rejects.toThrow(/nothing/)
  })

  test('progress', async () => {
    const { client } = await connect()
    const steps: number[] = []
    const onprogress = ({ progress }: { progress: number }): number => steps.push(progress)
    const { content } = await client.callTool({ name: 'steps', arguments: {} }, { onprogress })
    expect(content).toEqual([{ type: 'text', text: 'stepped' }])
    // Both SDKs drop a progress notification that they read together with the answer behind it.
    expect(steps).toEqual([1, 2, 3].slice(0, steps.length))
  })
})

describe.each(MODERN_ROWS)('$client', ({ connect, served }) => {
  test('a call that is cancelled is given up by the server', async () => {
    const { client } = await connect()
    const abort = new AbortController()
    const call = randomUUID()
    const { signal } = abort
    const hung = client.callTool({ name: 'hang', arguments: { call } }, { signal })
    const reason = hung.catch((error: unknown) => error)
    await expect.poll(() => [...hanging]).toContain(call)
    abort.abort('enough')
    expect(String(await reason)).toContain('enough')
    await expect.poll(() => [...hanging]).not.toContain(call)
    const { isError } = await client.callTool({ name: 'sum', arguments: { a: 1, b: 1 } })
    expect(isError ?? false).toBe(false)
  })

  test('arguments that must travel as headers do, with and without a look at the list', async () => {
    for (const look of [true, false]) {
      const { client } = await connect()
      if (look) await client.listTools()
      const route = { name: 'route', arguments: { region: 'Zürich' } }
      const { content } = await client.callTool(route)
      expect(content).toEqual([{ type: 'text', text: 'routed to Zürich' }])
    }
  })

  test('the server asks by its result', async () => {
    const { client, asked } = await connect()
    const { content } = await client.callTool({ name: 'ask', arguments: {} })
    expect(content).toEqual([{ type: 'text', text: 'hello Ada' }])
    expect(asked).toEqual(['elicitation/create'])
  })

  test('a subscription brings what was asked for, until it is closed', async () => {
    const { client, notes } = await connect()
    const { notify } = served!()
    const wish = { toolsListChanged: true, resourceSubscriptions: ['note://one'] }
    const subscription = await client.listen(wish)
    expect(subscription.honoredFilter).toEqual(wish)
    notify.toolsChanged()
    notify.promptsChanged()
    notify.resourceUpdated('note://one')
    notify.resourceUpdated('note://other')
    await expect.poll(() => notes.length).toBe(2)
    expect(notes.map(({ method }) => method)).toEqual([
      'notifications/tools/list_changed',
      'notifications/resources/updated',
    ])
    await subscription.close()
    expect(await subscription.closed).toBe('local')
    notify.toolsChanged()
    await client.listTools()
    expect(notes).toHaveLength(2)
  })
})
