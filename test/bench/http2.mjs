// @ts-check
/**
 * `node test/bench/http2.mjs [messages]`: one bridge (`dist`, so `npm run build` first) and one server
 * on loopback that speaks both versions over TLS; calls one after the other, then 64 at a time. Prints
 * for `--http2 off` and `--http2 auto` the time and the bridge's CPU per call, the best of three runs,
 * and the connections that were made.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const CALLS = Number(process.argv[2] ?? 4000)
const RUNS = 3
const root = fileURLToPath(new URL('../..', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'bridge-bench-'))
const key = join(home, 'key.pem')
const cert = join(home, 'cert.pem')
const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
const files = ['-keyout', key, '-out', cert]
execFileSync('openssl', ['req', '-x509', ...curve, ...files, '-days', '1', ...subject], {
  stdio: 'ignore',
})

let connections = 0
const tls = { key: readFileSync(key), cert: readFileSync(cert), allowHTTP1: true }
const server = createSecureServer(tls, (request, response) => {
  let body = ''
  request.setEncoding('utf8').on('data', (text) => (body += text))
  request.on('end', () => {
    const { id, method } = body === '' ? { id: undefined, method: '' } : JSON.parse(body)
    if (id === undefined) {
      response.writeHead(request.method === 'GET' ? 405 : 202).end()
      return
    }
    const serverInfo = { name: 'bench', version: '1' }
    const introduction = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo }
    const result = method === 'initialize' ? introduction : { content: [] }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
  })
})
server.on('secureConnection', () => connections++)
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
const address = server.address()
if (address === null || typeof address === 'string') throw new Error('no port')
const url = `https://127.0.0.1:${address.port}/mcp`

/**
 * @param {string} http2
 * @param {number} width Calls in flight.
 */
async function measure(http2, width) {
  connections = 0
  const args = [join(root, 'bin', 'bridge.cjs'), url, '--ca', cert, '--http2', http2]
  const env = { ...process.env, BRIDGE_HOME: home }
  const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'inherit'] })
  /** @type {Map<number, () => void>} */
  const waiting = new Map()
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id } = JSON.parse(line)
    waiting.get(id)?.()
    waiting.delete(id)
  })
  let ids = 0
  /** @param {string} method @param {object} params */
  const call = (method, params) =>
    new Promise((resolve) => {
      const id = ids++
      waiting.set(id, () => resolve(undefined))
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    })
  const clientInfo = { name: 'bench', version: '1' }
  await call('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo })
  for (let i = 0; i < 200; i++) await call('tools/call', { name: 'warm' })
  const cpu = cpuMs(child.pid)
  const begun = performance.now()
  let left = CALLS
  const lane = async () => {
    while (left-- > 0) await call('tools/call', { name: 'x' })
  }
  await Promise.all(Array.from({ length: width }, lane))
  const ms = performance.now() - begun
  const used = cpuMs(child.pid) - cpu
  child.kill('SIGKILL')
  return { us: (ms / CALLS) * 1000, cpuUs: (used / CALLS) * 1000, connections }
}

/** proc(5): user and system time in ticks of 10 ms. @param {number | undefined} pid */
function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

process.stdout.write(
  '| in flight | --http2 | µs per call | CPU µs per call | connections |\n|---|---|---|---|---|\n',
)
for (const width of [1, 64]) {
  /** @type {Record<string, Awaited<ReturnType<typeof measure>>[]>} */
  const runs = { off: [], auto: [] }
  for (let run = 0; run < RUNS; run++) {
    for (const http2 of ['off', 'auto']) runs[http2]?.push(await measure(http2, width))
  }
  for (const [http2, results] of Object.entries(runs)) {
    const [best] = results.sort((a, b) => a.us - b.us)
    if (best === undefined) continue
    const figures = [best.us.toFixed(0), best.cpuUs.toFixed(0), best.connections]
    process.stdout.write(`| ${[width, http2, ...figures].join(' | ')} |\n`)
  }
}
server.close()
rmSync(home, { recursive: true, force: true })
process.exit()
