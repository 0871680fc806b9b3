// @ts-check
/**
 * `npm run compare:start`: from spawn to the answer of `initialize`, on the same server in the same
 * run: Node alone, the bridge, and mcp-remote 0.15.1 (installed into `test/bench/out` when missing).
 * Prints medians. The candidates take turns, so that a busy machine is unfair to all of them.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installPeer } from './peer.mjs'

const ROUNDS = Number(process.argv[2] ?? 15)

const root = fileURLToPath(new URL('../..', import.meta.url))
const peer = installPeer()

let requests = 0
const server = createServer((request, response) => {
  requests++
  let body = ''
  request.setEncoding('utf8').on('data', (chunk) => (body += chunk))
  request.on('end', () => {
    const message = body === '' ? {} : JSON.parse(body)
    if (message.method !== 'initialize') {
      response.writeHead(request.method === 'POST' ? 202 : 404).end()
      return
    }
    const serverInfo = { name: 'bench', version: '1' }
    const result = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }))
  })
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
const address = server.address()
if (address === null || typeof address === 'string') throw new Error('no port')
const url = `http://127.0.0.1:${address.port}/mcp`

const home = mkdtempSync(join(tmpdir(), 'bridge-bench-'))
/** @type {NodeJS.ProcessEnv} */
const env = { ...process.env, BRIDGE_HOME: home, MCP_REMOTE_CONFIG_DIR: home }
// Reading extra certificates costs 50 ms at every start of Node 20, whatever the program.
delete env['NODE_EXTRA_CA_CERTS']

const initialize = `${JSON.stringify({
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1' },
  },
})}\n`

/**
 * @param {string[]} args
 * @param {boolean} speaks Whether an answer is waited for, or the exit.
 * @returns {Promise<{ ms: number, requests: number }>}
 */
function measure(args, speaks) {
  return new Promise((resolve, reject) => {
    const before = requests
    const begun = performance.now()
    const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'ignore'] })
    let result = { ms: 0, requests: 0 }
    const done = () => {
      result = { ms: performance.now() - begun, requests: requests - before }
    }
    if (speaks) {
      child.stdin.write(initialize)
      child.stdout.once('data', () => {
        done()
        child.kill('SIGKILL')
      })
    }
    child.on('error', reject)
    child.on('close', () => {
      if (!speaks) done()
      if (result.ms === 0) reject(new Error(`no answer from ${args.join(' ')}`))
      else resolve(result)
    })
  })
}

/**
 * @param {string} name
 * @param {string[]} args
 * @param {boolean} speaks
 */
function candidate(name, args, speaks) {
  /** @type {number[]} */
  const times = []
  return { name, args, speaks, times, requests: 0 }
}

const candidates = [
  candidate('node -e 0', ['-e', '0'], false),
  candidate('bridge', [join(root, 'bin', 'bridge.cjs'), url], true),
  candidate('mcp-remote 0.15.1', [peer, url], true),
]

for (let round = 0; round < ROUNDS; round++) {
  for (const entry of candidates) {
    const result = await measure(entry.args, entry.speaks)
    entry.times.push(result.ms)
    entry.requests = result.requests
  }
}
server.close()
server.closeAllConnections()
rmSync(home, { recursive: true, force: true })

process.stdout.write(
  '| spawn → answer of initialize | median | requests before it |\n|---|---|---|\n',
)
for (const { name, times, requests: count } of candidates) {
  const median = times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0
  process.stdout.write(`| ${name} | ${median.toFixed(0)} ms | ${count} |\n`)
}
