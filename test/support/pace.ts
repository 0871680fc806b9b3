import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** What `node -e 0` takes on a machine that has nothing else to do, with some room. */
const IDLE_START_MS = 100

/**
 * A limit as this machine can keep it now: what is given in milliseconds is for an idle machine, and a busy
 * one gets as many times more as it takes to start Node.
 */
export async function atThisPace(ms: number): Promise<number> {
  const since = performance.now()
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit')
  return ms * Math.max(1, (performance.now() - since) / IDLE_START_MS)
}
