// @ts-check
import { line } from '../messages.mjs'
import { MIB, ready } from '../suite.mjs'

/** @typedef {import('../suite.mjs').Bench} Bench */
/** @typedef {import('../suite.mjs').Figures} Figures */

const SIZES_MIB = [1, 16, 128]

const UNITS = { wall1: 'ms', wall16: 'ms', wall128: 'ms', peak: 'MiB above idle, 128 MiB' }

/**
 * One message of each size, each through a process of its own; the smaller ones first, for what fails
 * with one fails with all that are larger.
 *
 * @param {Bench} bench
 * @param {Figures} figures
 * @param {string} path
 * @param {(bytes: number) => Buffer} messageOf what is sent
 */
async function measure(bench, figures, path, messageOf) {
  for (const size of SIZES_MIB) {
    const message = messageOf(Math.ceil(size * bench.scale) * MIB)
    const host = await ready(bench, path)
    const idle = host.usage().rssKiB
    const begun = performance.now()
    host.write(message)
    await host.lines(2)
    figures[`wall${size}`] = performance.now() - begun
    figures['peak'] = size === 128 ? (host.usage().peakKiB - idle) / 1024 : NaN
    await host.end()
  }
}

/** @param {'json' | 'sse'} mode @param {string} spoken @returns {import('../suite.mjs').Suite} */
export const result = (mode, spoken) => ({
  name: `result-${mode}`,
  title: `a result of 1, 16, 128 MiB, ${spoken}`,
  rounds: 3,
  units: UNITS,
  run: (bench, figures) =>
    measure(bench, figures, `/${mode}`, (large) =>
      Buffer.from(line({ id: 1, method: 'x', params: { large } })),
    ),
})

/** @type {import('../suite.mjs').Suite} */
export const request = {
  name: 'request',
  title: 'a request of 1, 16, 128 MiB',
  rounds: 3,
  units: UNITS,
  run: (bench, figures) =>
    measure(bench, figures, '/json', (bytes) =>
      Buffer.from(line({ id: 1, method: 'x', params: { text: 'y'.repeat(bytes) } })),
    ),
}
