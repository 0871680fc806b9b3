import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { PROPERTIES } from './table.ts'

test.each(PROPERTIES)(
  '$name',
  async ({ property, runs, tally }) => {
    await fc.assert(property, { numRuns: runs })
    if (tally !== undefined) {
      expect(tally.count, tally.what).toBeGreaterThan(runs * tally.atLeast)
    }
  },
  60_000,
)
