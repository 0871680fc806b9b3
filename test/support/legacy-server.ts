import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { completable } from '@modelcontextprotocol/sdk/server/completable.js'
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js'
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  ListRootsResultSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/sdk/types.js'
import { z } from 'zod'

/** How a server of SDK v1 can be served. */
export type LegacyKind = 'session' | 'stateless' | 'sse'

export interface LegacyServer {
  readonly url: string
  /** What the sessions are subscribed to. */
  readonly subscribed: ReadonlySet<string>
  /** The calls of `hang` that have not been cancelled. */
  readonly hanging: ReadonlySet<string>
  stop(): void
}

const text = (value: unknown) => ({
  content: [
    { type: 'text' as const, text: typeof value === 'string' ? value : JSON.stringify(value) },
  ],
})

/** A server that knows nothing newer than 2025-11-25, with every feature of that time. */
export async function startLegacyServer(kind: LegacyKind): Promise<LegacyServer> {
  const subscribed = new Set<string>()
  const hanging = new Set<string>()
  const transports = new Map<string, StreamableHTTPServerTransport | SSEServerTransport>()

  function makeServer(): McpServer {
    const mcp = new McpServer(
      { name: `legacy-${kind}`, version: '1.0.0' },
      {
        capabilities: { logging: {}, resources: { subscribe: true, listChanged: true } },
        instructions: 'Old but good.',
      },
    )
    const { server } = mcp
    mcp.registerTool('sum', { inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }) =>
      text(String(a + b)),
    )
    mcp.registerTool('weigh', { inputSchema: {}, outputSchema: { grams: z.number() } }, () => ({
      ...text('12.5 g'),
      structuredContent: { grams: 12.5 },
    }))
    const schema = { type: 'object' as const, properties: { name: { type: 'string' as const } } }
    mcp.registerTool('form', { inputSchema: {} }, async (_args, { requestId }) => {
      const form = { message: 'Who?', requestedSchema: schema }
      return text(await server.elicitInput(form, { relatedRequestId: requestId }))
    })
    mcp.registerTool('visit', { inputSchema: {} }, async (_args, { requestId }) => {
      const elicitationId = randomUUID()
      const page = { mode: 'url' as const, elicitationId, url: 'https://a.example/', message: 'Go' }
      return text(await server.elicitInput(page, { relatedRequestId: requestId }))
    })
    mcp.registerTool('sample', { inputSchema: {} }, async (_args, { requestId }) => {
      const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: 'hi' } }]
      const question = { messages, maxTokens: 5 }
      return text(await server.createMessage(question, { relatedRequestId: requestId }))
    })
    mcp.registerTool('roots', { inputSchema: {} }, async (_args, { sendRequest }) =>
      text(await sendRequest({ method: 'roots/list' }, ListRootsResultSchema)),
    )
    mcp.registerTool('ask', { inputSchema: {} }, async (_args, { sendRequest, requestId }) => {
      const related = { relatedRequestId: requestId }
      const [who, sampled] = await Promise.all([
        server.elicitInput({ message: 'Who?', requestedSchema: schema }, related),
        server.createMessage(
          { messages: [{ role: 'user', content: { type: 'text', text: 'hi' } }], maxTokens: 5 },
          related,
        ),
      ])
      const roots = await sendRequest({ method: 'roots/list' }, ListRootsResultSchema)
      return text({ who: who.content, sampled: sampled.content, roots: roots.roots })
    })
    let visits = 0
    mcp.registerTool('page', { inputSchema: {} }, async () => {
      if (visits++ > 0) return text('visited')
      const elicitationId = randomUUID()
      const page = { mode: 'url' as const, elicitationId, url: 'https://a.example/', message: 'Go' }
      setTimeout(() => void server.createElicitationCompletionNotifier(elicitationId)(), 100)
      throw new UrlElicitationRequiredError([page])
    })
    mcp.registerTool('steps', { inputSchema: {} }, async (_args, extra) => {
      const { _meta: meta } = extra
      const progressToken = meta?.progressToken
      for (let progress = 1; progress <= 3 && progressToken !== undefined; progress++) {
        const params = { progressToken, progress, total: 3 }
        await extra.sendNotification({ method: 'notifications/progress', params })
      }
      return text('stepped')
    })
    mcp.registerTool('log', { inputSchema: {} }, async (_args, { sendNotification }) => {
      for (const level of ['debug', 'error'] as const) {
        await sendNotification({ method: 'notifications/message', params: { level, data: level } })
      }
      return text('logged')
    })
    mcp.registerTool('hang', { inputSchema: { call: z.string() } }, ({ call }, { signal }) => {
      hanging.add(call)
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          hanging.delete(call)
          resolve(text('given up'))
        })
      })
    })
    mcp.registerTool('touch', { inputSchema: {} }, async () => {
      for (const uri of subscribed) await server.sendResourceUpdated({ uri })
      await server.sendResourceListChanged()
      mcp.sendToolListChanged()
      return text('touched')
    })
    mcp.registerResource('note', 'note://one', {}, (uri) => ({
      contents: [{ uri: uri.href, text: 'noted' }],
    }))
    const template = new ResourceTemplate('note://{name}', { list: undefined })
    mcp.registerResource('notes', template, {}, (uri) => ({
      contents: [{ uri: uri.href, text: '' }],
    }))
    const who = completable(z.string(), (typed) =>
      ['Ada', 'Ben'].filter((known) => known.startsWith(typed)),
    )
    mcp.registerPrompt('greet', { argsSchema: { name: who } }, ({ name }) => ({
      messages: [{ role: 'user', content: { type: 'text', text: `Greet ${name}` } }],
    }))
    server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
      subscribed.add(params.uri)
      return {}
    })
    server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
      subscribed.delete(params.uri)
      return {}
    })
    return mcp
  }

  async function streamable(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = request.headers['mcp-session-id']
    let transport = typeof id === 'string' ? transports.get(id) : undefined
    if (transport === undefined) {
      if (kind === 'stateless' && request.method !== 'POST') {
        response.writeHead(405).end()
        return
      }
      const made = new StreamableHTTPServerTransport({
        ...(kind === 'session' && { sessionIdGenerator: () => randomUUID() }),
        onsessioninitialized: (session) => void transports.set(session, made),
      })
      await makeServer().connect(made as Transport)
      transport = made
    }
    await (transport as StreamableHTTPServerTransport).handleRequest(request, response)
  }

  async function sse(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url!, 'http://localhost')
    if (request.method === 'GET' && pathname === '/mcp') {
      const transport = new SSEServerTransport('/messages', response)
      transports.set(transport.sessionId, transport)
      await makeServer().connect(transport)
      return
    }
    const transport = transports.get(searchParams.get('sessionId') ?? '')
    if (request.method !== 'POST' || transport === undefined) response.writeHead(404).end()
    else await (transport as SSEServerTransport).handlePostMessage(request, response)
  }

  const serve = kind === 'sse' ? sse : streamable
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      response.destroy(error as Error)
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    subscribed,
    hanging,
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}
