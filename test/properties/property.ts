import type * as fc from 'fast-check'

/**
 * Something that holds for every generated case. It is defined once: the unit tests run a few cases,
 * `npm run fuzz` as many as there is time for. Its checks are those of `node:assert`, because the
 * fuzzer runs without a test runner.
 */
export interface Property {
  readonly name: string
  /** Cases in the unit tests, which have ten seconds for all properties together. */
  readonly runs: number
  readonly property: fc.IRawProperty<unknown>
  /** What a part of the cases must have been, or the property says nothing; counted as they run. */
  readonly tally?: Tally
}

/** How many cases were of the kind that matters. */
export interface Tally {
  readonly what: string
  /** The least share of all cases. */
  readonly atLeast: number
  count: number
}
