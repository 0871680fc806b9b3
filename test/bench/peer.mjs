// @ts-check
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PEER = 'mcp-remote@0.15.1'

/** The program that the bridge is compared with; installed into `test/bench/out` when missing. */
export function installPeer() {
  const out = fileURLToPath(new URL('out', import.meta.url))
  const peer = join(out, 'node_modules', 'mcp-remote', 'dist', 'proxy.js')
  if (existsSync(peer)) return peer
  mkdirSync(out, { recursive: true })
  writeFileSync(join(out, 'package.json'), '{"private":true}')
  const install = spawnSync('npm', ['install', '--no-audit', '--no-fund', PEER], { cwd: out })
  if (install.status !== 0) throw new Error(`cannot install ${PEER}: ${install.stderr}`)
  return peer
}
