import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { initialize, startBridge } from '../support/bridge.ts'
import { makeCertificate } from '../support/certificate.ts'
import { startServer } from '../support/http-server.ts'
import { type Handler, SESSION, startMcpServer } from '../support/mcp-server.ts'

const SECRET = ['--header', 'X-Key: secret-key']

function redirect(status: number, location: string): Handler {
  return (_request, response) => void response.writeHead(status, { location }).end()
}

test.each([301, 302, 303, 307, 308])(
  '%i inside the origin is followed with method and body kept',
  async (status) => {
    const inner = await startMcpServer()
    // One origin for both paths: the old one sends to the new one.
    const server = await startServer(async (request, response) => {
      if (request.path === '/mcp') return redirect(status, '/mcp/')(request, response)
      const { method, body, headers } = request
      const passed = ['content-type', 'accept', 'mcp-session-id', 'x-key']
      const answer = await fetch(inner.url, {
        method,
        headers: passed.flatMap((name) =>
          headers[name] === undefined ? [] : [[name, String(headers[name])] as [string, string]],
        ),
        ...(method === 'POST' && { body }),
      })
      response.writeHead(
        answer.status,
        [...answer.headers]
          .filter(([name]) => name.startsWith('mcp') || name === 'content-type')
          .flat(),
      )
      response.end(Buffer.from(await answer.arrayBuffer()))
    })
    const bridge = startBridge(server.url, { args: SECRET })
    bridge.write(initialize(0))
    expect(await bridge.answer(0)).toMatchObject({ result: {} })
    bridge.write({ jsonrpc: '2.0', id: 1, method: 'ping' })
    expect(await bridge.answer(1)).toMatchObject({ result: {} })
    const asked = inner.seen.map(({ method, message }) => `${method} ${message?.method}`)
    expect(asked).toEqual(['POST initialize', 'POST ping'])
    expect(inner.seen[1]?.headers).toMatchObject({
      'mcp-session-id': SESSION,
      'x-key': 'secret-key',
    })
    // A permanent redirect is asked for once.
    const hops = server.seen.filter(({ path }) => path === '/mcp').length
    expect(hops).toBe(status === 301 || status === 308 ? 1 : 2)
  },
)

test.each([301, 302, 303, 307, 308])(
  '%i to another origin is refused: both are named, nothing reaches the second',
  async (status) => {
    const other = await startMcpServer()
    const server = await startMcpServer({ 'tools/call': redirect(status, other.url) })
    const bridge = startBridge(server.url, { args: SECRET })
    bridge.write(initialize(0))
    await bridge.answer(0)
    bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { body: 'secret-body' } })
    const { error } = await bridge.answer(1)
    expect(error?.message).toBe(
      `${server.origin} redirects to ${other.origin}; nothing was sent there.`,
    )
    expect(error?.data).toEqual({
      phase: 'response',
      httpStatus: status,
      hint: expect.stringContaining(other.origin) as string,
    })
    bridge.write({ jsonrpc: '2.0', id: 2, method: 'ping' })
    expect(await bridge.answer(2)).toMatchObject({ result: {} })
    bridge.end()
    await bridge.exit()
    expect(other.seen).toHaveLength(0)
  },
)

test('the first request, the stream and the DELETE are not led astray either', async () => {
  let connections = 0
  const other = await startMcpServer()
  const watch = setInterval(() => (connections += other.sockets.size), 1)
  const astray = redirect(307, other.url)
  const server = await startMcpServer({ GET: astray, DELETE: astray })
  const bridge = startBridge(server.url, { args: SECRET })
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
  await expect.poll(() => server.seen.at(-1)?.method).toBe('GET')
  bridge.end()
  expect(await bridge.exit()).toEqual({ code: 0, signal: null })

  const entry = await startMcpServer({ initialize: astray })
  const second = startBridge(entry.url, { args: SECRET })
  second.write(initialize(0))
  expect(await second.answer(0)).toMatchObject({ error: { data: { httpStatus: 307 } } })
  expect(entry.seen).toHaveLength(1)
  clearInterval(watch)
  expect(other.seen).toHaveLength(0)
  expect(connections).toBe(0)
})

test.each([
  { name: 'another port', location: 'http://127.0.0.1:1/mcp' },
  { name: 'another name of the same machine', location: 'http://localhost:1/mcp' },
  { name: 'another protocol', location: 'ftp://127.0.0.1/mcp' },
])('$name is another origin', async ({ location }) => {
  const server = await startMcpServer({ initialize: redirect(308, location) })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  const { error } = await bridge.answer(0)
  expect(error?.message).toContain(server.origin)
  expect(error?.data).toMatchObject({ httpStatus: 308 })
  expect(error?.message).toMatch(/redirects to/)
})

test('a redirect in a loop ends', async () => {
  const server = await startMcpServer({ initialize: redirect(307, '/mcp') })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  const { error } = await bridge.answer(0)
  expect(error?.message).toBe(`${server.origin} redirects in a loop.`)
  expect(server.seen.length).toBeLessThanOrEqual(4)
})

test('http is left for https of the same host, never the other way', async () => {
  const tls = makeCertificate()
  const folder = mkdtempSync(join(tmpdir(), 'bridge-ca-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const ca = join(folder, 'ca.pem')
  writeFileSync(ca, tls.cert)
  const env = { NODE_EXTRA_CA_CERTS: ca }

  const secure = await startMcpServer({}, { tls })
  const plain = await startServer((request, response) =>
    redirect(307, secure.origin + request.path)(request, response),
  )
  const up = startBridge(plain.url, { args: SECRET, env })
  up.write(initialize(0))
  expect(await up.answer(0)).toMatchObject({ result: {} })
  expect(secure.seen[0]?.headers['x-key']).toBe('secret-key')
  expect(secure.seen[0]?.message?.method).toBe('initialize')

  const target = await startMcpServer()
  const downgrading = await startMcpServer({ initialize: redirect(308, target.url) }, { tls })
  const down = startBridge(downgrading.url, { args: SECRET, env })
  down.write(initialize(0))
  const { error } = await down.answer(0)
  expect(error?.message).toBe(
    `${downgrading.origin} redirects to ${target.origin}; nothing was sent there.`,
  )
  expect(target.seen).toHaveLength(0)
})
