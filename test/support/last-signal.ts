import { rmSync } from 'node:fs'

/**
 * What ends a process that a test has left behind. While coverage is measured the program is given
 * the time to write down what ran of it (test/coverage/recorder.cjs).
 */
export const LAST_SIGNAL: NodeJS.Signals =
  process.env['BRIDGE_COVERAGE'] === undefined ? 'SIGKILL' : 'SIGXCPU'

/**
 * Removes the folder of a process that was killed just now: it may still write something into it, and
 * Windows keeps for a moment what it had open.
 */
export function removeHome(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 })
}
