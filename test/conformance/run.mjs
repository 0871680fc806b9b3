// @ts-check
/**
 * `npm run conformance -- [--suite auth] [--requirements 2025-11-25] [--scenario NAME]`: the official
 * conformance suite in its client role against the packed bridge. The suite needs Node 24, which npx
 * brings; the bridge runs under the Node that runs this script. Prints one line per scenario and
 * fails when a check fails in a scenario that `expected.json` does not give a reason for.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packAndInstall } from '../support/packed.mjs'

/** The suite runs all scenarios at once, and each is three processes: two cores need their time. */
const SCENARIO_MS = '150000'

const SUITE = '@modelcontextprotocol/conformance@0.2.0-alpha.12'

const root = fileURLToPath(new URL('../..', import.meta.url))
const driver = fileURLToPath(new URL('driver.mjs', import.meta.url))
const results = mkdtempSync(join(tmpdir(), 'bridge-conformance-results-'))
/** @type {Record<string, string>} */
const expected = JSON.parse(readFileSync(new URL('expected.json', import.meta.url), 'utf8'))

const { folder, bin } = await packAndInstall()

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
      '--timeout',
      SCENARIO_MS,
      ...set,
    ],
    {
      cwd: root,
      encoding: 'utf8',
      env: {
        ...process.env,
        BRIDGE_BIN: bin,
        BRIDGE_NODE: process.execPath,
      },
    },
  )
  process.stdout.write(`${set.join(' ')}\n`)
  report(out, run)
}
for (const made of [results, folder]) rmSync(made, { recursive: true, force: true })
process.stdout.write(`${passed} passed, ${failed} failed\n`)
if (failed > 0 || passed === 0) process.exitCode = 1

/**
 * @param {string} output
 * @param {import('node:child_process').SpawnSyncReturns<string>} run
 */
function report(output, run) {
  let scenarios = 0
  for (const file of readdirSync(output, { recursive: true, encoding: 'utf8' }).sort()) {
    const scenario = /^(.+)-\d{4}-\d\d-\d\dT[^/]*\/checks\.json$/.exec(file)?.[1]
    if (scenario === undefined) continue
    scenarios++
    /** @type {{ id: string, status: string, errorMessage?: string }[]} */
    const checks = JSON.parse(readFileSync(join(output, file), 'utf8'))
    const good = checks.filter((check) => check.status === 'SUCCESS')
    const bad = checks.filter((check) => check.status === 'FAILURE')
    passed += good.length
    const reason = expected[scenario]
    const verdict = bad.length === 0 ? 'ok' : reason === undefined ? 'FAILED' : `not yet: ${reason}`
    process.stdout.write(
      `  ${scenario}: ${good.length} of ${good.length + bad.length}, ${verdict}\n`,
    )
    if (bad.length === 0 || reason !== undefined) continue
    failed += bad.length
    for (const { id, errorMessage } of bad)
      process.stdout.write(`    ${id} ${errorMessage ?? ''}\n`)
  }
  if (scenarios > 0) return
  failed++
  process.stdout.write(`${run.stdout.slice(-4000)}\n${run.stderr.slice(-4000)}\n`)
}
