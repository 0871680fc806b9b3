// @ts-check

/** Reproducible chance (mulberry32): the same seed gives the same run of choices. */
export function createRandom(/** @type {number} */ seed) {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    /** Whether something of this probability happens. */
    chance: (/** @type {number} */ share) => next() < share,
    /** A whole number from 0 up to, and without, `end`. */
    below: (/** @type {number} */ end) => Math.floor(next() * end),
    /**
     * @template T
     * @param {readonly T[]} items
     * @returns {T}
     */
    pick: (items) => /** @type {T} */ (items[Math.floor(next() * items.length)]),
  }
}
