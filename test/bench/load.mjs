// @ts-check
/**
 * `npm run load`: the long versions of what the tests show briefly. 200,000 messages through one
 * process and what its memory grows by after a tenth of them; 10,000 requests in flight at a server
 * that never answers; 1,000 calls at a server that closes idle connections after 60 ms. Linux.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const MESSAGES = 200_000
const IN_FLIGHT = 10_000
const CALLS = 1_000
const IDLE_MS = 60

const bin = join(fileURLToPath(new URL('../..', import.meta.url)), 'bin', 'bridge.cjs')
const home = mkdtempSync(join(tmpdir(), 'bridge-load-'))
let held = 0
let idleMs = 0

const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
  let body = ''
  request.setEncoding('utf8').on('data', (chunk) => (body += chunk))
  request.on('end', () => {
    const message = body === '' ? {} : JSON.parse(body)
    if (message.params?.name === 'never') {
      held++
      return
    }
    const { socket } = response
    if (idleMs > 0) {
      response.once('finish', () => {
        const timer = setTimeout(() => socket?.destroy(), idleMs)
        socket?.once('data', () => clearTimeout(timer))
      })
    }
    const result =
      message.method === 'initialize'
        ? {
            protocolVersion: '2025-11-25',
            capabilities: {},
            serverInfo: { name: 's', version: '1' },
          }
        : { content: [] }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }))
  })
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
const address = server.address()
if (address === null || typeof address === 'string') throw new Error('no port')
const url = `http://127.0.0.1:${address.port}/mcp`

async function startBridge() {
  const child = spawn(process.execPath, [bin, url], {
    env: { ...process.env, BRIDGE_HOME: home },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let answers = 0
  let errors = 0
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    answers += lines.length
    errors += lines.filter((line) => line.includes('"error":')).length
  })
  /** @param {object[]} messages */
  const write = (messages) => {
    child.stdin.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(''))
  }
  /** @param {() => boolean} done */
  const until = async (done) => {
    while (!done()) await sleep(1)
  }
  const clientInfo = { name: 'load', version: '1' }
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
  write([{ jsonrpc: '2.0', id: 'first', method: 'initialize', params }])
  await until(() => answers === 1)
  return {
    child,
    write,
    until,
    answers: () => answers - 1,
    errors: () => errors,
    memory() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
    },
  }
}

/** @param {number} id @param {string} name */
function call(id, name) {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name } }
}

{
  const bridge = await startBridge()
  const begun = performance.now()
  let warm = 0
  for (let sent = 0; sent < MESSAGES; sent += 50) {
    bridge.write(Array.from({ length: 50 }, (_, index) => call(sent + index, 'x')))
    await bridge.until(() => bridge.answers() === sent + 50)
    if (warm === 0 && sent >= MESSAGES / 10) warm = bridge.memory()
  }
  const seconds = (performance.now() - begun) / 1000
  const growth = bridge.memory() - warm
  process.stdout.write(
    `${MESSAGES} messages in ${seconds.toFixed(0)} s, ${bridge.errors()} errors, ` +
      `memory ${warm.toFixed(0)} MiB and then ${growth.toFixed(1)} MiB more\n`,
  )
  bridge.child.kill('SIGKILL')
}
{
  const bridge = await startBridge()
  bridge.write(Array.from({ length: IN_FLIGHT }, (_, index) => call(index, 'never')))
  await bridge.until(() => held === IN_FLIGHT)
  const memory = bridge.memory()
  const begun = performance.now()
  bridge.child.kill('SIGTERM')
  await new Promise((resolve) => bridge.child.once('close', resolve))
  process.stdout.write(
    `${IN_FLIGHT} in flight: ${memory.toFixed(0)} MiB; ${bridge.answers()} answered at the end, ` +
      `in ${(performance.now() - begun).toFixed(0)} ms\n`,
  )
}
{
  idleMs = IDLE_MS
  const bridge = await startBridge()
  for (let id = 0; id < CALLS; id++) {
    bridge.write([call(id, 'x')])
    await bridge.until(() => bridge.answers() === id + 1)
    await sleep(IDLE_MS - 5 + (id % 8))
  }
  process.stdout.write(
    `idle connections closed at ${IDLE_MS} ms: ${bridge.errors()} of ${CALLS} calls failed\n`,
  )
  bridge.child.kill('SIGKILL')
}
server.close()
server.closeAllConnections()
rmSync(home, { recursive: true, force: true })
