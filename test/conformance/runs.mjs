// @ts-check
/** Which calls of the suite make up a run of the harness. */

const REVISIONS = ['2025-11-25', '2026-07-28']

/**
 * How the suite gets at the Worker in its server role: `direct` without the bridge, `bridge` through
 * it, `translated` through it to an endpoint of the other era.
 *
 * @typedef {'direct' | 'bridge' | 'translated'} Way
 */

/**
 * @typedef {object} Run
 * @property {string} name How `expected.json` and the table call it.
 * @property {import('./suite.mjs').Role} role
 * @property {Way} way
 * @property {string} group Runs of one group are columns of the same rows.
 * @property {string} revision
 * @property {string[]} args
 */

/**
 * @typedef {object} Options
 * @property {string | undefined} [role]
 * @property {string | undefined} [suite]
 * @property {string | undefined} [requirements]
 * @property {string | undefined} [scenario]
 */

/**
 * @param {Options} options
 * @param {Record<import('./suite.mjs').Role, import('./suite.mjs').Scenarios>} listed
 * @returns {Run[]}
 */
export function runsOf(options, listed) {
  const { role, suite, requirements, scenario } = options
  const revisions = REVISIONS.filter((one) => requirements === undefined || one === requirements)
  /** @type {Run[]} */
  const runs = []
  if (role !== 'server') {
    if (scenario !== undefined) runs.push(...clientScenario(scenario, revisions, listed.client))
    else if (suite !== undefined) runs.push(client(suite, suite, ['--suite', suite]))
    else {
      for (const one of revisions) runs.push(client(one, one, ['--requirements', one]))
      if (requirements === undefined) {
        for (const one of ['backcompat', 'extensions']) {
          runs.push(client(one, one, ['--suite', one]))
        }
      }
    }
  }
  if (role !== 'client') {
    for (const one of revisions) {
      if (scenario === undefined) {
        const chosen = suite === undefined ? ['--requirements', one] : ['--suite', suite]
        const version = suite === undefined ? [] : ['--spec-version', one]
        runs.push(...server(one, [...chosen, ...version]))
      } else if (appliesTo(listed.server.get(scenario), one)) {
        runs.push(...server(one, ['--scenario', scenario, '--spec-version', one, '--force']))
      }
    }
  }
  return runs
}

/**
 * The same run with one scenario only.
 *
 * @param {Run} run
 * @param {string} scenario
 * @returns {Run}
 */
export function only(run, scenario) {
  const version = REVISIONS.includes(run.revision) ? ['--spec-version', run.revision] : []
  return { ...run, args: ['--scenario', scenario, '--force', ...version] }
}

/**
 * @param {string} scenario
 * @param {readonly string[]} revisions
 * @param {import('./suite.mjs').Scenarios} listed
 */
function clientScenario(scenario, revisions, listed) {
  const known = listed.get(scenario)
  if (known === undefined) return []
  const args = ['--scenario', scenario]
  if (known.includes('extension')) return [client('extensions', 'extensions', args)]
  if (!known.some((one) => REVISIONS.includes(one)))
    return [client('backcompat', 'backcompat', args)]
  const fitting = revisions.filter((one) => known.includes(one))
  return fitting.map((one) => client(one, one, [...args, '--spec-version', one]))
}

/**
 * Extensions are on no timeline; those of servers exist since 2026-07-28.
 *
 * @param {readonly string[] | undefined} known
 * @param {string} revision
 */
function appliesTo(known, revision) {
  if (known === undefined) return false
  return known.includes(known.includes('extension') ? 'extension' : revision)
}

/**
 * @param {string} name
 * @param {string} revision
 * @param {string[]} args
 * @returns {Run}
 */
function client(name, revision, args) {
  const full = `client ${name}`
  return { name: full, role: 'client', way: 'bridge', group: full, revision, args }
}

/**
 * @param {string} revision
 * @param {string[]} args
 * @returns {Run[]}
 */
function server(revision, args) {
  const group = `server ${revision}`
  /** @type {Record<Way, string>} */
  const names = { direct: `${group} direct`, bridge: group, translated: `${group} translated` }
  return /** @type {Way[]} */ (['direct', 'bridge', 'translated']).map((way) => ({
    name: names[way],
    role: 'server',
    way,
    group,
    revision,
    args,
  }))
}
