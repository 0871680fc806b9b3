// @ts-check
// Runs the packed program under every Node that it is made for: npm run smoke
// The Nodes come from the npm registry; a version that cannot be had counts as failed.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { packAndInstall } from '../support/packed.mjs'

/** The oldest that may run it, the one it is developed with, and what hosts bring. */
const VERSIONS = ['20.18.1', '20.20.2', '22', '24', '26']

/** Downloading a Node takes most of it. */
const DEADLINE_MS = 180_000

const BIG = '12345678901234567890'

const server = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8')
  request.on('data', (chunk) => (body += chunk))
  request.on('end', () => {
    const id = /"id":(\d+)/.exec(body)?.[1]
    const result = body.includes('"initialize"')
      ? '{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"smoke","version":"1"}}'
      : `{"big":${BIG}}`
    response.setHeader('content-type', 'application/json')
    response.end(`{"jsonrpc":"2.0","id":${id},"result":${result}}`)
  })
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())

const { bin, folder } = await packAndInstall()
let failed = 0
for (const version of VERSIONS) {
  const problem = await smoke(version)
  if (problem !== undefined) failed++
  process.stdout.write(
    `${problem === undefined ? 'ok    ' : 'failed'} Node ${version} ${problem ?? ''}\n`,
  )
}
server.close()
await rm(folder, { recursive: true })
process.stdout.write(`${VERSIONS.length - failed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1

/**
 * @param {string} version
 * @returns {Promise<string | undefined>} what is wrong
 */
async function smoke(version) {
  const args = ['-y', '-p', `node@${version}`, 'node', bin, `http://127.0.0.1:${port}/mcp`]
  const child = spawn('npx', args, {
    env: { ...process.env, BRIDGE_HOME: `${folder}/home-${version}` },
    cwd: tmpdir(),
    shell: process.platform === 'win32',
    timeout: DEADLINE_MS,
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk) => (stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk) => (stderr += chunk))
  child.stdin.write(
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"smoke","version":"1"}}}\n',
  )
  child.stdin.end('{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"big"}}\n')
  const [code] = await once(child, 'close')
  if (code !== 0) return `exit code ${code}: ${stderr.trim()}`
  if (!stdout.includes(`"big":${BIG}`)) return `answered ${JSON.stringify(stdout)}`
  return stderr.trim() === '' ? undefined : `said ${stderr.trim()}`
}
