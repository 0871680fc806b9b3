import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { filled } from './documents.mjs'
import { targetRows } from './targets.mjs'

/** A suite with one figure of three programs. */
function measured(suite: string, figure: string, [floor, bridge, remote]: number[]) {
  const values = { [figure]: { floor: [floor!], bridge: [bridge!], 'mcp-remote': [remote!] } }
  const units = { [figure]: 'ms' }
  return { suite, title: suite, when: '', node: '', units, values, failed: {} }
}

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

test('without figures, the README keeps its table as it is', () => {
  const readme = read('README.md')
  expect(filled('README.md', readme, new Map())).toBe(readme)
})

test('figures go to their row of the README, and nothing else changes', () => {
  const readme = read('README.md')
  const results = new Map([['start', measured('start', 'wall', [40, 51, 620])]])
  const lines = filled('README.md', readme, results).split('\n')
  const row =
    /^\| Time until then +\| 51 ms +\| 620 ms +\| +\| `npm run bench -- --suite start` +\|$/
  expect(lines.filter((line) => row.test(line))).toHaveLength(1)
  expect(lines).toHaveLength(readme.split('\n').length)
  expect(lines.filter((line) => line.includes('`npm run faults`'))).toHaveLength(
    readme.split('\n').filter((line) => line.includes('`npm run faults`')).length,
  )
})

test('docs/performance.md has a place for the figures and for the targets', () => {
  const results = new Map([['start', measured('start', 'wall', [40, 51, 620])]])
  const text = filled('docs/performance.md', read('docs/performance.md'), results)
  expect(text).toMatch(/^\| start to the first answer, ms +\| 40 +\| – +\| 51 \(1\.27 ×\) /m)
  expect(text).toMatch(/^\| start, time +\| yardstick +\| ≤ 1\.50 × \| 1\.27 × +\| met /m)
})

test.each([
  { what: 'met', figures: [40, 51, 620], floor: 'met', remote: 'met' },
  { what: 'missed', figures: [40, 90, 300], floor: 'missed by 50 %', remote: 'missed by 100 %' },
  { what: 'not measured', figures: [40, NaN, 620], floor: 'not measured', remote: 'not measured' },
])('a target is $what', ({ figures, floor, remote }) => {
  const results = new Map([['start', measured('start', 'wall', figures)]])
  const rows = targetRows(results).filter(([what]) => what === 'start, time')
  expect(rows.map(([, beside, , , result]) => [beside, result])).toEqual([
    ['yardstick', floor],
    ['mcp-remote', remote],
  ])
})

test('more is better where it is counted per second', () => {
  const rate = measured('pipelined', 'rate', [1000, 880, 100])
  const rows = targetRows(new Map([['pipelined', rate]]))
  expect(rows.filter(([what]) => what === '64 in flight, per second')).toEqual([
    ['64 in flight, per second', 'yardstick', '≥ 1.10 ×', '0.88 ×', 'missed by 20 %'],
    ['64 in flight, per second', 'mcp-remote', '≥ 9.00 ×', '8.80 ×', 'missed by 2 %'],
  ])
})
