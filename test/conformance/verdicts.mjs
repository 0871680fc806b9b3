// @ts-check
/**
 * What the results say about the bridge. A check that fails without the bridge is the server's own; a
 * check that passes without it has to pass with it, also when the suite skips it there. Warnings
 * count as failures: they are what the specification says SHOULD be.
 */

/** @typedef {import('./suite.mjs').Check} Check */
/** @typedef {import('./runs.mjs').Run} Run */
/** @typedef {Map<string, Check[]>} Results By scenario. */
/** @typedef {Record<string, Record<string, string>>} Expected Reasons, by run and `scenario` or `scenario:check`. */

/**
 * @typedef {object} Cell
 * @property {number} passed
 * @property {number} total
 * @property {Check[]} failed What nothing excuses.
 * @property {string[]} reasons Why other checks do not pass.
 */

const COUNTED = new Set(['SUCCESS', 'FAILURE', 'WARNING'])

/**
 * @param {Run} run
 * @param {Results} results
 * @param {Results | undefined} direct The same scenarios without the bridge.
 * @param {Expected} expected
 * @returns {{ cells: Map<string, Cell>, stale: string[] }} `stale` names the reasons that nothing needs any more.
 */
export function judge(run, results, direct, expected) {
  const reasons = expected[run.name] ?? {}
  /** What a server that is not ours does without the bridge is its own affair. */
  const foreign = run.way === 'direct' && run.server !== 'worker'
  /** @type {Set<string>} */
  const needed = new Set()
  /** @type {Map<string, Cell>} */
  const cells = new Map()
  for (const [scenario, checks] of results) {
    const before = direct?.get(scenario)
    const counted = checks.filter(({ status }) => COUNTED.has(status))
    const bad = counted.filter(({ status }) => status !== 'SUCCESS')
    const missing = passedOnly(before, counted)
    /** @type {Cell} */
    const cell = {
      passed: counted.length - bad.length,
      total: counted.length + missing.length,
      failed: [],
      reasons: [],
    }
    for (const check of [...bad, ...missing]) {
      if (foreign || failsThere(before, check.id)) continue
      const key = [scenario, `${scenario}:${check.id}`].find((one) => reasons[one] !== undefined)
      if (key === undefined) cell.failed.push(check)
      else {
        needed.add(key)
        cell.reasons.push(reasons[key] ?? '')
      }
    }
    cells.set(scenario, cell)
  }
  for (const scenario of run.covers.filter((one) => !results.has(one))) {
    const errorMessage = 'the suite lists the scenario and has not run it'
    const failed = [{ id: scenario, status: 'MISSING', errorMessage }]
    cells.set(scenario, { passed: 0, total: 1, failed, reasons: [] })
  }
  const stale = Object.keys(reasons).filter(
    (key) => results.has(key.split(':', 1)[0] ?? '') && !needed.has(key),
  )
  return { cells, stale }
}

/**
 * Checks that pass without the bridge and are not even made with it.
 *
 * @param {readonly Check[] | undefined} before
 * @param {readonly Check[]} now
 * @returns {Check[]}
 */
function passedOnly(before, now) {
  const made = new Set(now.map(({ id }) => id))
  const passed = (before ?? []).filter(({ status }) => status === 'SUCCESS')
  const ids = new Set(passed.map(({ id }) => id).filter((id) => !made.has(id)))
  const errorMessage = 'passes without the bridge and is not made with it'
  return [...ids].map((id) => ({ id, status: 'MISSING', errorMessage }))
}

/**
 * @param {readonly Check[] | undefined} before
 * @param {string} id
 */
function failsThere(before, id) {
  const same = (before ?? []).filter((check) => check.id === id && COUNTED.has(check.status))
  return same.some(({ status }) => status !== 'SUCCESS')
}
