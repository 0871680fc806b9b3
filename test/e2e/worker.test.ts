import { Client as ModernClient, type ClientOptions } from '@modelcontextprotocol/client'
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio'
import { Client as FirstClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as FirstStdio } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import { homeFolder } from '../auth/home.ts'
import { startWorker } from '../worker/dev/serve.mjs'
import { initialize, startBridge } from '../support/bridge.ts'
import { until } from '../support/until.ts'

let worker: Awaited<ReturnType<typeof startWorker>>
beforeAll(async () => {
  worker = await startWorker({ flavour: 'public' })
})
afterAll(() => worker.stop())

const info = { name: 'worker-e2e', version: '1.0.0' }

/** The packed bridge as an SDK's client starts it. */
function program(path: string): { command: string; args: string[]; env: Record<string, string> } {
  const args = [inject('bin'), worker.url + path]
  return { command: process.execPath, args, env: { BRIDGE_HOME: homeFolder() } }
}

async function connectFirst(path: string): Promise<FirstClient> {
  const client = new FirstClient(info, { capabilities: { elicitation: {} } })
  await client.connect(new FirstStdio(program(path)))
  onTestFinished(() => client.close())
  return client
}

async function connectModern(path: string, options: ClientOptions): Promise<ModernClient> {
  const client = new ModernClient(info, options)
  await client.connect(new ModernStdio(program(path)))
  onTestFinished(() => client.close())
  return client
}

const six = { name: 'calculator', arguments: { operation: 'multiply', a: 6, b: 7 } }

describe.each(['/mcp', '/sse', '/stateless/mcp', '/legacy/mcp'])('an SDK v1 host at %s', (path) => {
  test('lists and calls tools', async () => {
    const client = await connectFirst(path)
    const { tools } = await client.listTools()
    expect(tools.map((tool) => tool.name)).toContain('calculator')
    expect(await client.callTool(six)).toMatchObject({ structuredContent: { result: 42 } })
  })

  test('sees a tool error as a tool error', async () => {
    const client = await connectFirst(path)
    const args = { operation: 'divide', a: 1, b: 0 }
    const result = await client.callTool({ name: 'calculator', arguments: args })
    expect(result).toMatchObject({ isError: true })
  })
})

describe.each(['/mcp', '/modern/mcp'])('a host of the stateless era at %s', (path) => {
  test('lists and calls tools, and is asked back', async () => {
    const client = await connectModern(path, {
      versionNegotiation: { mode: { pin: '2026-07-28' } },
      capabilities: { elicitation: { form: {} } },
    })
    client.setRequestHandler('elicitation/create', () => ({
      action: 'accept',
      content: { confirmed: true },
    }))
    const { tools } = await client.listTools()
    expect(tools.map((tool) => tool.name)).toContain('confirm')
    expect(await client.callTool(six)).toMatchObject({ structuredContent: { result: 42 } })
    const result = await client.callTool({ name: 'confirm', arguments: { question: 'Go on?' } })
    expect(result.isError ?? false).toBe(false)
  })
})

test('a host that may speak both eras ends in the stateless one', async () => {
  const client = await connectModern('/mcp', { versionNegotiation: { mode: 'auto' } })
  expect(await client.callTool({ name: 'whoami', arguments: {} })).toMatchObject({
    structuredContent: { era: 'modern' },
  })
})

test.each(['/mcp', '/sse'])(
  'integers beyond 2^53 and other unusual JSON arrive at %s',
  async (path) => {
    const bridge = startBridge(worker.url + path)
    bridge.write(initialize(0))
    await bridge.answer(0)
    bridge.write('{"jsonrpc":"2.0","method":"notifications/initialized"}')
    bridge.write(
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"int64","arguments":{"number":12345678901234567890}}}',
    )
    await bridge.answer(1)
    const line = bridge.lines.find((text) => text.includes('"awkward"'))!.toString('utf8')
    expect(line).toContain('"beyond_2_53":9007199254740993')
    expect(line).toContain('"thirty_digits":123456789012345678901234567890')
    expect(line).toContain('"one_with_fraction":1.0')
    expect(line).toContain('"beyond_double":1e400')
    expect(line).toContain(String.raw`"lone_surrogate":"\ud800"`)
    expect(line).toContain('12345678901234567890')
  },
)

test('ending the host ends the session on the Worker', async () => {
  const bridge = startBridge(`${worker.url}/mcp`)
  bridge.write(initialize(0))
  await bridge.answer(0)
  const from = worker.logs.length
  bridge.end()
  expect(await bridge.exit()).toEqual({ code: 0, signal: null })
  await until('the DELETE in the log of the Worker', () =>
    worker.logs.slice(from).some((line) => line['method'] === 'DELETE'),
  )
})
