import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node'
import {
  acceptedContent,
  createMcpHandler,
  inputRequired,
  McpServer,
} from '@modelcontextprotocol/server'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { homeFolder } from '../auth/home.ts'
import { startLegacyServer } from '../support/legacy-server.ts'
import { connectV1, connectV2 } from '../support/peers.ts'
import { type Recorded, recordsIn, runBridge, traceFiles } from '../support/trace.ts'

const MODERN = '2026-07-28'
const SECRET = 'a-header-of-the-user'
const DEBUG = ['--debug', '--header', `X-Key: ${SECRET}`]

/** A server that knows nothing but 2026-07-28, and asks who calls. */
async function startModernServer(): Promise<string> {
  const who = z.object({ name: z.string() })
  const handler = createMcpHandler(
    () => {
      const server = new McpServer({ name: 'modern', version: '1.0.0' })
      const input = z.object({ word: z.string() })
      server.registerTool('ask', { inputSchema: input }, ({ word }, { mcpReq }) => {
        const content = acceptedContent(mcpReq.inputResponses, 'who', who)
        if (content !== undefined) {
          return { content: [{ type: 'text', text: `${word}, ${content.name}` }] }
        }
        const question = inputRequired.elicit({ message: 'Who?', requestedSchema: who })
        return inputRequired({ inputRequests: { who: question } })
      })
      return server
    },
    { legacy: 'reject' },
  )
  const node = toNodeHandler(handler)
  const server = createServer((request, response) => {
    // Only `exactOptionalPropertyTypes` sees a difference between the two.
    void node(request as NodeIncomingMessageLike, response)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
}

/** The trace with the call: SDK v2 probes in a process of its own. */
function traceIn(home: string): string {
  return traceFiles(home).find((path) => readFileSync(path, 'utf8').includes('"tools/call"'))!
}

/** What `bridge trace` shows of the call, as short words, and the records of the trace. */
async function messagesOf(home: string): Promise<{ calls: string[]; records: Recorded[] }> {
  const path = traceIn(home)
  const records = recordsIn(path)
  const text = records.map(({ line }) => line).join('\n')
  expect(text).not.toContain(SECRET)
  const shown = await runBridge(['trace', path], home)
  expect(shown.code).toBe(0)
  const calls = shown.stdout
    .split('\n')
    .filter((line) => /[→←↩⇥⇤] +(?:tools\/call|elicitation\/create) /.test(line))
    .map((line) => {
      const [, sign, method] = /([→←↩⇥⇤]) +(\S+) /.exec(line)!
      return `${sign} ${method}`
    })
  return { calls, records }
}

/** What the HAR file says was sent for this method. */
async function sentAsHar(home: string, method: string): Promise<string[]> {
  const out = `${home}/trace.har`
  const { code } = await runBridge(['trace', traceIn(home), '--har', out], home)
  expect(code).toBe(0)
  const { log } = JSON.parse(readFileSync(out, 'utf8')) as {
    log: { entries: { request: { postData?: { text: string } } }[] }
  }
  return log.entries
    .map(({ request }) => request.postData?.text ?? '')
    .filter((text) => text.includes(`"${method}"`))
}

test('a host with an initialize at a modern server: the trace shows both languages', async () => {
  const home = homeFolder()
  const { client, close } = await connectV1(await startModernServer(), { home, args: DEBUG })
  const params = { name: 'ask', arguments: { word: SECRET } }
  expect(await client.callTool(params)).toMatchObject({
    content: [{ type: 'text', text: `${SECRET}, Ada` }],
  })
  await close()

  const { calls, records } = await messagesOf(home)
  expect(calls).toEqual([
    '→ tools/call',
    '⇥ tools/call',
    '⇤ tools/call',
    '↩ elicitation/create',
    '→ elicitation/create',
    '⇥ tools/call',
    '⇤ tools/call',
    '↩ tools/call',
  ])
  const call = records.find(({ from, method }) => from === 'host' && method === 'tools/call')!
  const sent = records.filter((record) => record['for'] === call['seq'])
  expect(sent.map(({ raw }) => Object.keys((raw as { params: object }).params).sort())).toEqual([
    ['_meta', 'arguments', 'name'],
    ['_meta', 'arguments', 'inputResponses', 'name'],
  ])
  const answers = records.filter(({ request }) => sent.some(({ seq }) => seq === request))
  expect(answers).toMatchObject([
    { side: 'server', status: 200, raw: { result: { resultType: 'input_required' } } },
    { side: 'server', status: 200, raw: { result: { resultType: 'complete' } } },
  ])
  // What the bridge has asked in its own name, before there was a translation.
  expect(records).toContainEqual(
    expect.objectContaining({ from: 'bridge', side: 'server', method: 'server/discover' }),
  )
  expect(await sentAsHar(home, 'tools/call')).toHaveLength(2)
})

test('a stateless host at a server with sessions: the trace shows both languages', async () => {
  const home = homeFolder()
  const server = await startLegacyServer('session')
  onTestFinished(() => server.stop())
  const args = [...DEBUG, '--protocol', 'translate']
  const { client, close } = await connectV2(server.url, { mode: { pin: MODERN } }, { home, args })
  await client.callTool({ name: 'sum', arguments: { a: 1, b: 2 } })
  await close()

  const { calls, records } = await messagesOf(home)
  expect(calls).toEqual(['→ tools/call', '⇥ tools/call', '⇤ tools/call', '↩ tools/call'])
  const sides = (method: string): unknown[] =>
    records
      .filter(({ type, method: named }) => type === 'frame' && named === method)
      .map(({ from, side }) => [from, side])
  expect(sides('initialize')).toEqual([
    ['bridge', 'server'],
    ['server', 'server'],
  ])
  expect(sides('notifications/initialized')).toEqual([['bridge', 'server']])
  const call = records.find(({ from, method }) => from === 'host' && method === 'tools/call')!
  const sent = records.find((record) => record['for'] === call['seq'])!
  expect(sent['raw']).not.toHaveProperty('params._meta')
  const posted = records.find((record) => record['frame'] === sent['seq'])
  expect(posted).toMatchObject({ type: 'http', verb: 'POST', status: 200 })
  expect(await sentAsHar(home, 'initialize')).toHaveLength(1)
})
