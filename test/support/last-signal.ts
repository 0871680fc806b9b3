import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'

/**
 * What ends a process that a test has left behind. While coverage is measured the program is given
 * the time to write down what ran of it (test/coverage/recorder.cjs).
 */
const LAST_SIGNAL: NodeJS.Signals =
  process.env['BRIDGE_COVERAGE'] === undefined ? 'SIGKILL' : 'SIGXCPU'

/** Longer than a program takes to write that down; one that was stopped never does. */
const LAST_WORDS_MS = 5_000

/** Ends a process that a test has left behind; settles when it is gone, and writes nothing any more. */
export async function endLeftBehind(child: ChildProcess, group = false): Promise<void> {
  const { pid } = child
  if (pid === undefined) return
  const end = (signal: NodeJS.Signals): void => {
    try {
      process.kill(group ? -pid : pid, signal)
    } catch {} // it has gone by itself meanwhile
  }
  const isGone = child.exitCode !== null || child.signalCode !== null
  if (isGone) return group ? end('SIGKILL') : undefined
  const gone = once(child, 'exit')
  end(LAST_SIGNAL)
  const timer = setTimeout(end, LAST_WORDS_MS, 'SIGKILL')
  await gone
  clearTimeout(timer)
}

/**
 * Removes the folder of a process that was killed just now: Windows keeps for a moment what it had open.
 */
export function removeHome(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 })
}
