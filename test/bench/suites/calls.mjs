// @ts-check
import { inFlight, oneByOne, quantile, ready } from '../suite.mjs'

/** @param {'json' | 'sse' | 'legacy'} mode @param {string} spoken @returns {import('../suite.mjs').Suite} */
export const echo = (mode, spoken) => ({
  name: `echo-${mode}`,
  title: `one call of 1 KiB at a time, ${spoken}`,
  rounds: 5,
  units: { p50: 'ms', p95: 'ms', cpu: 'ms per 1,000' },
  async run(bench, figures) {
    const host = await ready(bench, `/${mode}`)
    await oneByOne(host, Math.ceil(200 * bench.scale))
    const count = Math.ceil(1000 * bench.scale)
    const before = host.usage().cpuMs
    const times = await oneByOne(host, count)
    figures['cpu'] = ((host.usage().cpuMs - before) / count) * 1000
    figures['p50'] = quantile(times, 0.5)
    figures['p95'] = quantile(times, 0.95)
    await host.end()
  },
})

/** @type {import('../suite.mjs').Suite} */
export const pipelined = {
  name: 'pipelined',
  title: '64 calls of 1 KiB in flight',
  rounds: 5,
  units: { rate: 'per s', cpu: 'ms per 1,000' },
  async run(bench, figures) {
    const host = await ready(bench, '/json')
    await inFlight(host, Math.ceil(1000 * bench.scale))
    const count = Math.ceil(10_000 * bench.scale)
    const before = host.usage().cpuMs
    figures['rate'] = await inFlight(host, count)
    figures['cpu'] = ((host.usage().cpuMs - before) / count) * 1000
    await host.end()
  },
}
