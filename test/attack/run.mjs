// @ts-check
/**
 * `npm run attack [-- --bridge 'COMMAND {url}'] [--only NAME,...] [--json FILE] [--markdown]`
 *
 * Attacks the packed bridge, or any other stdio bridge whose command is given, and prints what held,
 * what broke and why, and what says nothing about the program. Ends with 1 when something broke; for
 * our own program every row has to apply. `--markdown` prints the rows for docs/attacks.md instead.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createVitest } from 'vitest/node'
import { markdown, sorted, tableLine } from './report.mjs'

const { values } = parseArgs({
  options: {
    bridge: { type: 'string' },
    only: { type: 'string' },
    json: { type: 'string' },
    markdown: { type: 'boolean', default: false },
  },
})

/** What is shown of a reason: the first lines say what broke. */
const REASON_CHARS = 300

if (values.bridge !== undefined && !values.bridge.includes('{url}'))
  throw new Error('--bridge needs {url} where the address of the server belongs')
if (values.bridge !== undefined) process.env['ATTACK_BRIDGE'] = values.bridge
if (values.only !== undefined) process.env['ATTACK_ONLY'] = values.only

/**
 * @typedef {import('./attack.ts').AttackMeta & { result: 'held' | 'broken' | 'does not apply', reason: string, ms: number }} Outcome
 */

/** @type {unknown[]} */
const failures = []
const vitest = await createVitest('test', {
  project: ['attack'],
  watch: false,
  passWithNoTests: true,
  reporters: [
    {
      // A word on each row while it goes on; the table comes at the end.
      onTestCaseResult(test) {
        const row = outcomeOf(test)
        if (row !== undefined) process.stderr.write(`${row.result}: ${row.name} ${row.reason}\n`)
      },
      onTestRunEnd: (_modules, errors) => void failures.push(...errors),
    },
  ],
})
try {
  if (values.markdown) await list()
  else await attack()
} finally {
  await vitest.close()
}

async function list() {
  const { testModules } = await vitest.collect()
  const rows = testModules.flatMap((module) =>
    [...module.children.allTests()].map((test) => test.meta().attack),
  )
  process.stdout.write(markdown(rows.filter((row) => row !== undefined)))
}

async function attack() {
  const { testModules } = await vitest.start()
  const outcomes = testModules.flatMap((module) =>
    [...module.children.allTests()].flatMap((test) => outcomeOf(test) ?? []),
  )
  const rows = sorted(outcomes)
  print(rows)
  const broken = rows.filter(({ result }) => result === 'broken').length
  const held = rows.filter(({ result }) => result === 'held').length
  for (const error of failures) process.stdout.write(`${JSON.stringify(error)}\n`)
  for (const module of testModules) {
    for (const error of module.errors()) process.stdout.write(`${error.stack ?? error.message}\n`)
  }
  const failed =
    broken + failures.length + testModules.filter((module) => module.errors().length > 0).length
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`)
  process.stdout.write(
    `\n${rows.length - broken - held} do not apply\n${held} passed, ${failed} failed\n`,
  )
  process.exitCode = failed > 0 || held === 0 ? 1 : 0
}

/** @param {import('vitest/node').TestCase} test @returns {Outcome | undefined} */
function outcomeOf(test) {
  const meta = test.meta().attack
  const result = test.result()
  if (meta === undefined) return undefined
  const ms = Math.round(test.diagnostic()?.duration ?? 0)
  switch (result.state) {
    case 'passed':
      return { ...meta, result: 'held', reason: '', ms }
    case 'skipped': {
      // Our own program has everything that is attacked: a row that says nothing about it is broken.
      const own = values.bridge === undefined
      return { ...meta, result: own ? 'broken' : 'does not apply', reason: result.note ?? '', ms }
    }
    default: {
      const reason = (result.errors ?? []).map(({ message }) => message).join('; ')
      return { ...meta, result: 'broken', reason, ms }
    }
  }
}

/** @param {Outcome[]} rows */
function print(rows) {
  let group
  for (const row of rows) {
    if (row.group !== group) {
      process.stdout.write(
        `\n## ${row.group}\n\n| row | result | s | MiB | reason |\n|---|---|---|---|---|\n`,
      )
    }
    group = row.group
    const { name, result, ms, memoryMiB = 0, reason } = row
    const cells = [
      name,
      result,
      (ms / 1_000).toFixed(1),
      String(memoryMiB),
      reason.slice(0, REASON_CHARS),
    ]
    process.stdout.write(`${tableLine(cells)}\n`)
  }
}
