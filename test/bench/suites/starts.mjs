// @ts-check
import { INITIALIZE } from '../messages.mjs'

/** @typedef {import('../suite.mjs').StartOptions} StartOptions */
/** @typedef {import('../suite.mjs').Bench} Bench */

/**
 * @param {object} what
 * @param {string} what.name
 * @param {string} what.title
 * @param {string} what.path
 * @param {readonly string[]} [what.only]
 * @param {(bench: Bench) => Promise<StartOptions>} [what.prepare]
 * @returns {import('../suite.mjs').Suite}
 */
const start = ({ name, title, path, only, prepare = async () => ({}) }) => ({
  name,
  title,
  ...(only === undefined ? {} : { only }),
  rounds: 11,
  units: { wall: 'ms', cpu: 'ms', requests: '' },
  async run(bench, figures) {
    const options = await prepare(bench)
    const server = options.far === true ? bench.far : bench.near
    await server.requests()
    const begun = performance.now()
    const host = bench.start(path, options)
    host.write(INITIALIZE)
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
