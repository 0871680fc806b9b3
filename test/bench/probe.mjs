// @ts-check
/**
 * `npm run compare:probe` (after `npm run build`): from spawn to the answer of `server/discover` for a host of 2026-07-28 at a
 * server that is known to have sessions. SDK v2 starts a process for this probe alone, so it is on the
 * way of every start of such a host. Prints medians beside those of Node alone, and the requests that
 * the server has seen; the candidates take turns, so that a busy machine is unfair to all of them.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROUNDS = Number(process.argv[2] ?? 11)
const BIN = fileURLToPath(new URL('../../bin/bridge.cjs', import.meta.url))

let requests = 0
const server = createServer((request, response) => {
  requests++
  request.resume().on('end', () => {
    const error = { code: -32000, message: 'Bad Request: Mcp-Session-Id header is required' }
    response.writeHead(400, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error }))
  })
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
const address = server.address()
if (address === null || typeof address === 'string') throw new Error('no port')
const url = `http://127.0.0.1:${address.port}/mcp`

const home = mkdtempSync(join(tmpdir(), 'bridge-bench-'))
/** @type {NodeJS.ProcessEnv} */
const env = { ...process.env, BRIDGE_HOME: home }
// Reading extra certificates costs 50 ms at every start of Node 20, whatever the program.
delete env['NODE_EXTRA_CA_CERTS']

const probe = `${JSON.stringify({
  jsonrpc: '2.0',
  id: 0,
  method: 'server/discover',
  params: {
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
    },
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
    let ms = 0
    if (speaks) {
      child.stdin.write(probe)
      child.stdout.once('data', () => {
        ms = performance.now() - begun
        child.stdin.end()
      })
    }
    child.on('error', reject)
    child.on('close', () => {
      if (!speaks) ms = performance.now() - begun
      if (ms === 0) reject(new Error(`no answer from ${args.join(' ')}`))
      else resolve({ ms, requests: requests - before })
    })
  })
}

const cold = await measure([BIN, url], true)
/** @type {{ name: string, args: string[], speaks: boolean, times: number[], requests: number }[]} */
const candidates = [
  { name: 'node -e 0', args: ['-e', '0'], speaks: false, times: [], requests: 0 },
  { name: 'bridge, server known', args: [BIN, url], speaks: true, times: [], requests: 0 },
]
for (let round = 0; round < ROUNDS; round++) {
  for (const entry of candidates) {
    const result = await measure(entry.args, entry.speaks)
    entry.times.push(result.ms)
    entry.requests += result.requests
  }
}
server.close()
server.closeAllConnections()
rmSync(home, { recursive: true, force: true })

process.stdout.write(
  '| spawn → answer of server/discover | median | requests |\n|---|---|---|\n' +
    `| bridge, first time | ${cold.ms.toFixed(0)} ms | ${cold.requests} |\n`,
)
for (const { name, times, requests: count } of candidates) {
  const median = times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0
  process.stdout.write(`| ${name} | ${median.toFixed(0)} ms | ${count} |\n`)
}
