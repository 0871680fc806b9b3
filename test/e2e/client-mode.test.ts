import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { runCommand, startCommand } from '../support/command.ts'
import { json } from '../support/http-server.ts'
import { event, kindOf, result, startMcpServer, stream } from '../support/mcp-server.ts'
import { until } from '../support/until.ts'
import { startWorker } from '../worker/dev/serve.mjs'

const TERMINAL = [
  '--require',
  fileURLToPath(new URL('../support/preload/terminal.cjs', import.meta.url)),
]

let worker: Awaited<ReturnType<typeof startWorker>>
let url: string
beforeAll(async () => {
  worker = await startWorker({ flavour: 'public' })
  url = `${worker.url}/mcp`
})
afterAll(() => worker.stop())

describe('against the companion Worker', () => {
  test('bridge tools lists names, parameters and the first line of what they are for', async () => {
    const { code, stdout, stderr } = await runCommand(['tools', url])
    expect(code).toBe(0)
    expect(stderr).toBe('')
    expect(stdout).toContain(
      'calculator operation=<string> a=<number> b=<number>\n    Adds, subtracts, multiplies or divides two numbers.\n',
    )
  })

  test('bridge tools --json prints the result of the server, and leaves no session behind', async () => {
    const from = worker.logs.length
    const { stdout } = await runCommand(['tools', url, '--json'])
    const { tools } = JSON.parse(stdout) as { tools: { name: string }[] }
    expect(tools.map(({ name }) => name)).toContain('int64')
    await until('the DELETE in the log of the Worker', () =>
      worker.logs.slice(from).some((line) => line['method'] === 'DELETE'),
    )
  })

  test('bridge resources, bridge read and bridge prompts', async () => {
    expect((await runCommand(['resources', url])).stdout).toContain(
      'server://about  application/json\n',
    )
    const read = await runCommand(['read', url, 'server://about'])
    expect(JSON.parse(read.stdout)).toBeTypeOf('object')
    expect((await runCommand(['prompts', url])).stdout).toContain('explain_tool tool [language]\n')
  })

  test('bridge call prints what a tool says; integers are sent and printed digit by digit', async () => {
    const call = ['call', url, 'calculator', 'operation=multiply', 'a=6', 'b=7']
    expect(await runCommand(call)).toEqual({ code: 0, stdout: '42\n', stderr: '' })
    const int = await runCommand(['call', url, 'int64', 'number=12345678901234567890', '--json'])
    expect(int.stdout).toContain('"received":"12345678901234567890"')
    expect(int.stdout).toContain('"thirty_digits":123456789012345678901234567890')
    expect(int.stdout).toContain('"one_with_fraction":1.0')
  })

  test('over HTTP+SSE as well', async () => {
    const call = ['call', `${worker.url}/sse`, 'calculator', '{"operation":"add","a":1,"b":2}']
    expect(await runCommand(call)).toEqual({ code: 0, stdout: '3\n', stderr: '' })
  })

  test('a tool that reports an error: exit 6, and what it says', async () => {
    const call = ['call', url, 'calculator', 'operation=divide', 'a=1', 'b=0']
    expect(await runCommand(call)).toEqual({
      code: 6,
      stdout: 'Division by zero is not allowed.\n',
      stderr: 'bridge: The tool calculator reports an error. [server_failed]\n',
    })
  })

  test('an image is mentioned, and saved where it is wanted', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bridge-save-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const call = ['call', url, 'test_image_content']
    expect((await runCommand(call)).stdout).toMatch(
      /^\[image\/png, \d+ bytes; --save <folder> writes/,
    )
    const saved = await runCommand([...call, '--save', folder])
    expect(saved.stdout).toContain(join(folder, 'content-1.png'))
    expect(readdirSync(folder)).toEqual(['content-1.png'])
    expect(readFileSync(join(folder, 'content-1.png')).subarray(1, 4).toString()).toBe('PNG')
    const again = await runCommand([...call, '--save', folder])
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('it is there already') })
  })

  test('progress is a line on a terminal, and none elsewhere', async () => {
    const call = ['call', url, 'progress', 'steps=3', 'delay_ms=20']
    const seen = await runCommand(call, { nodeArgs: TERMINAL, env: { CI: '' } })
    expect(seen.code).toBe(0)
    const shares = seen.stderr.split('\r\u001b[K').filter((line) => line !== '')
    expect(shares.length).toBeGreaterThan(0)
    for (const line of shares) expect(line).toMatch(/^\d+ %/)
    expect(seen.stderr.endsWith('\r\u001b[K')).toBe(true)
    expect((await runCommand(call, { nodeArgs: TERMINAL, env: { CI: '1' } })).stderr).toBe('')
    expect((await runCommand(call)).stderr).toBe('')
  })

  test('bridge ping measures', async () => {
    const { stdout } = await runCommand(['ping', url, '--count', '2', '--json'])
    const { count, min_ms, max_ms, p50_ms, initialize_ms } = JSON.parse(stdout) as Record<
      string,
      number
    >
    expect(count).toBe(2)
    expect(min_ms).toBeGreaterThan(0)
    expect(p50_ms).toBe(min_ms)
    expect(max_ms).toBeGreaterThanOrEqual(min_ms!)
    expect(initialize_ms).toBeGreaterThan(0)
    expect((await runCommand(['ping', url, '--count', '1'])).stdout).toMatch(
      /^127\.0\.0\.1:\d+: initialize [\d.]+ ms, then 1 ping\n {2}min [\d.]+ ms {2}p50/,
    )
  })
})

test('a server of the stateless era is used the same way; pings reach it, which has no ping', async () => {
  const modern = `${worker.url}/modern/mcp`
  const call = ['call', modern, 'calculator', 'operation=add', 'a=1', 'b=2']
  expect(await runCommand(call)).toMatchObject({ code: 0, stdout: '3\n' })
  const from = worker.logs.length
  expect((await runCommand(['ping', modern, '--count', '3'])).code).toBe(0)
  const posts = worker.logs.slice(from).filter((line) => line['path'] === '/modern/mcp')
  expect(posts.length).toBeGreaterThanOrEqual(3)
})

describe('what goes wrong', () => {
  test.each<[string, () => string[], number, RegExp]>([
    [
      'no tool of this name',
      () => ['call', url, 'calculatr'],
      2,
      /has no tool calculatr[^]*Did you mean calculator\?/,
    ],
    [
      'a value of another type',
      () => ['call', url, 'calculator', 'a=x'],
      2,
      /^bridge: a is no number: x \[usage\]/,
    ],
    [
      'a tool that a rule hides',
      () => ['call', url, 'add_note', 'text=x', '--read-only'],
      2,
      /runs with --read-only\. \[tool_not_allowed\]/,
    ],
    [
      'no such resource',
      () => ['read', url, 'nope://x'],
      6,
      /answers with an error: .*\(-32\d+\) \[server_failed\]/,
    ],
    [
      'nobody there',
      () => ['tools', 'http://127.0.0.1:9/mcp'],
      3,
      /\[unreachable\]\n {2}Cause: connect ECONNREFUSED/,
    ],
    ['no server at the address', () => ['ping', `${worker.url}/nothing`], 6, /\[server_failed\]/],
    ['no tool at all', () => ['call', url], 2, /^bridge: No tool\. \[usage\]/],
    ['too many words', () => ['tools', url, 'more'], 2, /more is too much/],
    [
      'a count out of bounds',
      () => ['ping', url, '--count', '0'],
      2,
      /--count is not a number from 1 to 1000/,
    ],
  ])('%s', async (_, args, code, says) => {
    const said = await runCommand(args())
    expect(said.stderr).toMatch(says)
    expect(said).toMatchObject({ code, stdout: '' })
  })

  test('--json says it in one line', async () => {
    const { stderr } = await runCommand(['call', url, 'calculatr', '--json'])
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'usage', hint: 'Did you mean calculator?' },
    })
  })
})

test('every page of a list is read, and each byte of it is printed', async () => {
  const pages: Record<string, string> = {
    undefined:
      '{"tools":[{"name":"a","x":1.0}],"nextCursor":"2","_meta":{"n":12345678901234567890}}',
    2: '{"nextCursor":"3","tools":[ {"name":"b"} , {"name":"c"} ]}',
    3: '{"tools":[],"nextCursor":"2"}',
  }
  const server = await startMcpServer({
    initialize: (request, response) => {
      const { id } = request.message!
      const capabilities = { tools: {} }
      const serverInfo = { name: 'pages', version: '1' }
      json(response, {
        jsonrpc: '2.0',
        id,
        result: { protocolVersion: '2025-11-25', capabilities, serverInfo },
      })
    },
    'tools/list': (request, response) => {
      const page = pages[String(request.message?.params?.['cursor'])]
      json(response, `{"jsonrpc":"2.0","id":${String(request.message?.id)},"result":${page}}`)
    },
  })
  const { stdout } = await runCommand(['tools', server.url, '--json'])
  expect(stdout).toBe(
    '{"tools":[{"name":"a","x":1.0},{"name":"b"},{"name":"c"}],"_meta":{"n":12345678901234567890}}\n',
  )
  expect((await runCommand(['prompts', server.url, '--json'])).stdout).toBe('{"prompts":[]}\n')
})

test('what the server asks back is declined', async () => {
  let finish = (_answer: unknown): void => {}
  const server = await startMcpServer({
    'tools/list': (request, response) =>
      json(response, result(request, { tools: [{ name: 'asks' }] })),
    'tools/call': (request, response) => {
      stream(response, event({ jsonrpc: '2.0', id: 'q', method: 'elicitation/create', params: {} }))
      finish = (answer) => {
        const content = [{ type: 'text', text: JSON.stringify(answer) }]
        response.end(event(result(request, { content })))
      }
    },
    response: (request, response) => {
      response.writeHead(202).end()
      finish(request.message)
    },
  })
  const { stdout } = await runCommand(['call', server.url, 'asks'])
  expect(JSON.parse(stdout)).toEqual({ jsonrpc: '2.0', id: 'q', result: { action: 'decline' } })
})

test('text of a server cannot command a terminal', async () => {
  const evil = 'a\u001b]0;owned\u0007\u001b[2Jb\u202ec'
  const server = await startMcpServer({
    'tools/list': (request, response) =>
      json(response, result(request, { tools: [{ name: 'evil' }] })),
    'tools/call': (request, response) =>
      json(response, result(request, { content: [{ type: 'text', text: `${evil}\nnext` }] })),
  })
  const call = ['call', server.url, 'evil']
  const shown = await runCommand(call, { nodeArgs: TERMINAL, env: { NO_COLOR: '1', CI: '1' } })
  expect(shown.stdout).toBe('a ]0;owned  [2Jb c\nnext\n')
  expect((await runCommand(call)).stdout).toBe(`${evil}\nnext\n`)
})

test('Ctrl-C cancels the call, ends the session and exits with 130', async () => {
  const server = await startMcpServer({
    'tools/list': (request, response) =>
      json(response, result(request, { tools: [{ name: 'slow' }] })),
    'tools/call': (_, response) =>
      stream(response, event({ jsonrpc: '2.0', method: 'notifications/message', params: {} })),
  })
  const command = startCommand(['call', server.url, 'slow'])
  await until('the call', () => server.seen.some((request) => kindOf(request) === 'tools/call'))
  command.signal('SIGINT')
  expect(await command.said()).toMatchObject({ code: 130, stdout: '' })
  const kinds = server.seen.map(kindOf)
  expect(kinds).toContain('notifications/cancelled')
  expect(kinds.at(-1)).toBe('DELETE')
})

test('bridge completion, help topics and the version come from the packed program', async () => {
  expect((await runCommand(['completion', 'bash'])).stdout).toContain(
    'complete -F _bridge bridge mcp-bridge',
  )
  expect((await runCommand(['help', 'exit-codes'])).stdout).toMatch(/^Exit codes/)
  expect(JSON.parse((await runCommand(['--version', '--json'])).stdout)).toMatchObject({
    node: process.versions.node,
  })
})
