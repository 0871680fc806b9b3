import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { PROPERTIES } from './table.ts'

test.each(PROPERTIES)(
  '$name',
  async ({ property, runs, tally }) => {
    await fc.assert(property, { numRuns: runs })
    expect(tally?.count ?? runs).toBeGreaterThan(runs * (tally?.atLeast ?? 0))
  },
  60_000,
)
