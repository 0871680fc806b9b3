import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type BridgeOptions, initialize, startBridge } from '../support/bridge.ts'
import { json, type TestServer } from '../support/http-server.ts'
import { event, result, startMcpServer, stream } from '../support/mcp-server.ts'
import { startSseServer } from '../support/sse-server.ts'

/** A file with this content, gone after the test. */
function file(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'bridge-headers-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'headers')
  writeFileSync(path, content)
  return path
}

test.each<{ name: string; options: () => BridgeOptions; sees: Record<string, string | undefined> }>(
  [
    {
      name: 'with a space',
      options: () => ({ args: ['--header', 'X-Key: one two'] }),
      sees: { 'x-key': 'one two' },
    },
    {
      name: 'without a space',
      options: () => ({ args: ['--header', 'X-Key:one:two'] }),
      sees: { 'x-key': 'one:two' },
    },
    {
      name: 'several',
      options: () => ({ args: ['--header', 'X-A: 1', '--header', 'X-B: 2', '--header=X-C:3'] }),
      sees: { 'x-a': '1', 'x-b': '2', 'x-c': '3' },
    },
    {
      name: 'with a variable',
      options: () => ({
        args: ['--header', 'Authorization: Bearer ${TOKEN}'],
        env: { TOKEN: 'secret-1' },
      }),
      sees: { authorization: 'Bearer secret-1' },
    },
    {
      name: 'from a file',
      options: () => ({
        args: ['--header-file', file('# ours\r\nX-A: 1\r\n\r\nX-B: ${B}\n')],
        env: { B: '2' },
      }),
      sees: { 'x-a': '1', 'x-b': '2' },
    },
    {
      name: 'from the environment',
      options: () => ({
        env: { BRIDGE_HEADER_X_API_KEY: 'k', BRIDGE_HEADER_AUTHORIZATION: 'Basic x' },
      }),
      sees: { 'x-api-key': 'k', authorization: 'Basic x' },
    },
    {
      name: 'a flag before a file before the environment',
      options: () => ({
        args: ['--header-file', file('X-A: file\nX-B: file'), '--header', 'x-a: flag'],
        env: { BRIDGE_HEADER_X_A: 'env', BRIDGE_HEADER_X_B: 'env', BRIDGE_HEADER_X_C: 'env' },
      }),
      sees: { 'x-a': 'flag', 'x-b': 'file', 'x-c': 'env' },
    },
  ],
)('a header of the user is on every request: $name', async ({ options, sees }) => {
  const server = await startMcpServer({
    GET: (_request, response) => stream(response, event({ jsonrpc: '2.0', method: 'x' })),
  })
  const bridge = startBridge(server.url, options())
  bridge.write(initialize(0))
  bridge.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
  await bridge.message(({ method }) => method === 'x')
  bridge.end()
  await bridge.exit()
  expect(server.seen.map(({ method }) => method)).toEqual(['POST', 'POST', 'GET', 'DELETE'])
  for (const { headers } of server.seen) expect(headers).toMatchObject(sees)
})

test('HTTP+SSE: a header of the user is on the stream and on the messages', async () => {
  const server = await startSseServer()
  const bridge = startBridge(server.url, { args: ['--transport', 'sse', '--header', 'X-A: 1'] })
  bridge.write(initialize(0))
  await bridge.answer(0)
  expect(server.seen.map(({ headers }) => headers['x-a'])).toEqual(['1', '1'])
})

test.each<{ name: string; args: () => string[]; env?: NodeJS.ProcessEnv; says: RegExp }>([
  {
    name: 'a missing variable',
    args: () => ['--header', 'X: ${NOT_SET}'],
    says: /\$\{NOT_SET\} is not set/,
  },
  {
    name: 'a missing variable in a file',
    args: () => ['--header-file', file('X: ${NOT_SET}')],
    says: /NOT_SET/,
  },
  {
    name: 'a missing file',
    args: () => ['--header-file', '/nowhere/headers'],
    says: /Cannot read \/nowhere\/headers \(ENOENT\)/,
  },
  {
    name: 'a header without value',
    args: () => ['--header', 'Bearer secret-2'],
    says: /Not of the form/,
  },
  {
    name: 'a line break in a header',
    args: () => ['--header', 'X: a\nY: b'],
    says: /cannot stand in a header/,
  },
  {
    name: 'a header of the protocol',
    args: () => ['--header', 'Mcp-Session-Id: x'],
    says: /set by the protocol/,
  },
  {
    name: 'an unknown option',
    args: () => ['--headers', 'X: secret-2'],
    says: /Unknown option --headers.*\n.*--header\?/,
  },
  {
    name: 'an unknown transport',
    args: () => ['--transport', 'carrier-pigeon'],
    says: /http-first/,
  },
])('$name is an error before anything is sent', async ({ args, env = {}, says }) => {
  const server = await startMcpServer()
  const bridge = startBridge(server.url, { args: args(), env })
  expect(await bridge.exit()).toEqual({ code: 2, signal: null })
  expect(bridge.stderr()).toMatch(says)
  expect(bridge.stderr()).not.toContain('secret-2')
  expect(bridge.lines).toHaveLength(0)
  expect(server.sockets.size).toBe(0)
})

test('http:// is for this machine, unless the user allows more', async () => {
  const refused = startBridge('http://bridge.invalid/mcp')
  expect(await refused.exit()).toEqual({ code: 2, signal: null })
  expect(refused.stderr()).toMatch(/not encrypted.*\n.*--allow-http/)

  const allowed = startBridge('http://bridge.invalid/mcp', {
    args: ['--allow-http', '--retry-for', '0'],
  })
  allowed.write(initialize(0))
  const { error } = await allowed.answer(0)
  expect(error).toMatchObject({ code: -31001, data: { phase: 'connect' } })
  expect(error?.message).toMatch(/^No connection to http:\/\/bridge\.invalid: /)
})

/** The requests that the server was told nobody waits for. */
const cancellations = ({ seen }: Pick<TestServer, 'seen'>): unknown[] =>
  seen.flatMap(({ message }) =>
    message?.method === 'notifications/cancelled' ? [message.params?.['requestId']] : [],
  )

test.each([
  { name: 'before the response headers', head: false },
  { name: 'in the middle of a stream', head: true },
])('--timeout gives a request up after silence $name', async ({ head }) => {
  const server = await startMcpServer({
    'tools/call': (_request, response) => {
      if (head) stream(response, ': hello\n\n')
    },
  })
  const bridge = startBridge(server.url, { args: ['--timeout', '500ms'] })
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call' })
  expect(await bridge.answer(1, 4_000)).toEqual({
    jsonrpc: '2.0',
    id: 1,
    error: {
      code: -31001,
      message:
        'The server sent nothing for 0.5 s, the limit set by --timeout. ' +
        'The tool may have run; it was not called again.',
      data: { phase: 'response' },
    },
  })
  await expect.poll(() => cancellations(server)).toEqual([1])
  bridge.write({ jsonrpc: '2.0', id: 2, method: 'ping' })
  expect(await bridge.answer(2)).toMatchObject({ result: {} })
})

test('--timeout gives up what is still open of a batch, and only that is cancelled', async () => {
  const server = await startMcpServer({
    response: (_request, response) =>
      stream(response, event({ jsonrpc: '2.0', id: 1, result: {} })),
  })
  const bridge = startBridge(server.url, { args: ['--timeout', '500ms'] })
  bridge.write(initialize(0, '2025-03-26'))
  await bridge.answer(0)
  bridge.write([1, 2, 3].map((id) => ({ jsonrpc: '2.0', id, method: 'ping' })))
  expect(await bridge.answer(1)).toMatchObject({ result: {} })
  for (const id of [2, 3]) expect(await bridge.answer(id)).toMatchObject({ error: {} })
  await expect.poll(() => cancellations(server)).toEqual([2, 3])
})

test('HTTP+SSE: --timeout gives a request up as well', async () => {
  const server = await startSseServer({
    'tools/call': (_request, response) => void response.writeHead(202).end(),
  })
  const bridge = startBridge(server.url, { args: ['--transport', 'sse', '--timeout', '500ms'] })
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call' })
  const { error } = await bridge.answer(1, 4_000)
  expect(error?.message).toContain('--timeout')
  await expect.poll(() => cancellations(server)).toEqual([1])
})

test('--timeout leaves a stream alone that shows life', async () => {
  const server = await startMcpServer({
    'tools/call': (request, response) => {
      stream(response, ': 0\n\n')
      let beats = 0
      const timer = setInterval(() => {
        response.write(`: ${++beats}\n\n`)
        if (beats < 30) return
        clearInterval(timer)
        response.end(event(result(request, { beats })))
      }, 100)
    },
  })
  // Three seconds of comments against a limit that is broken by one and a half of silence.
  const bridge = startBridge(server.url, { args: ['--timeout', '1500ms'] })
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call' })
  expect(await bridge.answer(1)).toMatchObject({ result: { beats: 30 } })
})

test('without --timeout a slow answer is waited for', async () => {
  const server = await startMcpServer({
    'tools/call': (request, response) => {
      setTimeout(() => json(response, result(request, { slow: true })), 3_000)
    },
  })
  const bridge = startBridge(server.url)
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'tools/call' })
  expect(await bridge.answer(1)).toMatchObject({ result: { slow: true } })
})
