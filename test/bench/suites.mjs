// @ts-check
// What is measured. Every suite runs one candidate once and returns its figures; the runner lets the
// candidates take turns and prints medians.
import { call, INITIALIZE, INITIALIZED, line } from './host.mjs'

/**
 * @typedef {object} Bench
 * @property {(path: string) => import('./host.mjs').Host} start starts the candidate against a path of the server
 * @property {() => Promise<number>} requests HTTP requests since the last question
 * @property {number} scale 1, or less for a run that only shows that everything works
 */

/**
 * @typedef {object} Suite
 * @property {string} name
 * @property {string} title
 * @property {number} rounds
 * @property {Readonly<Record<string, string>>} units by figure
 * @property {(bench: Bench) => Promise<Record<string, number>>} run
 */

const MIB = 1024 * 1024

/** @param {Bench} bench @param {string} path */
async function ready(bench, path) {
  const host = bench.start(path)
  host.write(INITIALIZE)
  await host.lines(1)
  host.write(INITIALIZED)
  return host
}

/** @param {number[]} values @param {number} share */
function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}

/** @param {string} mode @returns {Suite} */
const start = (mode) => ({
  name: `start-${mode}`,
  title: `cold start to the initialize answer${mode === 'far' ? ', server 40 ms away' : ''}`,
  rounds: 11,
  units: { wall: 'ms', cpu: 'ms', requests: '' },
  async run(bench) {
    await bench.requests()
    const begun = performance.now()
    const host = bench.start(mode === 'far' ? '/far/json' : '/json')
    host.write(INITIALIZE)
    await host.lines(1)
    const wall = performance.now() - begun
    const { cpuMs: cpu } = host.usage()
    const requests = await bench.requests()
    await host.end()
    return { wall, cpu, requests }
  },
})

/** @param {string} mode @returns {Suite} */
const echo = (mode) => ({
  name: `echo-${mode}`,
  title: `sequential echo of 1 KiB, ${mode}`,
  rounds: 5,
  units: { p50: 'ms', p95: 'ms', cpu: 'ms per 1,000' },
  async run(bench) {
    const host = await ready(bench, `/${mode}`)
    const warm = Math.ceil(200 * bench.scale)
    const count = Math.ceil(1000 * bench.scale)
    const times = []
    let before = host.usage().cpuMs
    for (let n = 1; n <= warm + count; n++) {
      if (n === warm + 1) before = host.usage().cpuMs
      const begun = performance.now()
      host.write(call(n))
      await host.lines(n + 1)
      if (n > warm) times.push(performance.now() - begun)
    }
    const cpu = ((host.usage().cpuMs - before) / count) * 1000
    await host.end()
    return { p50: quantile(times, 0.5), p95: quantile(times, 0.95), cpu }
  },
})

/** @type {Suite} */
const pipelined = {
  name: 'pipelined',
  title: '64 calls in flight',
  rounds: 5,
  units: { rate: 'per s', cpu: 'ms per 1,000' },
  async run(bench) {
    const host = await ready(bench, '/json')
    const warm = Math.ceil(1000 * bench.scale)
    const count = Math.ceil(10_000 * bench.scale)
    await inFlight(host, 1, warm)
    const before = host.usage().cpuMs
    const begun = performance.now()
    await inFlight(host, warm + 1, count)
    const seconds = (performance.now() - begun) / 1000
    const cpu = ((host.usage().cpuMs - before) / count) * 1000
    await host.end()
    return { rate: count / seconds, cpu }
  },
}

/** @param {import('./host.mjs').Host} host @param {number} from @param {number} count */
async function inFlight(host, from, count) {
  const goal = host.count() + count
  let sent = 0
  const send = (/** @type {number} */ n) => {
    let text = ''
    for (let i = 0; i < n && sent < count; i++) text += call(from + sent++)
    if (text !== '') host.write(text)
  }
  host.listen(() => send(1))
  send(64)
  await host.lines(goal)
  host.listen(undefined)
}

/** @param {'get' | 'post' | 'legacy'} where @returns {Suite} */
const pushed = (where) => ({
  name: `pushed-${where}`,
  title: `pushed notifications, ${where} stream`,
  rounds: 5,
  units: { rate: 'per s', cpu: 'ms per 1,000', lost: '', disorder: '' },
  async run(bench) {
    const host = await ready(bench, where === 'legacy' ? '/legacy' : '/json')
    const count = Math.ceil(30_000 * bench.scale)
    let next = 0
    let disorder = 0
    let notes = 0
    // The stream that carries them is opened behind the answer to `initialize`.
    const probe = line({
      id: 1,
      method: 'x',
      params: { push: 1, onGet: where === 'get' || undefined },
    })
    host.write(probe)
    await host.lines(3)
    const before = host.usage().cpuMs
    host.listen((text) => {
      const n = /"n":(\d+)/.exec(text)?.[1]
      if (n === undefined) return
      notes++
      if (Number(n) !== next) disorder++
      next = Number(n) + 1
    })
    const begun = performance.now()
    const params = { push: count, ...(where === 'get' && { onGet: true }) }
    host.write(line({ id: 2, method: 'x', params }))
    await host.lines(count + 4)
    const seconds = (performance.now() - begun) / 1000
    const cpu = ((host.usage().cpuMs - before) / count) * 1000
    await host.end()
    return { rate: count / seconds, cpu, lost: count - notes, disorder }
  },
})

/** @param {'json' | 'sse'} mode @returns {Suite} */
const large = (mode) => ({
  name: `large-${mode}`,
  title: `a result of 128 MiB, ${mode}`,
  rounds: 3,
  units: { wall: 'ms', peak: 'MiB above idle' },
  async run(bench) {
    const host = await ready(bench, `/${mode}`)
    const idle = host.usage().rssKiB
    const begun = performance.now()
    host.write(line({ id: 1, method: 'x', params: { large: Math.ceil(128 * bench.scale) * MIB } }))
    await host.lines(2)
    const wall = performance.now() - begun
    const peak = (host.usage().peakKiB - idle) / 1024
    await host.end()
    return { wall, peak }
  },
})

/** @type {Suite} */
const request = {
  name: 'large-request',
  title: 'a request of 64 MiB',
  rounds: 3,
  units: { wall: 'ms', peak: 'MiB above idle' },
  async run(bench) {
    const host = await ready(bench, '/json')
    const idle = host.usage().rssKiB
    const text = 'y'.repeat(Math.ceil(64 * bench.scale) * MIB)
    const message = Buffer.from(line({ id: 1, method: 'x', params: { text } }))
    const begun = performance.now()
    host.write(message)
    await host.lines(2)
    const wall = performance.now() - begun
    const peak = (host.usage().peakKiB - idle) / 1024
    await host.end()
    return { wall, peak }
  },
}

/** @type {Suite} */
const slow = {
  name: 'slow-reader',
  title: '100 MB pushed while the host does not read for 3 s',
  rounds: 1,
  units: { peak: 'MiB above idle' },
  async run(bench) {
    const host = await ready(bench, '/json')
    const idle = host.usage().rssKiB
    const count = Math.ceil(320_000 * bench.scale)
    host.pause()
    host.write(line({ id: 1, method: 'x', params: { push: count } }))
    await new Promise((resolve) => setTimeout(resolve, 3000 * bench.scale))
    const peak = (host.usage().peakKiB - idle) / 1024
    host.resume()
    await host.lines(count + 2)
    await host.end()
    return { peak }
  },
}

/** @type {Suite} */
const memory = {
  name: 'memory',
  title: 'memory: idle, ten instances, growth over many messages',
  rounds: 1,
  units: { idle: 'MiB RSS', ten: 'MiB PSS', growth: 'MiB' },
  async run(bench) {
    const hosts = await Promise.all(Array.from({ length: 10 }, () => ready(bench, '/json')))
    const [first] = hosts
    if (first === undefined) throw new Error('no instance')
    const idle = first.usage().rssKiB / 1024
    const ten = hosts.reduce((sum, host) => sum + host.usage().pssKiB, 0) / 1024
    await Promise.all(hosts.slice(1).map((host) => host.end()))
    await inFlight(first, 1, Math.ceil(20_000 * bench.scale))
    const before = first.usage().rssKiB
    await inFlight(first, 1_000_000, Math.ceil(40_000 * bench.scale))
    const growth = (first.usage().rssKiB - before) / 1024
    await first.end()
    return { idle, ten, growth }
  },
}

/** @type {readonly Suite[]} */
export const SUITES = [
  start('near'),
  start('far'),
  echo('json'),
  echo('sse'),
  echo('legacy'),
  pipelined,
  pushed('get'),
  pushed('post'),
  pushed('legacy'),
  large('json'),
  large('sse'),
  request,
  slow,
  memory,
]
