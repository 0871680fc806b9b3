import type { Delivery, Outcome } from './channel.ts'

/** Starts the work of bringing a frame to the server; it calls `onStart` when the next one may follow. */
export function begin(work: (onStart: () => void) => Promise<Outcome>): Delivery {
  let onStart = (): void => {}
  const started = new Promise<void>((resolve) => {
    onStart = resolve
  })
  return { started, done: work(onStart) }
}

/** As `begin`, for work that may end without having been on the wire. */
export function perform(work: (onStart: () => void) => Promise<Outcome>): Delivery {
  return begin((onStart) => work(onStart).finally(onStart))
}

/** A frame that is over without having been on its way. */
export function over(): Delivery {
  return { started: Promise.resolve(), done: Promise.resolve('complete') }
}

/** A frame that failed before it was on its way. */
export function failed(reason: Error): Delivery {
  return { started: Promise.resolve(), done: Promise.reject(reason) }
}

/** Goes on with another delivery of the same frame. */
export function follow({ started, done }: Delivery, onStart: () => void): Promise<Outcome> {
  void started.then(onStart)
  return done
}
