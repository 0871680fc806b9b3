// @ts-check
/**
 * `npm run conformance -- [--suite auth] [--requirements 2025-11-25] [--scenario NAME]`: the official
 * conformance suite in its client role against the packed bridge. The suite needs Node 24, which npx
 * brings; the bridge runs under the Node that runs this script. Prints one line per scenario and
 * fails when a check fails that `expected.json` does not list.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SUITE = '@modelcontextprotocol/conformance@0.2.0-alpha.12'

const root = fileURLToPath(new URL('../..', import.meta.url))
const driver = fileURLToPath(new URL('driver.mjs', import.meta.url))
const results = mkdtempSync(join(tmpdir(), 'bridge-conformance-results-'))
/** @type {Record<string, string>} */
const expected = JSON.parse(readFileSync(new URL('expected.json', import.meta.url), 'utf8'))

const built = spawnSync('npm', ['run', 'build'], { cwd: root, encoding: 'utf8' })
if (built.status !== 0) throw new Error(built.stderr)

const chosen = process.argv.slice(2)
const sets =
  chosen.length > 0
    ? [chosen]
    : [
        ['--requirements', '2025-11-25'],
        ['--requirements', '2026-07-28'],
      ]
let passed = 0
let failed = 0
for (const [index, set] of sets.entries()) {
  const out = join(results, String(index))
  const run = spawnSync(
    'npx',
    [
      '-y',
      '-p',
      'node@24',
      '-p',
      SUITE,
      'conformance',
      'client',
      '--command',
      `node ${driver}`,
      '--output-dir',
      out,
      ...set,
    ],
    {
      cwd: root,
      encoding: 'utf8',
      env: {
        ...process.env,
        BRIDGE_BIN: join(root, 'bin', 'bridge.cjs'),
        BRIDGE_NODE: process.execPath,
      },
    },
  )
  process.stdout.write(`${set.join(' ')}\n`)
  report(out, run)
}
rmSync(results, { recursive: true, force: true })
process.stdout.write(`${passed} passed, ${failed} failed\n`)
if (failed > 0 || passed === 0) process.exitCode = 1

/**
 * @param {string} folder
 * @param {import('node:child_process').SpawnSyncReturns<string>} run
 */
function report(folder, run) {
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!file.endsWith('checks.json')) continue
    /** @type {{ id: string, status: string, errorMessage?: string }[]} */
    const checks = JSON.parse(readFileSync(join(folder, file), 'utf8'))
    const good = checks.filter((check) => check.status === 'SUCCESS').length
    const bad = checks.filter((check) => check.status === 'FAILURE')
    process.stdout.write(`  ${file.replace(/\/?checks\.json$/, '')}: ${good} checks passed\n`)
    passed += good
    for (const check of bad) {
      const reason = expected[check.id]
      if (reason === undefined) failed++
      process.stdout.write(
        `    ${reason === undefined ? 'FAILED' : 'expected'} ${check.id}: ${reason ?? check.errorMessage ?? ''}\n`,
      )
    }
  }
  if (run.status !== 0 && failed === 0)
    process.stdout.write(`${run.stdout.slice(-4000)}\n${run.stderr.slice(-4000)}\n`)
}
