// @ts-check
import { line } from '../messages.mjs'
import { ready } from '../suite.mjs'

/** What does not come at all is not waited for as long as what is slow. */
const FIRST_MS = 10_000

/** @typedef {import('../suite.mjs').Host} Host */

/**
 * Has notifications pushed, behind one that shows that they arrive at all.
 *
 * @param {Host} host ready, and with all its answers read
 * @param {number} count
 * @param {object} [more] parameters of the message that orders them
 */
export async function receive(host, count, more) {
  const first = host.count()
  // The stream that carries them is opened behind the answer to `initialize`.
  host.write(line({ id: 'p1', method: 'x', params: { push: 1, ...more } }))
  await host.lines(first + 2, FIRST_MS)
  const cpuBefore = host.usage().cpuMs
  let next = 0
  let disorder = 0
  let notes = 0
  host.listen((text) => {
    const n = /"n":(\d+)/.exec(text)?.[1]
    if (n === undefined) return
    notes++
    if (Number(n) !== next) disorder++
    next = Number(n) + 1
  })
  const begun = performance.now()
  host.write(line({ id: 'p2', method: 'x', params: { push: count, ...more } }))
  await host.lines(first + count + 3)
  host.listen(undefined)
  const rate = count / ((performance.now() - begun) / 1000)
  const cpu = ((host.usage().cpuMs - cpuBefore) / count) * 1000
  return { rate, cpu, lost: count - notes, disorder }
}

/** @param {'get' | 'post' | 'legacy'} where @param {string} spoken @returns {import('../suite.mjs').Suite} */
export const pushed = (where, spoken) => ({
  name: `pushed-${where}`,
  title: `pushed notifications, ${spoken}`,
  rounds: 3,
  units: { rate: 'per s', cpu: 'ms per 1,000', lost: '', disorder: '' },
  async run(bench, figures) {
    const host = await ready(bench, where === 'legacy' ? '/legacy' : '/json')
    const more = where === 'get' ? { onGet: true } : {}
    Object.assign(figures, await receive(host, Math.ceil(30_000 * bench.scale), more))
    await host.end()
  },
})
