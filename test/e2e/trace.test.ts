import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { homeFolder } from '../auth/home.ts'
import { finish, request } from '../auth/host.ts'
import { type BridgeProcess, initialize, startBridge } from '../support/bridge.ts'
import { initializeResult, json, startServer, type TestServer } from '../support/http-server.ts'
import { rawOf, type Recorded, recordsIn, runBridge, traceFiles } from '../support/trace.ts'
import { until } from '../support/until.ts'

const preload = (name: string): string =>
  fileURLToPath(new URL(`../support/preload/${name}`, import.meta.url))

const BIG = '{"jsonrpc":"2.0","id":1,"result":{"n":12345678901234567890,"f":1.0,"e":1e400,"u":"€"}}'

/** A server whose answers are known to the byte; `times` is a tool that says another thing each time. */
async function startKnown(content = BIG): Promise<TestServer> {
  let calls = 0
  return startServer(({ message, method }, response) => {
    if (method !== 'POST') response.writeHead(method === 'DELETE' ? 204 : 405).end()
    else if (message?.method === 'initialize') json(response, initializeResult(message.id))
    else if (message?.id === undefined) response.writeHead(202).end()
    else if (message.method === 'fails') {
      json(response, {
        jsonrpc: '2.0',
        id: message.id,
        error: { code: 1, message: 'no', data: [7] },
      })
    } else if (message.method === 'flood') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const params = { level: 'info', data: 'x'.repeat(200_000) }
      const event = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params })
      for (let i = 0; i < 60; i++) response.write(`data: ${event}\n\n`)
      response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id: message.id, result: {} })}\n\n`)
    } else if (message.method === 'times') {
      json(response, { jsonrpc: '2.0', id: message.id, result: { timestamp: calls++, n: 1 } })
    } else {
      const head = { 'content-type': 'application/json', 'x-request-id': 'r-1', 'x-other': 'o' }
      response.writeHead(200, head).end(content.replace('"id":1', `"id":${String(message.id)}`))
    }
  })
}

const CALL =
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"n":98765432109876543210,"f":2.50}}'

/** A session of a few messages; the trace it leaves behind. */
async function recorded(
  server: TestServer,
  args: readonly string[] = ['--debug'],
  env: NodeJS.ProcessEnv = {},
): Promise<{ host: BridgeProcess; path: string; records: Recorded[]; home: string }> {
  const home = homeFolder()
  const host = startBridge(`${server.url}`, { args, env, home })
  host.write(initialize(0))
  await host.answer(0)
  host.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
  host.write(CALL)
  await host.answer(1)
  host.write(request(2, 'fails', { text: 'given' }))
  await host.answer(2)
  await finish(host)
  const path = /debug trace: (.*)\n/.exec(host.stderr())![1]!
  return { host, path, records: recordsIn(path), home }
}

test('every message is recorded whole, and tied to its answer and its HTTP exchange', async () => {
  const { host, path, records } = await recorded(await startKnown())
  expect(host.stderr()).toBe(`bridge: debug trace: ${path}\n`)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(records[0]).toMatchObject({ type: 'start', v: 1, node: process.version })
  expect(records.map(({ seq }) => seq)).toEqual(records.map((_, index) => index))

  const frames = records.filter(({ type }) => type === 'frame')
  expect(frames.map(({ from, kind, method }) => [from, kind, method])).toEqual([
    ['host', 'request', 'initialize'],
    ['server', 'response', 'initialize'],
    ['host', 'notification', 'notifications/initialized'],
    ['host', 'request', 'tools/call'],
    ['server', 'response', 'tools/call'],
    ['host', 'request', 'fails'],
    // An error is an answer of the server, with its bytes.
    ['server', 'response', 'fails'],
  ])
  const relayed = frames.filter(({ from }) => from !== 'host').map(rawOf)
  expect(relayed).toEqual(host.lines.map(String))
  const call = frames.find(({ method, from }) => method === 'tools/call' && from === 'host')!
  expect(rawOf(call)).toBe(CALL)
  const answer = frames.find(({ request: asked }) => asked === call['seq'])!
  expect(rawOf(answer)).toBe(BIG)
  expect(answer).toMatchObject({
    status: 200,
    attempt: 1,
    stream: 'json',
    size: Buffer.byteLength(BIG),
  })
  expect(answer['ms']).toBeGreaterThan(0)
  const exchange = records.find((record) => record['exchange'] === answer['exchange'])!
  expect(exchange).toMatchObject({ type: 'http', verb: 'POST', status: 200, frame: call['seq'] })
  expect(exchange['received']).toBe(Buffer.byteLength(BIG))
  expect(exchange['headers']).toEqual({
    'content-type': 'application/json',
    'x-request-id': 'r-1',
    date: expect.any(String),
    'transfer-encoding': 'chunked',
  })
})

test('--trace-payloads=off leaves sizes of what was given and said', async () => {
  const { records } = await recorded(await startKnown(), ['--debug', '--trace-payloads=off'])
  const raws = records.filter(({ type }) => type === 'frame').map(rawOf)
  expect(raws.slice(3)).toEqual([
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"masked":35}}',
    '{"jsonrpc":"2.0","id":1,"result":{"masked":54}}',
    '{"jsonrpc":"2.0","id":2,"method":"fails","params":{"masked":16}}',
    '{"jsonrpc":"2.0","id":2,"error":{"code":1,"message":"no","data":{"masked":3}}}',
  ])
})

test('a long message is cut, and the cut is marked', async () => {
  const { records } = await recorded(await startKnown(), ['--trace-cap', '50', '--debug'])
  const call = records.find(({ method, from }) => method === 'tools/call' && from === 'host')!
  expect(call).toMatchObject({ cut: true, size: CALL.length, raw: CALL.slice(0, 50) })
})

test('BRIDGE_LOG=frames records the messages alone', async () => {
  const { records } = await recorded(await startKnown(), [], { BRIDGE_LOG: 'frames' })
  expect(new Set(records.map(({ type }) => type))).toEqual(new Set(['start', 'frame']))
})

test('--trace-file names the file; one that is there is kept, a link is refused', async () => {
  const server = await startKnown()
  const named = join(homeFolder(), 'my trace.jsonl')
  writeFileSync(named, 'precious')
  const { path } = await recorded(server, ['--trace-file', named])
  expect(path).toBe(named)
  expect(readFileSync(`${named}.1`, 'utf8')).toBe('precious')

  const link = join(homeFolder(), 'link.jsonl')
  symlinkSync(named, link)
  const host = startBridge(server.url, { args: ['--debug-file', link] })
  expect(await host.exit()).toEqual({ code: 7, signal: null })
  expect(host.stderr()).toContain(`${link} is a symbolic link`)
})

test('without --debug there is no trace, and no code of it', async () => {
  const server = await startKnown()
  const host = startBridge(server.url, { nodeArgs: ['--trace-uncaught'] })
  host.write(initialize(0))
  await host.answer(0)
  await finish(host)
  expect(existsSync(join(host.home, 'log'))).toBe(false)
  expect(host.stderr()).toBe('')
})

test('a disk that hangs holds nothing up: records are dropped, counted and said', async () => {
  const server = await startKnown()
  const home = homeFolder()
  const gate = join(home, 'gate')
  const host = startBridge(server.url, {
    home,
    args: ['--debug'],
    env: { DISK_GATE: gate },
    nodeArgs: ['-r', preload('slow-disk.cjs')],
  })
  host.write(initialize(0))
  await host.answer(0)
  host.write(request(1, 'flood'))
  // The lines are counted, not parsed: there are 12 MB of them.
  const arrived = (count: number): Promise<unknown> =>
    until(`${count} lines`, () => host.lines.length >= count)
  await arrived(62)
  writeFileSync(gate, '')
  let id = 1
  const dropped = await until('a record of the dropped ones', async () => {
    host.write(request(++id))
    await arrived(61 + id)
    const [path] = traceFiles(home)
    const counts = [...readFileSync(path!, 'latin1').matchAll(/"type":"dropped","dropped":(\d+)/g)]
    return counts.length > 0 && counts.reduce((sum, [, count]) => sum + Number(count), 0)
  })
  expect(dropped).toBeGreaterThan(5)
  await finish(host)
})

describe('bridge trace', () => {
  test('shows the newest trace, in lines, filtered, and as it is', async () => {
    const { home, path } = await recorded(await startKnown())
    const { code, stdout } = await runBridge(['trace'], home)
    expect(code).toBe(0)
    expect(stdout.replaceAll(/[\d.]+ ms/g, 'N ms')).toMatch(
      /→ {2}tools\/call #1 {2}91 B[^]*← {2}tools\/call #1 {2}N ms {2}88 B/,
    )
    const errors = await runBridge(['trace', path, '--errors', '--json'], home)
    expect(
      errors.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as object),
    ).toMatchObject([{ method: 'fails', error: true }])
    const colored = await runBridge(['trace', '--method', 'fails'], home, { FORCE_COLOR: '1' })
    expect(colored.stdout).toContain('\u001b[31mfails #2')
    const plain = await runBridge(['trace', '--id', '2', '--no-color'], home, { FORCE_COLOR: '1' })
    expect(plain.stdout).not.toContain('\u001b')
  })

  test('says what to do when there is none', async () => {
    const { code, stderr } = await runBridge(['trace'], homeFolder())
    expect(code).toBe(2)
    expect(stderr).toContain('bridge <server_url> --debug makes one.')
  })

  test('writes HAR', async () => {
    const { home } = await recorded(await startKnown())
    const out = join(home, 'out.har')
    expect(await runBridge(['trace', '--har', out], home)).toMatchObject({
      code: 0,
      stdout: `${out}\n`,
    })
    const { log } = JSON.parse(readFileSync(out, 'utf8')) as {
      log: { version: string; entries: object[] }
    }
    expect(log.version).toBe('1.2')
    expect(log.entries).toContainEqual(
      expect.objectContaining({
        request: expect.objectContaining({
          method: 'POST',
          postData: { mimeType: 'application/json', text: CALL },
        }),
        response: expect.objectContaining({
          status: 200,
          content: expect.objectContaining({ text: BIG }),
        }),
      }),
    )
  })

  test('replays a host: the same answers, or 6 and what is different', async () => {
    const { home, path } = await recorded(await startKnown())
    const same = await runBridge(
      ['trace', 'replay', path, '--server', (await startKnown()).url],
      home,
    )
    expect(same).toMatchObject({ code: 0, stderr: 'The same answer: 3. Another one: 0.\n' })
    const changed = await startKnown(BIG.replace('67890', '67891'))
    const other = await runBridge(['trace', 'replay', path, '--server', changed.url], home)
    expect(other.code).toBe(6)
    expect(other.stdout).toBe(
      '= initialize #0\n≠ tools/call #1\n    result.n: 12345678901234567890 → 12345678911234567890\n= fails #2\n',
    )
  })
})
