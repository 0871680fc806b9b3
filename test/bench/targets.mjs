// @ts-check
// What the bridge is to reach, and whether it does.
import { medianOf, ratioText, tableText } from './report.mjs'

/** @typedef {ReadonlyMap<string, import('./report.mjs').Measured>} Results by suite */

/**
 * @typedef {object} Target
 * @property {string} what
 * @property {string} suite
 * @property {string} figure
 * @property {boolean} [more] whether more is better
 * @property {number} [floor] what of the yardstick's figure
 * @property {number} [remote] what of mcp-remote's
 * @property {number} [own] the figure itself
 * @property {boolean} [ratio] whether that is a ratio
 */

/** @type {(what: string, suite: string, figure: string) => Target} */
const echo = (what, suite, figure) => ({ what, suite, figure, floor: 1.1, remote: 0.3 })

/** @type {(what: string, suite: string) => Target[]} */
const pushed = (what, suite) => [
  {
    what: `pushed, ${what}: per second`,
    suite,
    figure: 'rate',
    more: true,
    floor: 0.9,
    remote: 25,
  },
  { what: '… lost', suite, figure: 'lost', own: 0 },
  { what: '… out of order', suite, figure: 'disorder', own: 0 },
]

/** @type {readonly Target[]} */
const TARGETS = [
  { what: 'start, time', suite: 'start', figure: 'wall', floor: 1.5, remote: 0.15 },
  { what: '… CPU', suite: 'start', figure: 'cpu', floor: 1.5, remote: 0.15 },
  { what: '… HTTP requests', suite: 'start', figure: 'requests', own: 1 },
  {
    what: 'start with a stored token, time',
    suite: 'start-token',
    figure: 'wall',
    floor: 1.6,
    remote: 0.15,
  },
  { what: '… CPU', suite: 'start-token', figure: 'cpu', floor: 1.6, remote: 0.15 },
  echo('one call at a time, JSON', 'echo-json', 'p50'),
  echo('… event stream', 'echo-sse', 'p50'),
  echo('… HTTP+SSE', 'echo-legacy', 'p50'),
  {
    what: '64 in flight, per second',
    suite: 'pipelined',
    figure: 'rate',
    more: true,
    floor: 1.1,
    remote: 9,
  },
  { what: '… CPU per call', suite: 'pipelined', figure: 'cpu', floor: 0.85, remote: 0.1 },
  ...pushed('GET stream', 'pushed-get'),
  ...pushed('POST stream', 'pushed-post'),
  ...pushed('HTTP+SSE', 'pushed-legacy'),
  {
    what: 'result of 128 MiB, JSON: peak memory',
    suite: 'result-json',
    figure: 'peak',
    floor: 1.15,
    remote: 0.25,
  },
  { what: '… event stream', suite: 'result-sse', figure: 'peak', floor: 1.15, remote: 0.25 },
  { what: 'memory when idle', suite: 'memory', figure: 'idle', floor: 1.3, remote: 0.6 },
  { what: '… ten instances', suite: 'memory', figure: 'ten', floor: 2, remote: 0.3 },
  {
    what: '20 refused tokens at once: refreshes',
    suite: 'refresh-storm',
    figure: 'refreshes',
    own: 1,
  },
  {
    what: 'translated, host of 2025-11-25: one call',
    suite: 'translated-legacy',
    figure: 'ratio',
    own: 1.3,
    ratio: true,
  },
  {
    what: 'translated, host of 2026-07-28: one call',
    suite: 'translated-modern',
    figure: 'ratio',
    own: 1.3,
    ratio: true,
  },
  {
    what: 'messages traced: 64 in flight',
    suite: 'traced-frames',
    figure: 'calls-left',
    more: true,
    own: 0.6,
    ratio: true,
  },
]

const OF = { floor: 'yardstick', remote: 'mcp-remote', own: '' }

/** @type {readonly (keyof typeof OF)[]} */
const KINDS = ['floor', 'remote', 'own']

/** @param {Results} results */
export function targetRows(results) {
  return TARGETS.flatMap((target) =>
    KINDS.flatMap((kind) => {
      const wanted = target[kind]
      return wanted === undefined ? [] : [rowOf(results, target, kind, wanted)]
    }),
  )
}

/** @param {Results} results @param {Target} target @param {keyof typeof OF} kind @param {number} wanted */
function rowOf(results, { what, suite, figure, more = false, ratio = false }, kind, wanted) {
  const measured = results.get(suite)
  const own = medianOf(measured, figure, 'bridge')
  const other = kind === 'remote' ? 'mcp-remote' : 'floor'
  const value = kind === 'own' ? own : own / medianOf(measured, figure, other)
  const text = (/** @type {number} */ number) =>
    kind !== 'own' || ratio ? ratioText(number) : String(number)
  const bound = `${more ? '≥' : '≤'} ${text(wanted)}`
  const head = [what, OF[kind], bound]
  if (!Number.isNaN(value)) return [...head, text(value), verdict(value, wanted, more)]
  const fails = kind === 'remote' && measured?.failed[other] !== undefined
  return [...head, '–', fails && !Number.isNaN(own) ? `${other} fails` : 'not measured']
}

/** @param {number} value @param {number} wanted @param {boolean} more */
function verdict(value, wanted, more) {
  const by = more ? 1 - value / wanted : wanted === 0 ? value : value / wanted - 1
  if (by <= 0) return 'met'
  return wanted === 0 ? `missed by ${value}` : `missed by ${Math.max(1, Math.round(by * 100))} %`
}

const HEADS = ['target', 'beside', 'wanted', 'measured', 'result']

/** @param {Results} results */
export const targetsText = (results) => tableText([HEADS, ...targetRows(results)])
