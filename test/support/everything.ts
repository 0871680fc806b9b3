import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { createServer, type AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { until } from './until.ts'

const require = createRequire(import.meta.url)
const manifest = require.resolve('@modelcontextprotocol/server-everything/package.json')
const script = join(dirname(manifest), 'dist', 'index.js')

/** How the server can be spoken to, and where. */
const PATHS = { streamableHttp: '/mcp', sse: '/sse' } as const

/** `@modelcontextprotocol/server-everything`, which nobody here wrote, in a process of its own. */
export async function startEverything(
  mode: keyof typeof PATHS,
): Promise<{ url: string; stop(): void }> {
  const port = await freePort()
  const child = spawn(process.execPath, [script, mode], {
    env: { PATH: process.env['PATH'], PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await until('server-everything', () => said.includes(`port ${port}`), { seen: () => said })
  return { url: `http://127.0.0.1:${port}${PATHS[mode]}`, stop: () => void child.kill('SIGKILL') }
}

/** The server names its port in advance: one that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
