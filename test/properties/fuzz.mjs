// @ts-check
/**
 * `npm run fuzz -- --seconds N [--seed S] [--only NAME] [--size SIZE]`: runs every property as long as
 * there is time, with larger and larger cases. A failure is printed with its smallest case (`--no-shrink`:
 * the first one) and with the seed and size that repeat it; then the command ends with 1.
 *
 * `npm run fuzz -- --mutations [--only NAME]`: shows that each property can fail (`mutate.mjs`).
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import * as fc from 'fast-check'

/** At `xlarge` most of the time goes into making cases. */
const SIZES = /** @type {const} */ (['small', 'medium', 'large'])

/** A smallest case that takes longer to find is given up. */
const SHRINKING_MS = 60_000

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    only: { type: 'string', default: '' },
    size: { type: 'string' },
    shrink: { type: 'boolean', default: true },
    mutations: { type: 'boolean', default: false },
  },
  allowNegative: true,
})
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const sizes = SIZES.filter((size) => values.size === undefined || values.size === size)
process.chdir(fileURLToPath(new URL('../..', import.meta.url)))
if (values.mutations) {
  const { mutate } = await import('./mutate.mjs')
  process.exit((await mutate(values.only)) ? 0 : 1)
}

// Where what is not bundled is found.
mkdirSync('node_modules/.cache', { recursive: true })
const folder = mkdtempSync(join(process.cwd(), 'node_modules', '.cache', 'fuzz-'))
process.on('exit', () => rmSync(folder, { recursive: true }))

/** @param {string} size @returns {Promise<readonly import('./property.ts').Property[]>} */
async function propertiesOf(size) {
  // How large cases get is settled when their arbitraries are made: the module is run once per size.
  const outfile = join(folder, `${size}.mjs`)
  await build({
    entryPoints: ['test/properties/table.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    external: ['esbuild', 'fast-check'],
    logLevel: 'error',
  })
  const { PROPERTIES } = await import(pathToFileURL(outfile).href)
  return PROPERTIES
}

/**
 * @param {import('./property.ts').Property} property
 * @param {number} ms
 */
async function fuzz({ property, runs }, ms) {
  const end = Date.now() + ms
  let count = 0
  for (let batch = seed; ; batch++) {
    const details = await fc.check(property, {
      seed: batch,
      numRuns: runs,
      endOnFailure: !values.shrink,
      interruptAfterTimeLimit: Math.max(ms, SHRINKING_MS),
    })
    count += details.numRuns
    // A machine so busy that no case was run in time proves nothing.
    if (details.failed && details.counterexample !== null)
      return { count, failure: fc.defaultReportMessage(details), batch }
    if (Date.now() >= end) return { count }
  }
}

/** @type {Map<string, number>} */
const counts = new Map()
/** @type {Set<string>} */
const failed = new Set()
process.stdout.write(`seed ${seed}\n`)
for (const size of sizes) {
  fc.configureGlobal({ baseSize: size })
  const properties = (await propertiesOf(size)).filter(({ name }) => name.includes(values.only))
  const ms = (Number(values.seconds) * 1000) / sizes.length / properties.length
  for (const property of properties) {
    const { name } = property
    if (failed.has(name)) continue
    const { count, failure, batch } = await fuzz(property, ms)
    counts.set(name, (counts.get(name) ?? 0) + count)
    if (failure === undefined) continue
    failed.add(name)
    process.stdout.write(`${name}\n${failure}\nagain: --seed ${batch} --size ${size}\n\n`)
  }
}
for (const [name, count] of counts) {
  const verdict = failed.has(name) ? 'FAILED' : 'passed'
  process.stdout.write(`${verdict}  ${String(count).padStart(8)} runs  ${name}\n`)
}
process.stdout.write(`${counts.size - failed.size} passed, ${failed.size} failed\n`)
if (failed.size > 0 || counts.size === 0) process.exitCode = 1
