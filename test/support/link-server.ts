import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node'
import {
  createMcpHandler,
  inputRequired,
  inputResponse,
  McpServer as ModernServer,
} from '@modelcontextprotocol/server'
import { InMemoryEventStore } from '@modelcontextprotocol/sdk/examples/shared/inMemoryEventStore.js'
import { McpServer as LegacyServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { onTestFinished } from 'vitest'
import { z } from 'zod'

/** A server of one era that counts what it does, and that a test can hold up and restart. */
export interface LinkServer {
  readonly url: string
  /** How often a tool has been run, by its name. */
  ran(name: string): number
  /** Lets the calls of `slow` go. */
  release(): void
  /** The description of `count` from now on. */
  describe(text: string): void
  /** Forgets every session. */
  forget(): void
  /** Stops, and starts again at the same address when asked to; knows nothing then. */
  stop(): Promise<void>
  start(): Promise<void>
}

type Serve = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** What the tools of both servers have in common. */
interface Work {
  run(name: string): string
  wait(signal: AbortSignal): Promise<void>
  description(): string
}

const text = (words: string) => ({ content: [{ type: 'text' as const, text: words }] })
const begun = (progressToken = 'none' as string | number) => ({
  method: 'notifications/progress' as const,
  params: { progressToken, progress: 1 },
})
const LOOK = { readOnlyHint: true }
const PAGE = { url: 'https://a.example/', message: 'Go' }

/** Starts it; it is stopped after the test. */
export async function startLinkServer(era: 'legacy' | 'modern'): Promise<LinkServer> {
  const runs = new Map<string, number>()
  const waiting = new Set<() => void>()
  let description = 'Counts.'
  const work: Work = {
    run(name) {
      const number = (runs.get(name) ?? 0) + 1
      runs.set(name, number)
      return `${name} ${number}`
    },
    wait: (signal) =>
      new Promise((resolve) => {
        const go = (): void => {
          waiting.delete(go)
          resolve()
        }
        waiting.add(go)
        signal.addEventListener('abort', go)
      }),
    description: () => description,
  }
  let { serve, forget } = era === 'legacy' ? withSessions(work) : withoutSessions(work)
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    serve(request, response).catch((error: unknown) => {
      response.destroy(error as Error)
    })
  }
  let server = createServer(listener)
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => {
      server.listen(port, '127.0.0.1', resolve)
    })
  await listen(0)
  const { port } = server.address() as AddressInfo
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  onTestFinished(stop)
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    ran: (name) => runs.get(name) ?? 0,
    release() {
      for (const go of waiting) go()
    },
    describe(words) {
      description = words
    },
    forget: () => forget(),
    stop,
    start() {
      ;({ serve, forget } = era === 'legacy' ? withSessions(work) : withoutSessions(work))
      server = createServer(listener)
      return listen(port)
    },
  }
}

/** SDK v1, in sessions whose streams can be resumed. */
function withSessions(work: Work): { serve: Serve; forget(): void } {
  const sessions = new Map<string, StreamableHTTPServerTransport>()

  function makeServer(): LegacyServer {
    const mcp = new LegacyServer({ name: 'link-legacy', version: '1.0.0' })
    const counts = { description: work.description(), inputSchema: {} }
    mcp.registerTool('count', counts, () => text(work.run('count')))
    mcp.registerTool('look', { inputSchema: {}, annotations: LOOK }, () => text(work.run('look')))
    mcp.registerTool('slow', { inputSchema: {} }, async (_args, extra) => {
      const said = work.run('slow')
      const { _meta: meta, signal, sendNotification } = extra
      await sendNotification(begun(meta?.progressToken))
      await work.wait(signal)
      return text(said)
    })
    mcp.registerTool('page', { inputSchema: {} }, async (_args, { requestId }) => {
      const question = { mode: 'url' as const, elicitationId: randomUUID(), ...PAGE }
      const { action } = await mcp.server.elicitInput(question, { relatedRequestId: requestId })
      return text(`${work.run('page')} ${action}`)
    })
    return mcp
  }

  return {
    forget() {
      for (const transport of sessions.values()) void transport.close()
      sessions.clear()
    },
    async serve(request, response) {
      const id = request.headers['mcp-session-id']
      const known = typeof id === 'string' ? sessions.get(id) : undefined
      if (known !== undefined) return known.handleRequest(request, response)
      if (id !== undefined) {
        response.writeHead(404).end()
        return undefined
      }
      const made = new StreamableHTTPServerTransport({
        sessionIdGenerator: () => randomUUID(),
        eventStore: new InMemoryEventStore(),
        retryInterval: 10,
        onsessioninitialized: (session) => void sessions.set(session, made),
      })
      // Only `exactOptionalPropertyTypes` sees a difference between the two.
      await makeServer().connect(made as Transport)
      return made.handleRequest(request, response)
    },
  }
}

/** SDK v2, for 2026-07-28 and nothing else. */
function withoutSessions(work: Work): { serve: Serve; forget(): void } {
  function makeServer(): ModernServer {
    const mcp = new ModernServer({ name: 'link-modern', version: '1.0.0' })
    const inputSchema = z.object({})
    const counts = { description: work.description(), inputSchema }
    mcp.registerTool('count', counts, () => text(work.run('count')))
    mcp.registerTool('look', { inputSchema, annotations: LOOK }, () => text(work.run('look')))
    mcp.registerTool('slow', { inputSchema }, async (_args, { mcpReq }) => {
      const said = work.run('slow')
      const { _meta: meta } = mcpReq
      await mcpReq.notify(begun(meta?.progressToken))
      await work.wait(mcpReq.signal)
      return text(said)
    })
    mcp.registerTool('page', { inputSchema }, (_args, { mcpReq }) => {
      const reply = inputResponse(mcpReq.inputResponses, 'page')
      if (reply.kind === 'elicit') return text(`${work.run('page')} ${reply.action}`)
      return inputRequired({ inputRequests: { page: inputRequired.elicitUrl(PAGE) } })
    })
    return mcp
  }

  const node = toNodeHandler(createMcpHandler(makeServer, { legacy: 'reject' }))
  return {
    forget() {},
    async serve(request, response) {
      await node(request as NodeIncomingMessageLike, response)
    },
  }
}
