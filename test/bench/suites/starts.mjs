// @ts-check
import { DISCOVER, INITIALIZE } from '../messages.mjs'

/** @typedef {import('../suite.mjs').StartOptions} StartOptions */
/** @typedef {import('../suite.mjs').Bench} Bench */

/** @type {(bench: Bench) => Promise<StartOptions>} */
const nothing = async () => ({})

/**
 * @param {object} what
 * @param {string} what.name
 * @param {string} what.title
 * @param {string} what.path
 * @param {readonly string[]} [what.only]
 * @param {string} [what.message]
 * @param {(bench: Bench) => Promise<StartOptions>} [what.prepare]
 * @returns {import('../suite.mjs').Suite}
 */
const start = ({ name, title, path, only, message = INITIALIZE, prepare = nothing }) => ({
  name,
  title,
  ...(only === undefined ? {} : { only }),
  rounds: 9,
  units: { wall: 'ms', cpu: 'ms', requests: '' },
  async run(bench, figures) {
    const options = await prepare(bench)
    const server = options.far === true ? bench.far : bench.near
    await server.requests()
    const begun = performance.now()
    const host = bench.start(path, options)
    host.write(message)
    await host.lines(1)
    const answered = performance.timeOrigin + performance.now()
    figures['wall'] = answered - performance.timeOrigin - begun
    figures['cpu'] = host.usage().cpuMs
    const requests = await server.requests()
    figures['requests'] = requests.filter(([time]) => time < answered).length
    await host.end()
  },
})

export const near = start({
  name: 'start',
  title: 'cold start to the initialize answer',
  path: '/json',
})

export const signedIn = start({
  name: 'start-token',
  title: 'cold start to the initialize answer, with a stored token',
  path: '/guarded',
  only: ['floor', 'bridge', 'mcp-remote'],
  prepare: async ({ near: server }) => ({ signIn: await server.signIn() }),
})

export const far = start({
  name: 'start-far',
  title: 'cold start to the initialize answer, server 40 ms away',
  path: '/json',
  prepare: async () => ({ far: true }),
})

/** SDK v2 starts a process for this probe alone, so it is on the way of every start of such a host. */
export const probe = start({
  name: 'start-probe',
  title: 'cold start to the answer of server/discover, server known to have sessions',
  path: '/sessions',
  only: ['floor', 'bridge'],
  message: DISCOVER,
  async prepare(bench) {
    const host = bench.start('/sessions')
    host.write(DISCOVER)
    await host.lines(1)
    await host.end()
    return {}
  },
})
