import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { z } from 'zod'

/** A server of SDK v1, in sessions or without; for all tests of a file. */
export async function startV1Server(
  mode: 'session' | 'stateless',
): Promise<{ url: string; stop(): void }> {
  const sessions = new Map<string, StreamableHTTPServerTransport>()

  async function open(): Promise<StreamableHTTPServerTransport> {
    const transport = new StreamableHTTPServerTransport({
      ...(mode === 'session' && { sessionIdGenerator: randomUUID as () => string }),
      onsessioninitialized: (id) => void sessions.set(id, transport),
    })
    // Only `exactOptionalPropertyTypes` sees a difference between the two.
    await makeServer().connect(transport as Transport)
    return transport
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = request.headers['mcp-session-id']
    const known = typeof id === 'string' ? sessions.get(id) : undefined
    const transport = known ?? (await open())
    await transport.handleRequest(request, response)
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const stop = (): void => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, stop }
}

function makeServer(): McpServer {
  const server = new McpServer({ name: `v1`, version: '1.0.0' })
  const inputSchema = { message: z.string() }
  server.registerTool('echo', { inputSchema }, ({ message }) => ({
    content: [{ type: 'text', text: `Echo: ${message}` }],
  }))
  return server
}
