// @ts-check
/** The one table at the end. */

/** @typedef {import('./verdicts.mjs').Cell} Cell */
/** @typedef {import('./runs.mjs').Run} Run */
/** @typedef {{ run: Run, cells: Map<string, Cell>, stale: string[] }} Judged */

const COLUMNS = /** @type {const} */ (['direct', 'bridge', 'translated'])

/**
 * Prints a row per scenario and a line per kind of run, then the reasons, then what failed, then how many
 * scenarios went through the bridge without a failure: programs can be compared by that, since how many
 * checks a scenario makes depends on what a program does. The last line is `N passed, N failed`, in checks
 * made through the bridge.
 *
 * @param {readonly Judged[]} judged
 * @param {{ compare: boolean, missing: readonly string[] }} options With `compare`, reasons that nothing
 *   needs are no failure: they are about another program. `missing` are scenarios that no run has.
 * @returns {number} How many failed.
 */
export function print(judged, { compare, missing }) {
  /** @type {string[]} */
  const notes = []
  const width = Math.max(...judged.flatMap(({ cells }) => [...cells.keys()].map((n) => n.length)))
  for (const group of new Set(judged.map(({ run }) => run.group))) {
    const members = judged.filter(({ run }) => run.group === group)
    const [first] = members
    const columns = COLUMNS.filter((way) => members.some(({ run }) => run.way === way))
    line(`\n${group}`.padEnd(width + 5), columns.map(title), '')
    const scenarios = new Set(members.flatMap(({ cells }) => [...cells.keys()]))
    for (const scenario of scenarios) {
      const cells = columns.map((way) => cellOf(members, way, scenario))
      line(`  ${scenario}`.padEnd(width + 4), cells.map(figures), verdict(cells, notes))
    }
    const sums = columns.map((way) => sum(members.filter(({ run }) => run.way === way)))
    if (first !== undefined) line('  all'.padEnd(width + 4), sums.map(figures), '')
  }
  say('')
  for (const [index, note] of notes.entries()) say(`[${index + 1}] ${note}`)
  for (const scenario of missing) say(`${scenario}: the suite lists it and no run has it`)
  const failed = printFailures(judged, compare) + missing.length
  const made = judged.filter(({ run }) => run.way !== 'direct')
  const through = sum(made)
  const scenarios = made.flatMap(({ cells }) => Array.from(cells.values()))
  const whole = scenarios.filter((cell) => cell.failed.length === 0)
  say(`\n${whole.length} of ${scenarios.length} scenarios without a failure`)
  say(`${through.passed} passed, ${failed} failed`)
  return failed
}

/**
 * @param {readonly Judged[]} judged
 * @param {boolean} compare
 */
function printFailures(judged, compare) {
  let failed = 0
  for (const { run, cells, stale } of judged) {
    if (cells.size === 0) {
      failed++
      say(`${run.name}: nothing was run`)
    }
    for (const [scenario, cell] of cells) {
      for (const { id, status, errorMessage } of cell.failed) {
        failed++
        say(`${run.name}: ${scenario}: ${id} ${status} ${errorMessage ?? ''}`)
      }
    }
    for (const key of compare ? [] : stale) {
      failed++
      say(`${run.name}: ${key} has a reason in expected.json and does not fail`)
    }
  }
  return failed
}

/** @param {(typeof COLUMNS)[number]} way */
function title(way) {
  return { direct: 'without', bridge: 'bridge', translated: 'other era' }[way]
}

/**
 * @param {readonly Judged[]} members
 * @param {(typeof COLUMNS)[number]} way
 * @param {string} scenario
 */
function cellOf(members, way, scenario) {
  return members.find(({ run }) => run.way === way)?.cells.get(scenario)
}

/** @param {Cell | undefined} cell */
function figures(cell) {
  return cell === undefined ? '-' : `${cell.passed} of ${cell.total}`
}

/**
 * @param {readonly (Cell | undefined)[]} cells
 * @param {string[]} notes Grows by the reasons that are new.
 */
function verdict(cells, notes) {
  const reasons = new Set(cells.flatMap((cell) => cell?.reasons ?? []))
  const marks = [...reasons].map((reason) => {
    if (!notes.includes(reason)) notes.push(reason)
    return ` [${notes.indexOf(reason) + 1}]`
  })
  const bad = cells.some((cell) => (cell?.failed.length ?? 0) > 0)
  return (bad ? 'FAILED' : 'ok') + marks.join('')
}

/**
 * @param {readonly Judged[]} members
 * @returns {Cell}
 */
function sum(members) {
  const cells = members.flatMap((member) => [...member.cells.values()])
  return {
    passed: cells.reduce((all, { passed }) => all + passed, 0),
    total: cells.reduce((all, { total }) => all + total, 0),
    failed: [],
    reasons: [],
  }
}

/**
 * @param {string} name
 * @param {readonly string[]} columns
 * @param {string} last
 */
function line(name, columns, last) {
  say(`${name}${columns.map((column) => column.padEnd(12)).join('')}${last}`.trimEnd())
}

/** @param {string} text */
function say(text) {
  process.stdout.write(`${text}\n`)
}
