import { MAX_SUBSCRIBED_RESOURCES } from '../../limits.ts'
import type { Log } from '../../log.ts'
import type { Exchanges } from './exchanges.ts'

/** The resources that the session is subscribed to, for as long as anybody listens. */
export interface Subscriptions {
  /** Subscribes for one more; false when the server refuses, then there is nothing to release. */
  hold(uri: string): Promise<boolean>
  release(uri: string): void
}

interface Entry {
  holders: number
  /** The last request about this resource; the next one waits, so that they do not overtake each other. */
  done: Promise<boolean>
}

/** No subscriptions yet. */
export function createSubscriptions(exchanges: Exchanges, log: Log): Subscriptions {
  const entries = new Map<string, Entry>()

  function ask(method: string, uri: string): Promise<boolean> {
    return exchanges.ask(method, Buffer.from(JSON.stringify({ uri }))).then(
      () => true,
      () => {
        log.state({ part: 'era', what: 'subscription refused', method })
        return false
      },
    )
  }

  function release(uri: string): void {
    const entry = entries.get(uri)
    if (entry === undefined || --entry.holders > 0) return
    entry.done = entry.done.then(async (subscribed) => {
      if (entry.holders > 0) return subscribed
      if (subscribed) await ask('resources/unsubscribe', uri)
      if (entry.holders === 0) entries.delete(uri)
      return false
    })
  }

  return {
    async hold(uri) {
      let entry = entries.get(uri)
      if (entry === undefined) {
        if (entries.size >= MAX_SUBSCRIBED_RESOURCES) return false
        entry = { holders: 0, done: Promise.resolve(false) }
        entries.set(uri, entry)
      }
      entry.holders++
      entry.done = entry.done.then((subscribed) => subscribed || ask('resources/subscribe', uri))
      const subscribed = await entry.done
      if (!subscribed) release(uri)
      return subscribed
    },
    release,
  }
}
