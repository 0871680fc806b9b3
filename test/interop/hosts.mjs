// @ts-check
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Longest time for one command of a host; opencode sets up a database first. */
const COMMAND_MS = 120_000

const PACKAGES = [
  '@anthropic-ai/claude-code@2.1.331',
  '@openai/codex@0.169.0',
  '@google/gemini-cli@0.61.0',
  'opencode-ai@1.18.33',
]

/** No other script of all that these packages bring is run: two of them put their program in its place. */
const PLACES_BINARY = ['@anthropic-ai/claude-code/install.cjs', 'opencode-ai/postinstall.mjs']

/**
 * A host, the words that make it list its servers, and what it says when it has reached ours.
 *
 * @typedef {{ id: string, command: string[], stdin?: string[], connected: RegExp }} Host
 * @type {Host[]}
 */
const HOSTS = [
  { id: 'claude-code', command: ['claude', 'mcp', 'list'], connected: /probe: .*✔ Connected/ },
  {
    id: 'codex',
    // `codex mcp list` starts nothing; its server for editors does.
    command: ['codex', 'app-server'],
    stdin: [
      '{"id":0,"method":"initialize","params":{"clientInfo":{"name":"probe","version":"1"}}}',
      '{"method":"initialized"}',
      '{"id":1,"method":"mcpServerStatus/list","params":{}}',
    ],
    connected: /"name":"probe".*"tools":\{"hello"/,
  },
  { id: 'gemini', command: ['gemini', 'mcp', 'list'], connected: /✓ probe: .*Connected/ },
  { id: 'opencode', command: ['opencode', 'mcp', 'list'], connected: /✓ probe .*connected/ },
]

/**
 * Runs a command until it ends or has said what is waited for.
 *
 * @param {string[]} words
 * @param {{ cwd: string, env: NodeJS.ProcessEnv, stdin?: string[], until?: RegExp }} options
 * @returns {Promise<{ code: number | null, output: string }>}
 */
function run([command, ...args], { cwd, env, stdin = [], until }) {
  return new Promise((resolve, reject) => {
    const child = spawn(/** @type {string} */ (command), args, { cwd, env, timeout: COMMAND_MS })
    let output = ''
    /** @param {Buffer} chunk */
    const hear = (chunk) => {
      output += chunk.toString()
      if (until?.test(output)) child.kill()
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output }))
    child.stdin.on('error', () => {}) // it may be gone already
    for (const line of stdin) child.stdin.write(`${line}\n`)
    if (stdin.length === 0) child.stdin.end()
  })
}

/** A server with one tool, which remembers what it was asked. */
async function startServer() {
  /** @type {string[]} */
  const methods = []
  const server = createServer(async (request, response) => {
    if (request.method !== 'POST') {
      response.writeHead(request.method === 'GET' ? 405 : 204).end()
      return
    }
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const message = JSON.parse(Buffer.concat(chunks).toString())
    methods.push(message.method)
    if (message.id === undefined) {
      response.writeHead(202).end()
      return
    }
    const tools = [{ name: 'hello', description: 'Says hello.', inputSchema: { type: 'object' } }]
    /** @type {Record<string, object>} */
    const results = {
      initialize: {
        protocolVersion: message.params?.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: 'probe', version: '1.0.0' },
      },
      'tools/list': { tools },
    }
    const result = results[message.method]
    const answer =
      result === undefined ? { error: { code: -32601, message: 'Method not found' } } : { result }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, ...answer }))
  })
  await /** @type {Promise<void>} */ (
    new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  )
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return { url: `http://127.0.0.1:${port}/mcp`, methods, stop: () => server.close() }
}

/** @param {string} folder */
async function installHosts(folder) {
  const bin = join(folder, 'node_modules', '.bin')
  try {
    await readFile(join(bin, 'opencode'))
    return bin
  } catch {
    // Not there yet.
  }
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{"private":true}')
  const words = ['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', ...PACKAGES]
  const { code, output } = await run(words, { cwd: folder, env: process.env })
  if (code !== 0) return new Error(output)
  for (const script of PLACES_BINARY) {
    const path = join(folder, 'node_modules', script)
    const placed = await run([process.execPath, path], { cwd: dirname(path), env: process.env })
    if (placed.code !== 0) return new Error(placed.output)
  }
  return bin
}

/**
 * Real hosts, from npm, which are 1 GB: `bridge install` puts a server into each, and each has to
 * reach it through the bridge. True when all did.
 *
 * @param {string} bridge The packed bridge.
 * @param {string} [kept] The folder where the hosts are, or are installed and kept.
 */
export async function tryHosts(bridge, kept) {
  const folder = kept ?? (await mkdtemp(join(tmpdir(), 'bridge-interop-')))
  const home = await mkdtemp(join(tmpdir(), 'bridge-home-'))
  const server = await startServer()
  let failures = 0
  try {
    const bin = await installHosts(folder)
    if (bin instanceof Error) {
      console.log(`FAIL the host programs could not be fetched from npm: ${bin.message.trim()}`)
      return false
    }
    const env = { HOME: home, PATH: `${bin}:${dirname(process.execPath)}:${process.env['PATH']}` }
    // Gemini starts no servers in a folder that nobody has said to trust.
    await mkdir(join(home, '.gemini'))
    const trusting = { security: { folderTrust: { enabled: false } } }
    await writeFile(join(home, '.gemini', 'settings.json'), JSON.stringify(trusting))
    const cwd = join(home, 'project')
    await mkdir(cwd)
    for (const { id, command, stdin, connected } of HOSTS) {
      const words = ['install', id, server.url, '--name', 'probe', '--pin-node']
      const installed = await run([process.execPath, bridge, ...words], { cwd, env })
      server.methods.length = 0
      const input = stdin === undefined ? {} : { stdin, until: connected }
      const { output } = await run(command, { cwd, env, ...input })
      // oxlint-disable-next-line no-control-regex -- the colours of a terminal
      const plain = output.replaceAll(/\u001b\[[\d;]*m/g, '')
      const ok = installed.code === 0 && connected.test(plain) && server.methods.length > 0
      const seen = server.methods.join(', ')
      console.log(`${ok ? 'ok  ' : 'FAIL'} ${id}: ${command.join(' ')} → ${seen}`)
      if (ok) continue
      failures++
      console.log(installed.output, plain.slice(-2000))
    }
  } finally {
    server.stop()
    await rm(home, { recursive: true, force: true })
    if (kept === undefined) await rm(folder, { recursive: true, force: true })
  }
  return failures === 0
}
