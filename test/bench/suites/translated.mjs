// @ts-check
import { call, DISCOVER, modernCall } from '../messages.mjs'
import { oneByOne, open, quantile } from '../suite.mjs'

/** @typedef {import('../suite.mjs').Bench} Bench */

/** A host of 2026-07-28 has nothing to begin with but its probe. @param {import('../suite.mjs').Host} host */
async function discover(host) {
  host.write(DISCOVER)
  await host.lines(1)
  return host
}

/** The hosts of the two eras, and the servers that are of theirs. */
const ERAS = {
  legacy: { begin: open, message: call, own: '/json', other: '/modern', spoken: 'of 2025-11-25' },
  modern: {
    begin: discover,
    message: modernCall,
    own: '/modern',
    other: '/json',
    spoken: 'of 2026-07-28',
  },
}

/** @param {keyof typeof ERAS} era @returns {import('../suite.mjs').Suite} */
export function translated(era) {
  const { begin, message, own, other, spoken } = ERAS[era]

  /** The median of calls at a server. @param {Bench} bench @param {string} path @param {readonly string[]} args */
  async function p50(bench, path, args) {
    const host = await begin(bench.start(path, { args }))
    await oneByOne(host, Math.ceil(200 * bench.scale), message)
    const times = await oneByOne(host, Math.ceil(1000 * bench.scale), message)
    await host.end()
    return quantile(times, 0.5)
  }

  return {
    name: `translated-${era}`,
    title: `one call at a time, host ${spoken}: server of its era, server of the other`,
    rounds: 5,
    only: ['bridge'],
    units: { relayed: 'ms', translated: 'ms', ratio: '×' },
    async run(bench, figures) {
      const relayed = await p50(bench, own, [])
      const across = await p50(bench, other, ['--protocol', 'translate'])
      Object.assign(figures, { relayed, translated: across, ratio: across / relayed })
    },
  }
}
