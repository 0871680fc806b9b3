// @ts-check

/**
 * @typedef {import('istanbul-lib-coverage').FileCoverageData} FileCoverageData
 * @typedef {import('istanbul-lib-coverage').CoverageMap} CoverageMap
 * @typedef {{ readonly start?: { readonly line?: number, readonly column?: number | null } }} Place
 */

/**
 * Adds what the program has run to what the unit tests have run. Both come from the same source by
 * different compilers, whose maps agree on where a statement or a branch starts and not on where it
 * ends: what starts at the same place is the same. What only the program's map knows is left out.
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
    const statements = byPlace(ours.statementMap, (place) => at(place))
    for (const [key, place] of Object.entries(theirs.statementMap)) {
      const same = statements.get(at(place))
      if (same !== undefined) ours.s[same] = (ours.s[same] ?? 0) + (theirs.s[key] ?? 0)
    }
    const functions = byPlace(ours.fnMap, ({ loc }) => at(loc))
    for (const [key, { loc }] of Object.entries(theirs.fnMap)) {
      const same = functions.get(at(loc))
      if (same !== undefined) ours.f[same] = (ours.f[same] ?? 0) + (theirs.f[key] ?? 0)
    }
    const branches = byPlace(ours.branchMap, branchAt)
    for (const [key, branch] of Object.entries(theirs.branchMap)) {
      all++
      const same = branches.get(branchAt(branch))
      const hits = same === undefined ? undefined : ours.b[same]
      if (hits === undefined) continue
      found++
      theirs.b[key]?.forEach((count, arm) => {
        hits[arm] = (hits[arm] ?? 0) + count
      })
    }
  }
  return all === 0 ? 1 : found / all
}

/** @template T @param {Record<string, T>} entries @param {(entry: T) => string} placeOf */
function byPlace(entries, placeOf) {
  return new Map(Object.entries(entries).map(([key, entry]) => [placeOf(entry), key]))
}

/** @param {FileCoverageData['branchMap'][string]} branch */
function branchAt({ type, loc, locations }) {
  return `${type} ${at(loc)} ${locations.length}`
}

/** @param {Place} place */
function at({ start }) {
  return `${start?.line}:${start?.column}`
}
