import type { Delivery, Outcome } from '../channel.ts'

/** A frame whose way to the server is some work of ours; the next one may follow when it calls `onStart`. */
export function deliver(work: (onStart: () => void) => Promise<Outcome>): Delivery {
  let onStart = (): void => {}
  const started = new Promise<void>((resolve) => {
    onStart = resolve
  })
  return { started, done: work(onStart).finally(onStart) }
}

/** A frame that is over: it needed no server. */
export function answered(): Delivery {
  return { started: Promise.resolve(), done: Promise.resolve('complete') }
}

/** A frame that failed before it had a way of its own. */
export function failed(why: Error): Delivery {
  return { started: Promise.resolve(), done: Promise.reject(why) }
}

/** Goes on with another delivery of the same frame. */
export function follow({ started, done }: Delivery, onStart: () => void): Promise<Outcome> {
  void started.then(onStart)
  return done
}
