// @ts-check

/**
 * Counts what comes to a host, and waits for it.
 *
 * @param {number} deadlineMs nothing is waited for longer
 * @param {() => string} describe what is known when something does not come
 */
export function createTally(deadlineMs, describe) {
  let count = 0
  let wanted = Infinity
  let arrived = () => {}
  /** @type {Error | undefined} */
  let over
  let failed = (/** @type {Error} */ _error) => {}

  return {
    count: () => count,
    /** @param {number} lines */
    add(lines) {
      count += lines
      if (count >= wanted) arrived()
    },
    /** Nothing will come any more. @param {Error} error */
    end(error) {
      over = error
      failed(error)
    },
    /**
     * Waits until so many lines have come since the start.
     *
     * @param {number} target
     * @param {number} [withinMs] a shorter deadline
     * @returns {Promise<void>}
     */
    reach(target, withinMs = deadlineMs) {
      if (count >= target) return Promise.resolve()
      if (over !== undefined) return Promise.reject(over)
      return new Promise((resolve, reject) => {
        const settle = (/** @type {Error | undefined} */ error) => {
          clearTimeout(timer)
          wanted = Infinity
          if (error === undefined) resolve()
          else reject(error)
        }
        const late = () =>
          settle(new Error(`${count} of ${target} lines after ${withinMs} ms; ${describe()}`))
        const timer = setTimeout(late, withinMs)
        arrived = () => settle(undefined)
        failed = settle
        wanted = target
      })
    },
  }
}
