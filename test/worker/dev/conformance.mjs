import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startWorker } from './serve.mjs'

// Runs what the official suite requires of a server, for both eras. The suite uses fs.globSync,
// which Node 20 has not; npx fetches the suite and a Node for it.
const SUITE = '@modelcontextprotocol/conformance@0.2.0-alpha.12'
const REVISIONS = ['2025-11-25', '2026-07-28']

const worker = await startWorker({ flavour: 'public' })
// The suite leaves a folder of results where it runs.
const folder = await mkdtemp(join(tmpdir(), 'conformance-'))
try {
  for (const revision of REVISIONS) {
    const suite = ['-y', '-p', 'node@24', '-p', SUITE, 'conformance', 'server']
    const about = ['--url', `${worker.url}/mcp`, '--requirements', revision]
    const child = spawn('npx', [...suite, ...about], { cwd: folder, stdio: 'inherit' })
    const [code] = await once(child, 'close')
    if (code !== 0) process.exitCode = 1
  }
} finally {
  await worker.stop()
  await rm(folder, { recursive: true, force: true })
}
