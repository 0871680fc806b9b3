import type { Delivery, Outcome } from '../channel.ts'

/** Starts the work of bringing a frame to the server; it calls `onStart` when the next one may follow. */
export function begin(work: (onStart: () => void) => Promise<Outcome>): Delivery {
  let onStart = (): void => {}
  const started = new Promise<void>((resolve) => {
    onStart = resolve
  })
  return { started, done: work(onStart) }
}
