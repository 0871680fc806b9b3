// @ts-check
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { inFlight, ready } from '../suite.mjs'
import { receive } from './pushed.mjs'

/** @typedef {import('../suite.mjs').Bench} Bench */

/** @param {Bench} bench @param {NodeJS.ProcessEnv} env */
async function speeds(bench, env) {
  const host = await ready(bench, '/json', { env })
  await inFlight(host, Math.ceil(1000 * bench.scale))
  const calls = await inFlight(host, Math.ceil(10_000 * bench.scale))
  const { rate: pushes } = await receive(host, Math.ceil(10_000 * bench.scale))
  await host.end()
  return { calls, pushes }
}

/** Counts the records of a run, and makes room for the next. @param {Bench} bench */
function records({ home }) {
  const folder = join(home, 'log')
  const lines = readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'latin1').split('\n').length - 1)
    .reduce((sum, count) => sum + count, 0)
  rmSync(folder, { recursive: true })
  return lines
}

/** @param {'frames' | 'debug'} level @param {string} spoken @returns {import('../suite.mjs').Suite} */
export const traced = (level, spoken) => ({
  name: `traced-${level}`,
  title: `the debug trace, ${spoken}: 64 calls in flight, pushed notifications`,
  rounds: 5,
  only: ['bridge'],
  units: {
    calls: 'per s, no trace',
    'calls-traced': 'per s',
    'calls-left': '×',
    pushes: 'per s, no trace',
    'pushes-traced': 'per s',
    'pushes-left': '×',
    records: '',
  },
  async run(bench, figures) {
    const without = await speeds(bench, {})
    const on = await speeds(bench, { BRIDGE_LOG: level })
    Object.assign(figures, {
      calls: without.calls,
      'calls-traced': on.calls,
      'calls-left': on.calls / without.calls,
      pushes: without.pushes,
      'pushes-traced': on.pushes,
      'pushes-left': on.pushes / without.pushes,
      records: records(bench),
    })
  },
})
