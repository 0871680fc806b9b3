import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { initialize, type Message, startBridge } from '../support/bridge.ts'
import { json } from '../support/http-server.ts'
import { result, startMcpServer } from '../support/mcp-server.ts'

const require = createRequire(import.meta.url)
const noise = require.resolve('../support/preload/noise.cjs')

/** A bridge whose session has been set up with this version, and its server. */
async function connected(version = '2025-11-25', options: Parameters<typeof startBridge>[1] = {}) {
  const server = await startMcpServer({
    'tools/call': (request, response) => json(response, result(request, { called: true })),
  })
  const bridge = startBridge(server.url, options)
  bridge.write(initialize('init', version))
  await bridge.answer('init')
  return { server, bridge }
}

test.each<{ name: string; line: string; sees: object }>([
  { name: 'prose', line: 'hello', sees: { id: null, error: { code: -32700 } } },
  {
    name: 'half a message',
    line: '{"jsonrpc":"2.0",',
    sees: { id: null, error: { code: -32700 } },
  },
  { name: 'two messages', line: '{"id":1}{"id":2}', sees: { id: null, error: { code: -32700 } } },
  { name: 'an id and nothing else', line: '{"id":7}', sees: { id: 7, error: { code: -32600 } } },
  {
    name: 'a string id and nothing else',
    line: '{"id":"7"}',
    sees: { id: '7', error: { code: -32600 } },
  },
  {
    name: 'a method that is no string',
    line: '{"id":1,"method":5}',
    sees: { id: 1, error: { code: -32600 } },
  },
  {
    name: 'an id that is an object',
    line: '{"id":{},"method":"x"}',
    sees: { id: null, error: { code: -32600 } },
  },
  { name: 'a number', line: '17', sees: { id: null, error: { code: -32600 } } },
  { name: 'an empty object', line: '{}', sees: { id: null, error: { code: -32600 } } },
  { name: 'an empty array', line: '[]', sees: { id: null, error: { code: -32600 } } },
])('$name on stdin is answered, and the next request works', async ({ line, sees }) => {
  const server = await startMcpServer()
  const bridge = startBridge(server.url)
  bridge.write(line)
  bridge.write({ jsonrpc: '2.0', id: 8, method: 'ping' })
  await bridge.answer(8)
  expect(bridge.messages()).toMatchObject([sees, { id: 8, result: {} }])
  expect(server.seen).toHaveLength(1)
})

test('a second open request with the same id is refused, the first one is answered', async () => {
  let release = (): void => {}
  const server = await startMcpServer({
    'tools/call': (request, response) => {
      release = () => json(response, result(request, { first: true }))
    },
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize(0))
  await bridge.answer(0)
  bridge.write({ jsonrpc: '2.0', id: 5, method: 'tools/call' })
  await expect.poll(() => server.seen.length).toBe(2)
  bridge.write({ jsonrpc: '2.0', id: 5, method: 'ping' })
  bridge.write({ jsonrpc: '2.0', id: '5', method: 'ping' })
  bridge.write({ jsonrpc: '2.0', id: 6, method: 'ping' })
  await bridge.answer(6)
  release()
  await bridge.message(({ result: value }) => value?.['first'] === true)
  const answers = new Map(bridge.messages().map((message) => [JSON.stringify(message.id), message]))
  expect(bridge.messages()).toHaveLength(5)
  expect(bridge.messages()[1]).toMatchObject({ id: 5, error: { code: -32600 } })
  expect(answers.get('"5"')).toMatchObject({ result: {} })
  // An id is free again once it is answered.
  bridge.write({ jsonrpc: '2.0', id: 5, method: 'ping' })
  await expect.poll(() => bridge.messages().length).toBe(6)
  expect(bridge.messages()[5]).toMatchObject({ id: 5, result: {} })
})

test('ids keep the form in which they were written', async () => {
  const { bridge } = await connected()
  const ids = [
    '0',
    '"0"',
    '1.5',
    '1.50',
    '12345678901234567890',
    '-0',
    '1e2',
    'null',
    '"\\u0041"',
    '""',
  ]
  for (const id of ids) bridge.write(`{"jsonrpc":"2.0","id":${id},"method":"x/y"}`)
  await expect.poll(() => bridge.lines.length).toBe(ids.length + 1)
  const seen = bridge.lines.slice(1).map((line) => /"id":(.+?),"/.exec(line.toString())?.[1])
  // The test's server reads numbers as doubles: what it rounded is put right again.
  expect(seen.sort()).toEqual(ids.sort())
})

test('line ends, blank lines and a byte order mark are tolerated, U+2028 is not a line end', async () => {
  const server = await startMcpServer()
  const bridge = startBridge(server.url)
  const ping = (id: string): string => `{"jsonrpc":"2.0","id":"${id}","method":"ping"}`
  bridge.child.stdin.write(
    `\u{feff}${ping('bom')}\r\n\r\n  \n\n${ping('a\u2028b')}\n${ping('é🎉')}\r\n\t${ping('pad')} \n`,
  )
  const bytes = Buffer.from(`${ping('ü')}\n`)
  const cut = bytes.indexOf(0xc3) + 1 // inside the character
  bridge.child.stdin.write(bytes.subarray(0, cut))
  await bridge.answer('pad')
  bridge.child.stdin.write(bytes.subarray(cut))
  await bridge.answer('ü')
  const ids = bridge.messages().map(({ id }) => id)
  expect(ids.sort()).toEqual(['a\u2028b', 'bom', 'pad', 'é🎉', 'ü'].sort())
  expect(server.seen.map(({ body }) => body.toString().trim())).toContain(ping('a\u2028b'))
})

test('the last line counts without its line end', async () => {
  const { bridge } = await connected()
  bridge.child.stdin.end('{"jsonrpc":"2.0","id":1,"method":"ping"}')
  await bridge.exit()
  expect(await bridge.answer(1)).toMatchObject({ result: {} })
})

test('a line above 256 MiB is refused by naming the limit, and the next request works', async () => {
  const { bridge } = await connected()
  const block = Buffer.alloc(8 * 1024 * 1024, 'x')
  bridge.child.stdin.write('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"x":"')
  for (let written = 0; written <= 256 * 1024 * 1024; written += block.length) {
    if (!bridge.child.stdin.write(block)) {
      await new Promise((resolve) => {
        bridge.child.stdin.once('drain', resolve)
      })
    }
  }
  bridge.child.stdin.write('"}}\n')
  const refusal = await bridge.message(({ id }) => id === null)
  expect(refusal.error).toMatchObject({ code: -32700, message: expect.stringContaining('256 MiB') })
  bridge.write({ jsonrpc: '2.0', id: 2, method: 'ping' })
  expect(await bridge.answer(2)).toMatchObject({ result: {} })
  expect(bridge.lines).toHaveLength(3)
})

test('a batch is relayed whole when 2025-03-26 was negotiated, and answered as the server answers', async () => {
  const answers =
    '[{"jsonrpc":"2.0","id":2,"result":{}},{"jsonrpc":"2.0","id":1,"result":{"n":1.0}}]'
  const server = await startMcpServer({
    response: (_request, response) => json(response, answers),
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize('init', '2025-03-26'))
  await bridge.answer('init')
  const batch =
    '[ {"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/x"},{"jsonrpc":"2.0","id":2,"method":"ping"}]'
  bridge.write(batch)
  await expect.poll(() => bridge.lines.length).toBe(2)
  expect(bridge.lines[1]?.toString()).toBe(answers)
  expect(server.seen[1]?.body.toString()).toBe(batch)
})

test('a batch whose answers come one by one on a stream is answered too', async () => {
  const server = await startMcpServer({
    response: (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end('data: {"jsonrpc":"2.0","id":2,"result":{}}\n\n')
    },
  })
  const bridge = startBridge(server.url)
  bridge.write(initialize('init', '2025-03-26'))
  await bridge.answer('init')
  bridge.write(
    '[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"}]',
  )
  expect(await bridge.answer(2)).toMatchObject({ result: {} })
  expect(await bridge.answer(1)).toMatchObject({ error: { code: -31001 } })
})

test.each(['2025-06-18', '2025-11-25', '2024-11-05'])(
  'a batch is split under %s and answered as one array',
  async (version) => {
    const { server, bridge } = await connected(version)
    bridge.write(
      '[{"jsonrpc":"2.0","id":1,"method":"tools/call"},{"id":9},{"jsonrpc":"2.0","method":"notifications/x"},' +
        '17,{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"}]',
    )
    await expect.poll(() => bridge.lines.length).toBe(2)
    const answers = JSON.parse(bridge.lines[1]!.toString()) as Message[]
    expect(answers).toHaveLength(5)
    const byId = (id: unknown): unknown[] => answers.filter((answer) => answer.id === id)
    expect(byId(9)).toMatchObject([{ error: { code: -32600 } }])
    expect(byId(null)).toMatchObject([{ error: { code: -32600 } }])
    expect(byId(1)).toHaveLength(2)
    expect(byId(1)).toContainEqual({ jsonrpc: '2.0', id: 1, result: { called: true } })
    expect(byId(2)).toEqual([{ jsonrpc: '2.0', id: 2, result: {} }])
    const methods = server.seen.map(({ message }) => message?.method)
    expect(methods.sort()).toEqual(['initialize', 'notifications/x', 'ping', 'tools/call'])
  },
)

test('a batch of notifications is answered by nothing', async () => {
  const { server, bridge } = await connected()
  bridge.write(
    '[{"jsonrpc":"2.0","method":"notifications/x"},{"jsonrpc":"2.0","method":"notifications/y"}]',
  )
  bridge.write({ jsonrpc: '2.0', id: 1, method: 'ping' })
  await bridge.answer(1)
  expect(bridge.lines).toHaveLength(2)
  expect(server.seen).toHaveLength(4)
})

test.each([
  { how: '--require', args: ['--require', noise], once: '0' },
  { how: '--import', args: ['--import', noise], once: '0' },
  {
    how: '--require, with a console that was in use before',
    args: ['--require', noise],
    once: '1',
  },
])(
  'stdout carries frames only, whatever else runs in the process: $how',
  async ({ args, once }) => {
    const { bridge } = await connected('2025-11-25', {
      nodeArgs: args,
      env: { NOISE_AT_ONCE: once },
    })
    await expect.poll(bridge.stderr).toContain('noise: kept write')
    for (let id = 1; id <= 20; id++) bridge.write({ jsonrpc: '2.0', id, method: 'ping' })
    await bridge.answer(20)
    bridge.end()
    await bridge.exit()
    expect(bridge.lines).toHaveLength(21)
    for (const line of bridge.lines) expect(line.toString()).toMatch(/^\{"jsonrpc":"2\.0",/)
    for (const source of [
      'console.log',
      'console.info',
      'kept log',
      'kept console',
      'kept stdout',
    ]) {
      expect(bridge.stderr()).toContain(`noise: ${source}`)
    }
  },
)
