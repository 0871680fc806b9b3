// @ts-check
/**
 * `npm run compare:trace`: what the debug trace costs. The same pipelined requests through the built
 * bridge (`npm run build` first) with and without `--debug`, in turns, against one server; also as
 * pushed notifications. Prints messages per second and the share that is left with the trace on.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROUNDS = Number(process.argv[2] ?? 5)
const MESSAGES = Number(process.argv[3] ?? 10_000)
const PIPELINED = 64

const bin = fileURLToPath(new URL('../../bin/bridge.cjs', import.meta.url))
const text = 'The quick brown fox jumps over the lazy dog. '.repeat(4)

const server = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8').on('data', (chunk) => (body += chunk))
  request.on('end', () => {
    const message = body === '' ? {} : JSON.parse(body)
    if (message.id === undefined) {
      response.writeHead(request.method === 'POST' ? 202 : 405).end()
      return
    }
    const result =
      message.method === 'initialize'
        ? {
            protocolVersion: '2025-11-25',
            capabilities: {},
            serverInfo: { name: 'b', version: '1' },
          }
        : { content: [{ type: 'text', text }] }
    const answer = JSON.stringify({ jsonrpc: '2.0', id: message.id, result })
    if (message.params?.name === 'push') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const params = { level: 'info', data: text }
      const event = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params })
      const events = `data: ${event}\n\n`.repeat(100)
      for (let i = 0; i < MESSAGES / 100; i++) response.write(events)
      response.end(`data: ${answer}\n\n`)
      return
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer)
  })
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
const address = server.address()
if (address === null || typeof address === 'string') throw new Error('no port')
const url = `http://127.0.0.1:${address.port}/mcp`

/**
 * @param {string[]} args
 * @returns {Promise<{ pipelined: number, pushed: number, records: number }>} messages per second
 */
async function measure(args) {
  const home = mkdtempSync(join(tmpdir(), 'bridge-bench-'))
  const env = { ...process.env, BRIDGE_HOME: home }
  const child = spawn(process.execPath, [bin, url, ...args], {
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  let lines = 0
  let wanted = 0
  let wake = () => {}
  let onLine = () => {}
  child.stdout.on('data', (chunk) => {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) {
      lines++
      onLine()
    }
    if (lines >= wanted) wake()
  })
  /** @param {number} count */
  const until = (count) => {
    wanted = lines + count
    return new Promise((resolve) => (wake = () => resolve(undefined)))
  }
  let id = 0
  /** @param {string} method @param {object} params */
  const ask = (method, params) =>
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: id++, method, params })}\n`)

  const opened = until(1)
  ask('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'b', version: '1' },
  })
  await opened

  let begun = performance.now()
  const all = until(MESSAGES)
  let left = MESSAGES
  onLine = () => {
    if (left-- > 0) ask('tools/call', { name: 'echo', arguments: { text } })
  }
  for (let i = 0; i < PIPELINED; i++) onLine()
  await all
  const pipelined = MESSAGES / ((performance.now() - begun) / 1000)
  onLine = () => {}

  begun = performance.now()
  const pushes = until(MESSAGES + 1)
  ask('tools/call', { name: 'push', arguments: {} })
  await pushes
  const pushed = MESSAGES / ((performance.now() - begun) / 1000)

  const gone = new Promise((resolve) => child.once('close', resolve))
  child.stdin.end()
  await gone
  let records = 0
  if (args.length > 0) {
    for (const name of readdirSync(join(home, 'log'))) {
      records += readFileSync(join(home, 'log', name), 'latin1').split('\n').length - 1
    }
  }
  rmSync(home, { recursive: true, force: true })
  return { pipelined, pushed, records }
}

/** @param {number[]} values */
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/** @type {Record<'off' | 'on', { pipelined: number, pushed: number, records: number }[]>} */
const results = { off: [], on: [] }
for (let round = 0; round < ROUNDS; round++) {
  results.off.push(await measure([]))
  results.on.push(await measure(['--debug']))
}
server.close()
server.closeAllConnections()

process.stdout.write('| messages per second | trace off | trace on | left |\n|---|---|---|---|\n')
for (const what of /** @type {const} */ (['pipelined', 'pushed'])) {
  const off = median(results.off.map((result) => result[what]))
  const on = median(results.on.map((result) => result[what]))
  const left = (on / off).toFixed(2)
  process.stdout.write(`| ${what} | ${off.toFixed(0)} | ${on.toFixed(0)} | ${left} |\n`)
}
process.stdout.write(`\n${median(results.on.map(({ records }) => records))} records in a trace\n`)
