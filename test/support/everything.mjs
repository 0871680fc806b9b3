// @ts-check
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)
const manifest = require.resolve('@modelcontextprotocol/server-everything/package.json')
const script = join(dirname(manifest), 'dist', 'index.js')

/** How the server can be spoken to, and where. */
const PATHS = { streamableHttp: '/mcp', sse: '/sse' }

/** How long it may take to start. */
const START_MS = 20_000

/**
 * `@modelcontextprotocol/server-everything`, which nobody here wrote, in a process of its own.
 *
 * @param {keyof typeof PATHS} mode
 * @returns {Promise<{ url: string, stop(): void }>}
 */
export async function startEverything(mode) {
  const port = await freePort()
  const child = spawn(process.execPath, [script, mode], {
    env: { PATH: process.env['PATH'], PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  const late = AbortSignal.timeout(START_MS)
  child.stderr.on('data', (/** @type {Buffer} */ chunk) => (said += chunk.toString()))
  try {
    while (!said.includes(`port ${port}`)) await once(child.stderr, 'data', { signal: late })
  } catch (error) {
    child.kill('SIGKILL')
    throw new Error(`server-everything did not start\n${said}`, { cause: error })
  }
  return { url: `http://127.0.0.1:${port}${PATHS[mode]}`, stop: () => void child.kill('SIGKILL') }
}

/**
 * The server names its port in advance: one that was free a moment ago.
 *
 * @returns {Promise<number>}
 */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
      server.close(() => resolve(port))
    })
  })
}
