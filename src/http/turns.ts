/** One request that keeps its place among the others. */
interface Turn {
  /** It is about to be written. False: one before it has not been, and it must wait for `send`. */
  start(send: () => void): boolean
  /** Nobody needs to wait for it any more: it was written, or never will be. */
  end(): void
}

/**
 * The order in which requests are written. Each may go on a connection of its own, and one of them
 * may be gone when its turn comes: then those behind it wait until it has found another.
 */
export interface Turns {
  /** Takes the next place; `undefined` when the message had one before: what goes again is not in order. */
  take(message: object): Turn | undefined
}

interface Place {
  again: (() => void) | undefined
}

/**
 * No request yet. `later` runs its argument when what is being written now has been handed to the
 * system, also when it is in pieces, which undici writes in the microtasks that follow.
 */
export function createTurns(later: (work: () => void) => void = setImmediate): Turns {
  const waiting: Place[] = []
  const served = new WeakSet<object>()

  function leave(place: Place): void {
    const index = waiting.indexOf(place)
    waiting.splice(index, 1)
    const first = waiting[0]
    const again = first?.again
    if (index > 0 || first === undefined || again === undefined) return
    first.again = undefined
    later(again)
  }

  return {
    take(message) {
      if (served.has(message)) return undefined
      served.add(message)
      const place: Place = { again: undefined }
      let over = false
      waiting.push(place)
      function end(): void {
        if (over) return
        over = true
        leave(place)
      }
      return {
        start(send) {
          if (!over && waiting[0] !== place) {
            place.again = send
            return false
          }
          end()
          return true
        },
        end,
      }
    },
  }
}
