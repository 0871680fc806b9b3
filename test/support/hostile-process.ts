import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { BridgeOptions } from './bridge.ts'

/** A way to start the bridge, and what was written down about the process. */
export interface Watched<T> {
  readonly options: BridgeOptions
  /** The entries so far. */
  entries(): T[]
}

/** One program that was started. */
export interface Spawned {
  readonly file: string
  readonly args: readonly string[]
  readonly shell: unknown
  /** The chunk of the bridge whose code started it, without its hash. */
  readonly by: string | undefined
}

/** Lets a test see what programs the bridge starts. */
export function watchSpawns(): Watched<Spawned> {
  const log = logFile()
  return {
    options: { nodeArgs: ['-r', preload('hostile-spawns')], env: { SPAWNS_LOG: log } },
    entries: () => linesOf(log).map((line) => JSON.parse(line) as Spawned),
  }
}

/**
 * Gives the bridge an internet of its own: the names mean these addresses, and every address leads
 * to this machine. The entries are the addresses that it connected to, with the port.
 */
export function watchRoutes(names: Readonly<Record<string, string>>): Watched<string> {
  const log = logFile()
  const env = { ROUTES_LOG: log, ROUTES_NAMES: JSON.stringify(names) }
  return {
    options: { nodeArgs: ['-r', preload('hostile-routes')], env },
    entries: () => linesOf(log),
  }
}

/** Every new file would be open to everybody. */
export const openUmask: BridgeOptions = { nodeArgs: ['-r', preload('hostile-umask')] }

/** Every file that is there belongs to somebody else. */
export const foreignOwner: BridgeOptions = { nodeArgs: ['-r', preload('hostile-owner')] }

/** The most memory that a process has had, in MiB (proc(5), VmHWM). */
export function peakMemoryMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
}

function logFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bridge-watched-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const log = join(folder, 'log')
  writeFileSync(log, '')
  return log
}

function preload(name: string): string {
  return fileURLToPath(new URL(`preload/${name}.cjs`, import.meta.url))
}

function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n').slice(0, -1)
}
