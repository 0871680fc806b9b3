// @ts-check
/** Which calls of the suite make up a run of the harness. */

const REVISIONS = ['2025-11-25', '2026-07-28']

/** Extensions are on no timeline; the suite checks those of servers over the wire of this revision. */
const EXTENSION = 'extension'
const EXTENSIONS_OF_SERVERS = '2026-07-28'

/**
 * How the suite gets at a server in its server role: `direct` without the bridge, `bridge` through it,
 * `translated` through it to an endpoint of the other era.
 *
 * @typedef {'direct' | 'bridge' | 'translated'} Way
 */

/** @typedef {'worker' | 'everything'} Server The companion Worker, or `server-everything`. */

/** @typedef {import('./suite.mjs').Role} Role */

/**
 * @typedef {object} Run
 * @property {string} name How `expected.json` and the table call it.
 * @property {Role} role
 * @property {Server} server Whom the suite meets in its server role.
 * @property {Way} way
 * @property {string} group Runs of one group are columns of the same rows.
 * @property {string} revision
 * @property {string[]} args
 * @property {string[]} covers What has to be run, also when the suite's own choice does not have it.
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
 * @param {Record<Role, import('./suite.mjs').Scenarios>} listed
 * @returns {Run[]}
 */
export function runsOf(options, listed) {
  const { role, suite, requirements, scenario } = options
  const revisions = REVISIONS.filter((one) => requirements === undefined || one === requirements)
  /** @type {Run[]} */
  const runs = []
  if (role !== 'server') {
    if (scenario !== undefined) runs.push(...clientScenario(scenario, revisions, listed.client))
    else if (suite !== undefined) runs.push(client(suite, ['--suite', suite]))
    else {
      for (const one of revisions) {
        runs.push(client(one, ['--requirements', one], namesOf(listed.client, one)))
      }
      if (requirements === undefined) {
        const others = namesOf(listed.client, 'backcompat')
        runs.push(client('backcompat', ['--suite', 'backcompat'], others))
        const extensions = namesOf(listed.client, EXTENSION)
        runs.push(client('extensions', ['--suite', 'extensions'], extensions))
      }
    }
  }
  if (role !== 'client') {
    for (const one of revisions) {
      if (scenario !== undefined) {
        if (!appliesTo(listed.server.get(scenario), one)) continue
        runs.push(...server(one, ['--scenario', scenario, '--spec-version', one, '--force']))
      } else if (suite === undefined) {
        const extensions = one === EXTENSIONS_OF_SERVERS ? namesOf(listed.server, EXTENSION) : []
        const covers = [...namesOf(listed.server, one), ...extensions]
        runs.push(...server(one, ['--requirements', one], covers))
      } else runs.push(...server(one, ['--suite', suite, '--spec-version', one]))
    }
    if (scenario === undefined && suite === undefined && revisions.includes('2025-11-25')) {
      runs.push(...everything())
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
  return { ...run, args: ['--scenario', scenario, '--force', ...version], covers: [] }
}

/**
 * Scenarios that the suite lists and no run has.
 *
 * @param {readonly Run[]} runs
 * @param {Record<Role, import('./suite.mjs').Scenarios>} listed
 * @returns {string[]}
 */
export function forgotten(runs, listed) {
  return /** @type {Role[]} */ (['client', 'server']).flatMap((role) => {
    const covered = new Set(runs.flatMap((run) => (run.role === role ? run.covers : [])))
    return [...listed[role].keys()].filter((name) => !covered.has(name))
  })
}

/**
 * @param {import('./suite.mjs').Scenarios} listed
 * @param {string} label A revision, `extension`, or `backcompat` for what only older revisions have.
 */
function namesOf(listed, label) {
  const isOld = (/** @type {string[]} */ of) =>
    !of.some((one) => one === EXTENSION || REVISIONS.includes(one))
  return [...listed].flatMap(([name, of]) =>
    (label === 'backcompat' ? isOld(of) : of.includes(label)) ? [name] : [],
  )
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
  if (known.includes(EXTENSION)) return [client('extensions', args)]
  if (!known.some((one) => REVISIONS.includes(one))) return [client('backcompat', args)]
  const fitting = revisions.filter((one) => known.includes(one))
  return fitting.map((one) => client(one, [...args, '--spec-version', one]))
}

/**
 * @param {readonly string[] | undefined} known
 * @param {string} revision
 */
function appliesTo(known, revision) {
  if (known?.includes(EXTENSION) === true) return revision === EXTENSIONS_OF_SERVERS
  return known?.includes(revision) === true
}

/**
 * @param {string} name
 * @param {string[]} args
 * @param {string[]} covers
 * @returns {Run}
 */
function client(name, args, covers = []) {
  const full = `client ${name}`
  return {
    name: full,
    role: 'client',
    server: 'worker',
    way: 'bridge',
    group: full,
    revision: name,
    args,
    covers,
  }
}

/**
 * @param {string} revision
 * @param {string[]} args
 * @param {string[]} covers
 * @returns {Run[]}
 */
function server(revision, args, covers = []) {
  const group = `server ${revision}`
  /** @type {Record<Way, string>} */
  const names = { direct: `${group} direct`, bridge: group, translated: `${group} translated` }
  return /** @type {Way[]} */ (['direct', 'bridge', 'translated']).map((way) => ({
    name: names[way],
    role: 'server',
    server: 'worker',
    way,
    group,
    revision,
    args,
    covers,
  }))
}

/**
 * The suite's own reference server is not in its package; this is the reference server that npm has.
 * It knows sessions only, and few of the tools that the suite looks for.
 *
 * @returns {Run[]}
 */
function everything() {
  const group = 'server-everything 2025-11-25'
  return /** @type {Way[]} */ (['direct', 'bridge']).map((way) => ({
    name: way === 'direct' ? `${group} direct` : group,
    role: 'server',
    server: 'everything',
    way,
    group,
    revision: '2025-11-25',
    args: ['--requirements', '2025-11-25'],
    covers: [],
  }))
}
