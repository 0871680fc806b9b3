import type { RawId } from '../frame.ts'
import { ARRIVAL_MS } from '../limits.ts'

/**
 * The requests that the server may not have read yet. Each has a connection of its own, and a server
 * reads its connections in no certain order: of 200 cancellations written right behind their
 * requests two were read first, and then a server ignores them.
 */
export interface Arrivals {
  /** Requests are on their way; call the result when the server answers or never will. */
  expect(ids: ReadonlySet<RawId>): () => void
  /** Settles when the server has the request or has had the time to read it. */
  arrived(id: RawId): Promise<void> | undefined
}

interface Expected {
  readonly since: number
  onArrival?: () => void
}

/** An empty table. */
export function createArrivals(now: () => number = Date.now): Arrivals {
  const expected = new Map<RawId, Expected>()
  return {
    expect(ids) {
      const all = [...ids]
      const entry: Expected = { since: now() }
      for (const id of all) expected.set(id, entry)
      return () => {
        for (const id of all) if (expected.get(id) === entry) expected.delete(id)
        entry.onArrival?.()
      }
    },
    arrived(id) {
      const entry = expected.get(id)
      const left = entry === undefined ? 0 : entry.since + ARRIVAL_MS - now()
      if (entry === undefined || left <= 0) return undefined
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, left)
        entry.onArrival = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    },
  }
}
