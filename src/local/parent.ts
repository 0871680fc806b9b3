import { PARENT_CHECK_MS } from '../limits.ts'

/**
 * Calls back when the process that started us has died. Needed when it is killed while a sibling
 * holds our stdin open: then no end of input ever comes. Windows does not re-parent orphans, so the
 * end of stdin is the only sign there.
 */
export function watchParent(process: NodeJS.Process, onDeath: () => void): { stop(): void } {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid !== parent) onDeath()
  }, PARENT_CHECK_MS).unref()
  return {
    stop() {
      clearInterval(timer)
    },
  }
}
