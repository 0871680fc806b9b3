import { rmSync } from 'node:fs'

/**
 * Removes a folder. Windows keeps what a process had open for a moment after it was killed; elsewhere
 * nothing is tried twice.
 */
export function removeFolder(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 10 })
}
