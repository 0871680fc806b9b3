// @ts-check
// The figures that the documents show, between markers. What was not measured stays as it stands there.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { titleOf } from './peers.mjs'
import { cellOf, figureText, medianOf, tableText } from './report.mjs'
import { targetsText } from './targets.mjs'

/** @typedef {import('./targets.mjs').Results} Results */

/**
 * A row of a table: a label, and what is shown behind it.
 *
 * @typedef {object} Row
 * @property {string} label
 * @property {string} suite
 * @property {string} figure
 * @property {string} [unit]
 * @property {string} [fails] what a failure looks like
 */

/** Notifications that do not come at all. */
const NONE = 'none arrive'

/** @type {readonly Row[]} */
const FIGURES = [
  { label: 'start to the first answer, ms', suite: 'start', figure: 'wall' },
  { label: '… CPU, ms', suite: 'start', figure: 'cpu' },
  { label: '… HTTP requests', suite: 'start', figure: 'requests' },
  { label: 'with a stored token, ms', suite: 'start-token', figure: 'wall' },
  { label: 'at a server 40 ms away, ms', suite: 'start-far', figure: 'wall' },
  { label: 'npx with an empty cache, ms', suite: 'npx-cold', figure: 'wall' },
  { label: 'one call at a time, JSON, p50 in ms', suite: 'echo-json', figure: 'p50' },
  { label: 'one call at a time, event stream, p50', suite: 'echo-sse', figure: 'p50' },
  { label: 'one call at a time, HTTP+SSE, p50', suite: 'echo-legacy', figure: 'p50' },
  { label: '64 calls in flight, per second', suite: 'pipelined', figure: 'rate' },
  { label: '… CPU, ms per 1,000', suite: 'pipelined', figure: 'cpu' },
  {
    label: 'pushed notifications, GET stream, per second',
    suite: 'pushed-get',
    figure: 'rate',
    fails: NONE,
  },
  { label: '… CPU, ms per 1,000', suite: 'pushed-get', figure: 'cpu' },
  { label: '… POST stream, per second', suite: 'pushed-post', figure: 'rate', fails: NONE },
  { label: '… HTTP+SSE, per second', suite: 'pushed-legacy', figure: 'rate', fails: NONE },
  { label: 'result of 16 MiB, JSON, ms', suite: 'result-json', figure: 'wall16' },
  { label: '… of 128 MiB, ms', suite: 'result-json', figure: 'wall128' },
  { label: '… of 128 MiB, MiB above idle', suite: 'result-json', figure: 'peak' },
  { label: 'result of 16 MiB, event stream, ms', suite: 'result-sse', figure: 'wall16' },
  { label: '… of 128 MiB, ms', suite: 'result-sse', figure: 'wall128' },
  { label: '… of 128 MiB, MiB above idle', suite: 'result-sse', figure: 'peak' },
  { label: 'request of 16 MiB, ms', suite: 'request', figure: 'wall16' },
  { label: '… of 128 MiB, ms', suite: 'request', figure: 'wall128' },
  { label: '… of 128 MiB, MiB above idle', suite: 'request', figure: 'peak' },
  { label: '200 MB pushed, nobody reads, MiB above idle', suite: 'slow-reader', figure: 'peak' },
  { label: 'memory when idle, MiB', suite: 'memory', figure: 'idle' },
  { label: '… ten instances, MiB', suite: 'memory', figure: 'ten' },
  { label: '… after 200,000 messages, MiB', suite: 'growth', figure: 'after' },
  { label: '20 refused tokens at once, refreshes', suite: 'refresh-storm', figure: 'refreshes' },
]

const PEER_HEADS = [titleOf('mcp-remote'), titleOf('supergateway')]

const FIGURES_OF = ['floor', 'direct', 'bridge', 'mcp-remote', 'supergateway']

/** @type {readonly Row[]} */
const README = [
  {
    label: 'HTTP requests until the host has its first answer',
    suite: 'start',
    figure: 'requests',
  },
  { label: 'Time until then', suite: 'start', figure: 'wall', unit: ' ms' },
  { label: 'The same with a stored sign-in', suite: 'start-token', figure: 'wall', unit: ' ms' },
  { label: 'Calls per second with 64 in flight', suite: 'pipelined', figure: 'rate' },
  { label: 'Pushed notifications per second', suite: 'pushed-get', figure: 'rate', fails: NONE },
  { label: 'Memory when idle', suite: 'memory', figure: 'idle', unit: ' MiB' },
  {
    label: '20 calls at once, their token refused: requests for another',
    suite: 'refresh-storm',
    figure: 'refreshes',
  },
  { label: '… calls that fail', suite: 'refresh-storm', figure: 'lost' },
]

const README_OF = ['bridge', 'mcp-remote', 'supergateway']

/** The places, by document and name. @type {Record<string, Record<string, (results: Results, old: string) => string>>} */
const PLACES = {
  'README.md': { compared: readmeTable },
  'docs/performance.md': { figures: figuresTable, targets: targetsText },
}

/** @param {Results} results */
export function writeDocuments(results) {
  for (const path of Object.keys(PLACES)) {
    const file = fileURLToPath(new URL(`../../${path}`, import.meta.url))
    writeFileSync(file, filled(path, readFileSync(file, 'utf8'), results))
    process.stdout.write(`${path} is written\n`)
  }
}

/**
 * A document with its figures: what stands between `<!-- name: … -->` and `<!-- /name -->` is replaced.
 *
 * @param {string} path
 * @param {string} text
 * @param {Results} results
 */
export function filled(path, text, results) {
  return Object.entries(PLACES[path] ?? {}).reduce((before, [name, make]) => {
    const between = new RegExp(`(<!-- ${name}: [^>]*-->\n\n)([^]*?\n)?(<!-- /${name} -->)`)
    if (!between.test(before)) throw new Error(`${path} has no place for ${name}`)
    return before.replace(
      between,
      (_, head, old = '', tail) => `${head}${make(results, old)}\n${tail}`,
    )
  }, text)
}

/** The cells of a table, its heads and rule left out. @param {string} table */
function rowsOf(table) {
  const lines = table.trim().split('\n')
  return lines.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

/** @param {Results} results @param {string} old */
function readmeTable(results, old) {
  const before = rowsOf(old)
  const rows = README.flatMap((row) => {
    const measured = results.get(row.suite)
    const by = `\`npm run bench -- --suite ${row.suite}\``
    if (measured === undefined) return before.filter(([label]) => label === row.label)
    const cells = README_OF.map((name) => readmeCell(measured, row, name))
    return [[row.label, ...cells, by]]
  })
  const others = before.filter(([label]) => README.every((row) => row.label !== label))
  const heads = ['what is measured', 'bridge', ...PEER_HEADS, 'by']
  return tableText([heads, ...rows, ...others])
}

/** @param {import('./report.mjs').Measured} measured @param {Row} row @param {string} name */
function readmeCell(measured, { figure, unit = '', fails = 'fails' }, name) {
  const value = medianOf(measured, figure, name)
  if (!Number.isNaN(value)) return figureText(value) + unit
  return measured.failed[name] === undefined ? '' : fails
}

/** @param {Results} results @param {string} old */
function figuresTable(results, old) {
  const heads = ['suite', 'yardstick', 'no bridge', 'bridge', ...PEER_HEADS]
  const before = rowsOf(old)
  const rows = FIGURES.map((row, index) => {
    const measured = results.get(row.suite)
    const found = before[index]
    if (!measured && found?.[0] === row.label && found.length === heads.length) return found
    return [row.label].concat(
      FIGURES_OF.map((name) => (measured ? cellOf(measured, row.figure, name, row.fails) : '–')),
    )
  })
  return tableText([heads, ...rows])
}
