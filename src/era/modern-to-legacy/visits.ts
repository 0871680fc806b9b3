import { PAGE_VISIT_MS } from '../../limits.ts'
import { pause } from '../../pause.ts'

/** Pages that a person has to visit before a call is made again. */
export interface Visits {
  /** A person is done with a page. */
  visited(elicitationId: string): void
  /** Settles when all have been visited, after a while also without a word of the server. */
  done(): Promise<void>
  /** Nobody waits any more. */
  stop(): void
}

/** These pages have to be visited. */
export function expectVisits(elicitationIds: Iterable<string>): Visits {
  const open = new Set(elicitationIds)
  const over = new AbortController()
  return {
    visited(elicitationId) {
      if (open.delete(elicitationId) && open.size === 0) over.abort()
    },
    done: () => pause(PAGE_VISIT_MS, over.signal),
    stop: () => over.abort(),
  }
}
