import { onTestFinished } from 'vitest'
import { openTap, type Tap } from './tap-server.ts'

export type { Tap, Tapped } from './tap-server.ts'

/** A tap that is closed after the test. */
export async function startTap(target: string): Promise<Tap> {
  const tap = await openTap(target)
  onTestFinished(tap.stop)
  return tap
}
