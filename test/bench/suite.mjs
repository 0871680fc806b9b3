// @ts-check
// What a suite is, and what several of them need.
import { call, INITIALIZE, INITIALIZED } from './messages.mjs'

/** @typedef {import('./host.mjs').Host} Host */

/**
 * @typedef {object} StartOptions
 * @property {boolean} [far] at the server that is 40 ms away
 * @property {import('./sign-in.mjs').SignIn} [signIn] what is stored beforehand
 * @property {readonly string[]} [args] more arguments, for the bridge alone
 * @property {NodeJS.ProcessEnv} [env] more variables
 */

/**
 * @typedef {object} Bench
 * @property {(path: string, options?: StartOptions) => Host} start starts the candidate against a path of the server
 * @property {(cache: string) => Host} startByNpx the same by npx, with this cache
 * @property {import('./servers.mjs').Server} near
 * @property {import('./servers.mjs').Server} far
 * @property {number} scale 1, or less for a run that only shows that everything works
 * @property {string} home the candidate's own files
 */

/** @typedef {Record<string, number>} Figures */

/**
 * Runs one candidate once and puts its figures into a record as it goes; the runner lets the candidates
 * take turns, and prints medians. A figure that does not apply is `NaN`.
 *
 * @typedef {object} Suite
 * @property {string} name
 * @property {string} title
 * @property {number} rounds
 * @property {readonly string[]} [only] the candidates that it makes sense for
 * @property {boolean} [online] needs the registry: runs when it is asked for, and never in a smoke run
 * @property {Readonly<Record<string, string>>} units by figure
 * @property {(bench: Bench, figures: Figures) => Promise<void>} run
 */

/** Figures that must be 0, for the bridge in every run. */
export const LOSSES = ['lost', 'disorder']

export const MIB = 1024 * 1024

/** @param {Host} host */
export async function open(host) {
  host.write(INITIALIZE)
  await host.lines(1)
  host.write(INITIALIZED)
  return host
}

/** @param {Bench} bench @param {string} path @param {StartOptions} [options] */
export function ready(bench, path, options) {
  return open(bench.start(path, options))
}

/** @param {number[]} values @param {number} share */
export function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}

/**
 * Calls one after the other, each when the one before has been answered.
 *
 * @param {Host} host ready, and with all its answers read
 * @param {number} count
 * @param {(id: number) => string} [message]
 * @returns {Promise<number[]>} milliseconds of each
 */
export async function oneByOne(host, count, message = call) {
  const times = []
  const before = host.count()
  for (let n = 1; n <= count; n++) {
    const begun = performance.now()
    host.write(message(before + n))
    await host.lines(before + n)
    times.push(performance.now() - begun)
  }
  return times
}

/**
 * Calls with 64 in flight.
 *
 * @param {Host} host
 * @param {number} count
 * @returns {Promise<number>} calls per second
 */
export async function inFlight(host, count) {
  const before = host.count()
  let sent = 0
  const send = (/** @type {number} */ n) => {
    let text = ''
    for (let i = 0; i < n && sent < count; i++) text += call(before + ++sent)
    if (text !== '') host.write(text)
  }
  const begun = performance.now()
  host.listen(() => send(1))
  send(64)
  await host.lines(before + count)
  host.listen(undefined)
  return count / ((performance.now() - begun) / 1000)
}
