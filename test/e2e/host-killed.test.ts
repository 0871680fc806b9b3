import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, inject, onTestFinished, test } from 'vitest'
import { deletions, startMcpServer } from '../support/mcp-server.ts'
import { until } from '../support/until.ts'

const require = createRequire(import.meta.url)
const hostScript = require.resolve('../support/host.cjs')
const tellPid = require.resolve('../support/preload/tell-pid.cjs')

/** The limit that hosts may rely on. */
const EXIT_AFTER_DEATH_MS = 2_000

/** How hosts start the bridge; `folder` is where the tarball is installed. */
const LAUNCHES: readonly { name: string; command(bin: string, url: string): string[] }[] = [
  { name: 'directly', command: (bin, url) => [process.execPath, bin, url] },
  // What follows the command keeps the shell from becoming the command.
  {
    name: 'through a shell',
    command: (bin, url) => ['sh', '-c', `'${process.execPath}' '${bin}' '${url}'; exit $?`],
  },
  {
    name: 'through npm exec',
    command: (bin, url) => {
      const folder = dirname(dirname(dirname(dirname(bin))))
      return ['npm', 'exec', '--offline', '--prefix', folder, '--', 'bridge', url]
    },
  },
]

test.each(LAUNCHES)(
  'a host that is killed while a sibling holds the pipe takes the bridge with it: $name',
  async ({ command }) => {
    const server = await startMcpServer()
    const { host, bridge } = await startHost(command(inject('bin'), server.url))
    host.kill('SIGKILL')
    await until('the end of the bridge', () => !isAlive(bridge), { ms: EXIT_AFTER_DEATH_MS })
    expect(deletions(server)).toBe(1)
  },
)

test('a bridge whose host lives stays, wrappers and all', async () => {
  const server = await startMcpServer()
  const launch = LAUNCHES[1]!
  const { bridge } = await startHost(launch.command(inject('bin'), server.url))
  // Long enough for two looks at the parents.
  await new Promise((resolve) => {
    setTimeout(resolve, 1_200)
  })
  expect(isAlive(bridge)).toBe(true)
})

/** Starts a host process of its own; settles when its bridge has answered. */
async function startHost(command: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'bridge-host-'))
  const NODE_OPTIONS = `--require ${tellPid}`
  const env = { ...process.env, BRIDGE_HOME: folder, PID_FOLDER: folder, NODE_OPTIONS }
  const host = spawn(process.execPath, [hostScript, ...command], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  host.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const pids: number[] = []
  onTestFinished(() => {
    host.kill('SIGKILL')
    for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  await until('the first answer', () => said.includes('\n'))
  const { sibling } = JSON.parse(said) as { sibling: number }
  const bridge = Number(readFileSync(join(folder, 'bridge.pid'), 'utf8'))
  pids.push(sibling, bridge)
  expect(isAlive(bridge)).toBe(true)
  return { host, bridge }
}

/** Whether a process runs; one that only waits for its parent's attention does not. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    const stat = `/proc/${pid}/stat`
    return !existsSync(stat) || !/\) Z /.test(readFileSync(stat, 'latin1'))
  } catch {
    return false
  }
}
