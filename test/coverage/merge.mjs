// @ts-check

/**
 * @typedef {import('istanbul-lib-coverage').CoverageMap} CoverageMap
 * @typedef {import('istanbul-lib-coverage').FileCoverageData} FileCoverageData
 * @typedef {{ readonly start?: { readonly line?: number, readonly column?: number | null } }} Place
 * @typedef {{ readonly key: string, readonly kind: string, readonly line: number, readonly column: number }} Entry
 */

/** By so many lines a compiler may place the same thing earlier: an `else if` begins behind `else`. */
const MAX_LINES_APART = 1

/**
 * Adds what the program has run to what the unit tests have run. Both come from the same source by
 * different compilers, whose maps agree on where almost every statement and branch starts, and not on
 * where it ends: what is of one kind and starts at the same place is the same. Of the rest, which is
 * 3 % of the branches, what comes next to each other in both is the same. What only the program's map
 * knows is left out.
 *
 * @param {CoverageMap} unit
 * @param {CoverageMap} program
 * @returns {number} the share of the program's branches that have their place
 */
export function addProgram(unit, program) {
  let found = 0
  let all = 0
  for (const file of program.files()) {
    if (!unit.files().includes(file)) continue
    const ours = unit.fileCoverageFor(file).data
    const theirs = program.fileCoverageFor(file).data
    for (const [key, same] of pairs(statements(theirs), statements(ours))) {
      ours.s[same] = (ours.s[same] ?? 0) + (theirs.s[key] ?? 0)
    }
    for (const [key, same] of pairs(functions(theirs), functions(ours))) {
      ours.f[same] = (ours.f[same] ?? 0) + (theirs.f[key] ?? 0)
    }
    const same = pairs(branches(theirs), branches(ours))
    for (const [key, ourKey] of same) {
      const hits = ours.b[ourKey] ?? []
      theirs.b[key]?.forEach((count, arm) => {
        hits[arm] = (hits[arm] ?? 0) + count
      })
    }
    all += Object.keys(theirs.branchMap).length
    found += same.size
  }
  return all === 0 ? 1 : found / all
}

/**
 * Which of ours each of theirs is.
 *
 * @param {readonly Entry[]} theirs
 * @param {readonly Entry[]} ours
 */
function pairs(theirs, ours) {
  const places = new Map(ours.map((entry) => [placeOf(entry), entry]))
  /** @type {Map<string, string>} */
  const same = new Map()
  const left = []
  for (const entry of theirs) {
    const exact = places.get(placeOf(entry))
    if (exact === undefined) left.push(entry)
    else same.set(entry.key, exact.key)
  }
  const taken = new Set(same.values())
  const free = ours.filter(({ key }) => !taken.has(key)).sort(byPlace)
  for (const { key, kind, line } of left.sort(byPlace)) {
    const at = free.findIndex(
      (our) => our.kind === kind && our.line >= line && our.line <= line + MAX_LINES_APART,
    )
    const [next] = at === -1 ? [] : free.splice(at, 1)
    if (next !== undefined) same.set(key, next.key)
  }
  return same
}

/** @param {FileCoverageData} data */
function statements({ statementMap }) {
  return Object.entries(statementMap).map(([key, place]) => entryOf(key, 'statement', place))
}

/** @param {FileCoverageData} data */
function functions({ fnMap }) {
  return Object.entries(fnMap).map(([key, { loc }]) => entryOf(key, 'function', loc))
}

/** @param {FileCoverageData} data */
function branches({ branchMap }) {
  return Object.entries(branchMap).map(([key, { type, loc, locations }]) =>
    entryOf(key, `${type} of ${locations.length}`, loc),
  )
}

/** @param {string} key @param {string} kind @param {Place} place @returns {Entry} */
function entryOf(key, kind, { start }) {
  return { key, kind, line: start?.line ?? 0, column: start?.column ?? 0 }
}

/** @param {Entry} entry */
function placeOf({ kind, line, column }) {
  return `${kind} ${line}:${column}`
}

/** @param {Entry} one @param {Entry} other */
function byPlace(one, other) {
  return one.line - other.line || one.column - other.column
}
