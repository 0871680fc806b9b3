import {
  Client as ModernClient,
  SSEClientTransport,
  StreamableHTTPClientTransport,
  type ClientOptions,
} from '@modelcontextprotocol/client'
import { Client as FirstClient } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport as FirstSse } from '@modelcontextprotocol/sdk/client/sse.js'
import { StreamableHTTPClientTransport as FirstHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

/** What the tests need of a client, whichever SDK it comes from. */
export interface TestClient {
  call(name: string, args?: Record<string, unknown>): Promise<ToolResult>
  toolNames(): Promise<string[]>
  close(): Promise<void>
}

/** A tool result as both SDKs return it. */
interface ToolResult {
  readonly isError?: boolean | undefined
  readonly structuredContent?: unknown
  readonly content: readonly { readonly type: string; readonly text?: string }[]
}

const info = { name: 'worker-test', version: '1.0.0' }

/** SDK v2, as a host of the given era. */
export async function connectV2(
  url: string,
  era: 'legacy' | 'modern',
  options: ClientOptions = {},
): Promise<ModernClient> {
  const mode = era === 'legacy' ? 'legacy' : { pin: '2026-07-28' }
  const client = new ModernClient(info, { ...options, versionNegotiation: { mode } })
  const transport = url.endsWith('/sse')
    ? new SSEClientTransport(new URL(url))
    : new StreamableHTTPClientTransport(new URL(url))
  await client.connect(transport)
  return client
}

/** SDK v1, which knows the initialize era only. */
export async function connectV1(url: string): Promise<FirstClient> {
  const client = new FirstClient(info)
  const target = new URL(url)
  // Its own types disagree under exactOptionalPropertyTypes.
  const transport = url.endsWith('/sse') ? new FirstSse(target) : new FirstHttp(target)
  await client.connect(transport as Parameters<FirstClient['connect']>[0])
  return client
}

/** The clients that tests connect with, by name. */
export type ClientName = 'SDK v1' | 'SDK v2, legacy' | 'SDK v2, modern'

const connectors: Readonly<Record<ClientName, (url: string) => Promise<TestClient>>> = {
  'SDK v1': async (url) => wrap(await connectV1(url)),
  'SDK v2, legacy': async (url) => wrap(await connectV2(url, 'legacy')),
  'SDK v2, modern': async (url) => wrap(await connectV2(url, 'modern')),
}

/** Connects one of the clients, under one small interface. */
export function connect(name: ClientName, url: string): Promise<TestClient> {
  return connectors[name](url)
}

function wrap(client: FirstClient | ModernClient): TestClient {
  return {
    call: async (name, args = {}) =>
      (await client.callTool({ name, arguments: args })) as unknown as ToolResult,
    toolNames: async () => (await client.listTools()).tools.map(({ name }) => name),
    close: () => client.close(),
  }
}

/** The first text of a result. */
export function textOf(result: unknown): string {
  const first = (result as ToolResult).content[0]
  return first?.text ?? ''
}
