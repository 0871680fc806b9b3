// @ts-check

/** @typedef {import('./candidates.mjs').Candidate} Candidate */
/** @typedef {Pick<import('./suite.mjs').Bench, 'near' | 'far' | 'scale'>} Setting */

/**
 * Lets the candidates take turns in a suite.
 *
 * @param {import('./suite.mjs').Suite} suite
 * @param {readonly Candidate[]} taking
 * @param {number} rounds
 * @param {Setting} setting
 * @returns {Promise<import('./report.mjs').Measured>}
 */
export async function measure({ name: suite, title, units, run }, taking, rounds, setting) {
  const nothing = () => Object.fromEntries(taking.map(({ name }) => [name, []]))
  /** @type {import('./report.mjs').Measured} */
  const measured = {
    suite,
    title,
    when: new Date().toISOString(),
    node: process.version,
    units,
    values: Object.fromEntries(Object.keys(units).map((figure) => [figure, nothing()])),
    failed: {},
  }
  for (let round = 0; round < rounds; round++) {
    // Whoever is first would always come after the one that is last.
    for (const candidate of round % 2 === 0 ? taking : taking.toReversed()) {
      const { name } = candidate
      // A peer that has failed once waits for its deadline each time: minutes of a run for nothing.
      if (measured.failed[name] !== undefined) continue
      /** @type {import('./suite.mjs').Figures} */
      const figures = {}
      const { bench, stop } = benchOf(candidate, setting)
      try {
        await run(bench, figures)
      } catch (error) {
        const [reason = ''] = /** @type {Error} */ (error).message.split('\n', 1)
        measured.failed[name] = reason
        process.stderr.write(`${suite}, ${name}: ${reason}\n`)
      } finally {
        stop()
      }
      for (const [figure, value] of Object.entries(figures)) {
        measured.values[figure]?.[name]?.push(value)
      }
    }
  }
  return measured
}

/** @param {Candidate} candidate @param {Setting} setting */
function benchOf({ start, startByNpx, home }, { near, far, scale }) {
  /** @type {import('./host.mjs').Host[]} */
  const hosts = []
  const kept = (/** @type {import('./host.mjs').Host} */ host) => {
    hosts.push(host)
    return host
  }
  /** @type {import('./suite.mjs').Bench} */
  const bench = {
    near,
    far,
    home,
    scale,
    start: (path, { far: away = false, signIn, args = [], env = {} } = {}) =>
      kept(
        start({
          url: `${(away ? far : near).url}${path}`,
          transport: path === '/legacy' ? 'sse' : 'http',
          signIn,
          args,
          env,
        }),
      ),
    startByNpx(cache) {
      if (startByNpx === undefined) throw new Error('npm does not have it')
      return kept(startByNpx(`${near.url}/json`, cache))
    },
  }
  return { bench, stop: () => hosts.forEach((host) => host.kill()) }
}
