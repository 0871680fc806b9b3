// @ts-check
/**
 * `npm run measure:dpop`: what a proof costs per message (RFC 9449). Relays the same requests through
 * the packed bridge with a bearer token and with a bound one, both stored beforehand, to a server on
 * loopback that checks nothing; prints CPU of the bridge and time per message, best of several runs.
 */
import { spawn } from 'node:child_process'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packAndInstall } from '../support/packed.mjs'

const MESSAGES = 2_000
const RUNS = 3
/** Clock ticks of Linux are hundredths of a second. */
const TICK_MS = 10

const { folder, bin } = await packAndInstall()
const server = createServer((request, response) => {
  let body = ''
  request.on('data', (chunk) => (body += chunk))
  request.on('end', () => {
    if (request.method !== 'POST') return response.writeHead(405).end()
    const { id, method } = JSON.parse(body)
    const result =
      method === 'initialize'
        ? {
            protocolVersion: '2025-11-25',
            capabilities: {},
            serverInfo: { name: 's', version: '1' },
          }
        : { proved: request.headers['dpop'] !== undefined }
    response.writeHead(200, { 'content-type': 'application/json' })
    return response.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
  })
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
const address = /** @type {import('node:net').AddressInfo} */ (server.address())
const url = `http://127.0.0.1:${address.port}/mcp`

/**
 * A home whose record holds a token, bound or not.
 *
 * @param {boolean} bound
 */
function homeWith(bound) {
  const home = mkdtempSync(join(tmpdir(), 'bridge-dpop-'))
  const credentials = join(home, 'data', 'credentials')
  mkdirSync(credentials, { recursive: true, mode: 0o700 })
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { kty, crv, x, y, d } = privateKey.export({ format: 'jwk' })
  const issuer = 'http://127.0.0.1:1'
  const now = Date.now()
  const tokens = {
    accessToken: 'a'.repeat(800),
    expiresAt: now + 3_600_000,
    obtainedAt: now,
    clientId: 'c',
    grant: 'authorization_code',
    ...(bound ? { proofKey: { kty, crv, x, y, d } } : {}),
  }
  const metadata = { issuer, token_endpoint: `${issuer}/token` }
  const record = {
    layout: 1,
    server: url,
    profile: 'default',
    current: issuer,
    issuers: { [issuer]: { metadata, tokens } },
  }
  const identity = JSON.stringify([url, null, 'default'])
  const name = createHash('sha256').update(identity).digest('hex').slice(0, 32)
  writeFileSync(join(credentials, `${name}.json`), JSON.stringify(record), { mode: 0o600 })
  return home
}

/**
 * One run: microseconds of CPU and of time per message.
 *
 * @param {boolean} bound
 * @returns {Promise<{ cpu: number, wall: number }>}
 */
async function run(bound) {
  const home = homeWith(bound)
  const child = spawn(process.execPath, [bin, url], { env: { ...process.env, BRIDGE_HOME: home } })
  let rest = ''
  /** @type {((answer: { id: number, result: { proved?: boolean } }) => void) | undefined} */
  let take
  child.stdout.on('data', (chunk) => {
    rest += chunk
    for (let at = rest.indexOf('\n'); at !== -1; at = rest.indexOf('\n')) {
      const line = rest.slice(0, at)
      rest = rest.slice(at + 1)
      take?.(JSON.parse(line))
    }
  })
  /** @param {number} id @param {string} method @param {object} params */
  const ask = (id, method, params) =>
    new Promise((resolve) => {
      take = resolve
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    })
  const clientInfo = { name: 'bench', version: '1' }
  await ask(0, 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo })
  for (let id = 1; id <= 200; id++) await ask(id, 'tools/list', {})
  const ticks = () => {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return Number(fields[11]) + Number(fields[12])
  }
  const before = ticks()
  const start = performance.now()
  for (let id = 201; id <= 200 + MESSAGES; id++) {
    const { result } = await ask(id, 'tools/list', {})
    if (result.proved !== bound) throw new Error('the proof is not where it belongs')
  }
  const wall = ((performance.now() - start) * 1000) / MESSAGES
  const cpu = ((ticks() - before) * TICK_MS * 1000) / MESSAGES
  child.stdin.end()
  await new Promise((resolve) => child.on('close', resolve))
  rmSync(home, { recursive: true, force: true })
  return { cpu, wall }
}

const best = { bearer: { cpu: Infinity, wall: Infinity }, dpop: { cpu: Infinity, wall: Infinity } }
for (let i = 0; i < RUNS; i++) {
  for (const [name, bound] of /** @type {const} */ ([
    ['bearer', false],
    ['dpop', true],
  ])) {
    const { cpu, wall } = await run(bound)
    best[name] = { cpu: Math.min(best[name].cpu, cpu), wall: Math.min(best[name].wall, wall) }
  }
}
server.close()
rmSync(folder, { recursive: true, force: true })
for (const [name, { cpu, wall }] of Object.entries(best)) {
  process.stdout.write(`${name}: ${cpu.toFixed(0)} µs CPU, ${wall.toFixed(0)} µs per message\n`)
}
process.stdout.write(`a proof costs ${(best.dpop.cpu - best.bearer.cpu).toFixed(0)} µs of CPU\n`)
