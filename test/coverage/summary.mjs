// @ts-check
import coverage from 'istanbul-lib-coverage'

/** Parts in which an untested branch costs somebody a message or a sign-in. */
const CRITICAL = ['frame', 'relay', 'local', 'remote', 'auth', 'store']
const MIN_BRANCHES = 95

/**
 * @typedef {import('istanbul-lib-coverage').FileCoverage} FileCoverage
 * @typedef {import('istanbul-lib-coverage').CoverageSummary} CoverageSummary
 */

/**
 * One line per part of the source, and one per file for what nothing has run.
 *
 * @param {import('istanbul-lib-coverage').CoverageMap} map
 * @param {(file: string) => string} nameOf path below src
 */
export function summary(map, nameOf) {
  /** @type {Map<string, CoverageSummary>} */
  const parts = new Map()
  const details = []
  for (const file of map.files().sort()) {
    const name = nameOf(file)
    const found = map.fileCoverageFor(file)
    const part = partOf(name)
    const sum = parts.get(part) ?? coverage.createCoverageSummary()
    sum.merge(found.toSummary())
    parts.set(part, sum)
    details.push(...missed(name, found))
  }
  const lines = [...parts].sort().map(([part, sum]) => row(part, sum))
  const poor = CRITICAL.filter((part) => (parts.get(part)?.branches.pct ?? 0) < MIN_BRANCHES)
  const verdict =
    poor.length === 0
      ? `every critical part has ${MIN_BRANCHES} % of its branches`
      : `less than ${MIN_BRANCHES} % of the branches: ${poor.join(', ')}`
  const heading = 'part                      lines         branches'
  const text = [heading, ...lines, verdict].join('\n')
  return { text, details: `${details.join('\n')}\n`, enough: poor.length === 0 }
}

/** The folder that a file counts for, or itself. */
function partOf(/** @type {string} */ name) {
  const file = name.replace(/\.ts$/, '')
  return file.split('/')[0] ?? file
}

/** @param {string} part @param {CoverageSummary} sum */
function row(part, { lines, branches }) {
  const mark = CRITICAL.includes(part) ? '*' : ' '
  return `${mark} ${part.padEnd(22)} ${cell(lines)} ${cell(branches)}`
}

/** @param {{ pct: number, covered: number, total: number }} totals */
function cell({ pct, covered, total }) {
  return `${pct.toFixed(1).padStart(5)} % ${`(${covered}/${total})`.padEnd(13)}`
}

/** @param {string} name @param {FileCoverage} found */
function missed(name, found) {
  const lines = ranges(found.getUncoveredLines().map(Number))
  const branches = Object.entries(found.b).flatMap(([key, hits]) => {
    const { loc, locations } = /** @type {NonNullable<typeof found.branchMap[string]>} */ (
      found.branchMap[key]
    )
    return hits.flatMap((count, arm) => {
      const start = locations[arm]?.start
      return count > 0
        ? []
        : [`${start?.line ?? loc.start.line}:${start?.column ?? loc.start.column}`]
    })
  })
  return [
    ...(lines.length > 0 ? [`${name}: lines ${lines.join(', ')}`] : []),
    ...(branches.length > 0 ? [`${name}: branches ${branches.join(', ')}`] : []),
  ]
}

/** @param {number[]} lines */
function ranges(lines) {
  /** @type {[number, number][]} */
  const found = []
  for (const line of lines.sort((a, b) => a - b)) {
    const last = found.at(-1)
    if (last !== undefined && last[1] === line - 1) last[1] = line
    else found.push([line, line])
  }
  return found.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`))
}
