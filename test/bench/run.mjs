// @ts-check
/**
 * `npm run bench [-- --suite start,pipelined] [--candidates floor,bridge] [--rounds N] [--json FILE] [--smoke]`
 *
 * Compares the packed bridge with the floor (floor.mjs), with no bridge at all, mcp-remote and
 * supergateway, in one run, the candidates taking turns. Prints medians and ratios, and what of the
 * targets is met. The figures go to a file, those of other suites in it stay: parts of a run can be
 * taken one by one. `--no-peers` leaves the other programs out. `--write` measures nothing: it puts the
 * figures of the file into the documents. `--smoke` runs everything in small and fails only when
 * something does not work or a message is lost: it judges no time.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { NAMES, prepareCandidates } from './candidates.mjs'
import { writeDocuments } from './documents.mjs'
import { readFigures, storeFigures } from './figures.mjs'
import { measure } from './measure.mjs'
import { suiteText } from './report.mjs'
import { startServer } from './servers.mjs'
import { LOSSES } from './suite.mjs'
import { SUITES } from './suites.mjs'
import { targetsText } from './targets.mjs'

const { values } = parseArgs({
  options: {
    suite: { type: 'string' },
    candidates: { type: 'string' },
    rounds: { type: 'string' },
    'no-peers': { type: 'boolean', default: false },
    json: { type: 'string' },
    smoke: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})

/** What a smoke run does of a full one. */
const SMOKE_SCALE = 0.02

/** How far the far server is. */
const FAR_MS = 40

const file = values.json ?? fileURLToPath(new URL('out/figures.json', import.meta.url))

if (values.write) writeDocuments(readFigures(file))
else await measureAll()

async function measureAll() {
  const begun = performance.now()
  const suites = chosenSuites()
  const root = mkdtempSync(join(tmpdir(), 'bridge-bench-'))
  const { candidates, folder } = await prepareCandidates(chosenNames(), root)
  const near = await startServer(0)
  const far = await startServer(FAR_MS)
  const setting = { near, far, scale: values.smoke ? SMOKE_SCALE : 1 }
  /** @type {import('./report.mjs').Measured[]} */
  const results = []
  /** @type {Map<string, string[]>} */
  const problems = new Map()
  const stored = !values.smoke || values.json !== undefined
  process.stdout.write(`Node ${process.version}, ${process.platform} ${process.arch}\n`)
  try {
    for (const suite of suites) {
      const taking = candidates.filter(({ name }) => suite.only?.includes(name) ?? true)
      const rounds = values.smoke ? 1 : Number(values.rounds ?? suite.rounds)
      const measured = await measure(suite, taking, rounds, setting)
      results.push(measured)
      if (stored) storeFigures(file, measured)
      const found = problemsOf(measured, taking)
      if (found.length > 0) problems.set(suite.name, found)
      const text = suiteText(
        measured,
        taking.map(({ name }) => name),
      )
      process.stdout.write(`\n${text}`)
    }
  } finally {
    near.stop()
    far.stop()
    // Windows keeps what a process had open for a moment after it was killed.
    for (const made of [root, folder]) {
      rmSync(made, { recursive: true, force: true, maxRetries: 10 })
    }
  }
  if (!values.smoke) {
    const table = targetsText(new Map(results.map((measured) => [measured.suite, measured])))
    process.stdout.write(`\nthis run against the targets\n\n${table}`)
  }
  for (const [suite, texts] of problems) {
    for (const text of texts) process.stderr.write(`${suite}, ${text}\n`)
  }
  const minutes = ((performance.now() - begun) / 60_000).toFixed(1)
  process.stdout.write(`\n${minutes} min\n`)
  if (values.smoke) {
    process.stdout.write(`${suites.length - problems.size} passed, ${problems.size} failed\n`)
  }
  process.exitCode = problems.size === 0 ? 0 : 1
}

function chosenSuites() {
  const names = values.suite?.split(',')
  const unknown = names?.filter((name) => SUITES.every((suite) => suite.name !== name)) ?? []
  if (unknown.length > 0) {
    const all = SUITES.map(({ name }) => name).join(', ')
    throw new Error(`no suite ${unknown.join(', ')}; there are ${all}`)
  }
  return SUITES.filter(
    ({ name, online }) => (names?.includes(name) ?? true) && !(values.smoke && online === true),
  )
}

function chosenNames() {
  if (values.candidates !== undefined) return values.candidates.split(',')
  return values.smoke || values['no-peers'] ? NAMES.slice(0, 3) : NAMES
}

/**
 * @param {import('./report.mjs').Measured} measured
 * @param {readonly import('./candidates.mjs').Candidate[]} taking
 */
function problemsOf({ values: figures, failed }, taking) {
  const failures = taking
    .filter(({ name, optional }) => !optional && failed[name] !== undefined)
    .map(({ name }) => `${name}: ${failed[name]}`)
  const losses = LOSSES.filter((figure) =>
    figures[figure]?.['bridge']?.some((count) => count !== 0),
  )
  return [...failures, ...losses.map((figure) => `bridge: ${figure}`)]
}
