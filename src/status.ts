import { readdir, rm, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { MAX_STATUS_FILES, STATUS_WRITE_MS } from './limits.ts'
import type { StateChange } from './log.ts'

/** What the status is about. */
export interface StatusWorld {
  readonly process: NodeJS.Process
  readonly url: URL
  /** Where each running bridge keeps a file with its status. */
  readonly folder: string
  /** The requests of the host that have no answer. */
  inFlight(): number
}

/** The truth about a link: on stderr at SIGUSR2, and in a file while the bridge runs. */
export interface Status {
  /** Takes a change of the link's state. */
  change(change: StateChange): void
  /** Takes the HTTP status of a response. */
  answered(httpStatus: number): void
  /** Removes the file. */
  close(): Promise<void>
}

/** The last thing that happened to a part of the link. */
type Last = Omit<StateChange, 'part'> & { readonly at: string }

/** Layout version of the file; others are left to the programs that wrote them. */
const LAYOUT = 1

/**
 * Keeps the last change of every part and how often each happened. The file appears after a moment:
 * a bridge that ends at once never writes.
 */
export function createStatus(world: StatusWorld): Status {
  const { process, url, folder, inFlight } = world
  const startedAt = new Date().toISOString()
  const file = join(folder, `${process.pid}.json`)
  const parts: Partial<Record<StateChange['part'], Last>> = {}
  const counts: Record<string, number> = {}
  let lastHttpStatus: number | undefined
  let connectedSince: string | undefined
  let lastRenewal: string | undefined
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined
  let closed = false

  function summary(): string {
    return JSON.stringify({
      layout: LAYOUT,
      pid: process.pid,
      // Without its query: it may hold a key.
      server: url.origin + url.pathname,
      startedAt,
      at: new Date().toISOString(),
      connectedSince,
      ...parts,
      inFlight: inFlight(),
      lastHttpStatus,
      lastRenewal,
      counts,
    })
  }

  const onSignal = (): void => void process.stderr.write(`bridge: ${summary()}\n`)
  // Windows has no such signal, and Node refuses to listen for it there.
  if (process.platform !== 'win32') process.on('SIGUSR2', onSignal)

  function schedule(): void {
    if (closed) return
    timer ??= setTimeout(() => {
      timer = undefined
      writing = write().catch(() => {}) // a status that cannot be written hurts nobody
    }, STATUS_WRITE_MS).unref()
  }

  async function write(): Promise<void> {
    await writing
    const { ensurePrivateFolder, writePrivate } = await import('./store/files.ts')
    if (closed) return
    await ensurePrivateFolder(folder)
    await writePrivate(file, summary())
    await sweep(folder)
  }

  return {
    change({ part, ...change }) {
      const at = new Date().toISOString()
      const last: Last = { ...change, at }
      parts[part] = last
      const key = `${part}.${change.what}`
      counts[key] = (counts[key] ?? 0) + 1
      if (key === 'auth.renewed') lastRenewal = at
      if (key === 'session.opened' || key === 'session.reopened') connectedSince = at
      if (key === 'session.lost') connectedSince = undefined
      schedule()
    },
    answered(httpStatus) {
      lastHttpStatus = httpStatus
      connectedSince ??= new Date().toISOString()
    },
    async close() {
      closed = true
      clearTimeout(timer)
      process.off('SIGUSR2', onSignal)
      if (writing === undefined) return
      await writing
      await rm(file, { force: true }).catch(() => {})
    },
  }
}

/** Removes the files of bridges that were killed. */
async function sweep(folder: string): Promise<void> {
  for (const name of (await readdir(folder)).slice(0, MAX_STATUS_FILES)) {
    const pid = Number(/^(\d+)\.json$/.exec(name)?.[1] ?? Number.NaN)
    if (Number.isNaN(pid) || isAlive(pid)) continue
    await unlink(join(folder, name)).catch(() => {})
  }
}

/** Whether a process has this id; one of somebody else counts. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
