// @ts-check
/**
 * `npm run coverage [-- --unit | --report | e2e test files]`: what of the source runs in the unit
 * tests and in every process that the end-to-end tests and the attacks start, as one figure per part.
 * Writes coverage/summary.txt with every line and branch that nothing has run, and ends with 1 when a
 * critical part has less than it must. `--report` sums up again what the last run has left, also of one
 * that was stopped.
 */
import { spawn } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import coverage from 'istanbul-lib-coverage'
import { addProgram } from './merge.mjs'
import { programCoverage } from './program.mjs'
import { summary } from './summary.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const out = join(root, 'coverage')
const raw = join(out, 'raw')

const { values, positionals } = parseArgs({
  options: {
    unit: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
  },
  allowPositionals: true,
})

/** @param {string[]} args @param {NodeJS.ProcessEnv} [env] @returns {Promise<boolean>} */
function vitest(args, env = {}) {
  const child = spawn('npx', ['vitest', 'run', ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: 'inherit',
  })
  return new Promise((resolve) => {
    child.on('close', (code) => resolve(code === 0))
  })
}

let passed = true
if (!values.report) {
  await rm(out, { recursive: true, force: true })
  await mkdir(raw, { recursive: true })
  const provider = ['enabled', 'provider=v8', 'reporter=json', `reportsDirectory=${out}/unit`]
  const sources = ['include=src/**/*.ts', 'exclude=src/trace/report/**', 'reportOnFailure']
  const flags = [...provider, ...sources].map((flag) => `--coverage.${flag}`)
  // Counting slows everything down; a test that waits for the clock is not what is measured here.
  passed = await vitest(['--project', 'unit', '--testTimeout=60000', ...flags])
  if (!values.unit) {
    const counted = { BRIDGE_COVERAGE: raw }
    const e2e = await vitest(['--project', 'e2e', ...positionals], counted)
    passed &&= e2e
    // Whether they hold is none of our business here: counting costs more memory than they allow.
    if (positionals.length === 0) await vitest(['--project', 'attack'], counted)
  }
}

const unit = JSON.parse(await readFile(join(out, 'unit', 'coverage-final.json'), 'utf8'))
const map = coverage.createCoverageMap(unit)
if (!values.unit) {
  const known = addProgram(map, await programCoverage(raw, join(root, 'src')))
  process.stdout.write(`${(known * 100).toFixed(1)} % of the program's branches have their place\n`)
}
const { text, details, enough } = summary(map, (file) => relative(join(root, 'src'), file))
await writeFile(join(out, 'summary.txt'), `${text}\n${details}`)
process.stdout.write(`${text}\nuncovered lines and branches: ${relative(root, out)}/summary.txt\n`)
if (!passed) process.stdout.write('some tests failed: the figures are too low\n')
if (!passed || !enough) process.exitCode = 1
