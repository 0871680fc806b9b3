import { randomBytes } from 'node:crypto'
import { constants, readFileSync } from 'node:fs'
import { copyFile, link, open, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { LOCK_BEAT_MS, LOCK_POLL_MS, LOCK_SILENCE_MS } from '../limits.ts'
import { pause } from '../pause.ts'
import { ensurePrivateFolder } from './files.ts'

/** The right to do something that only one process may do at a time. */
export interface Lock {
  /** Whether it is still ours: false when others took us for dead, e.g. after a long suspension. */
  held(): boolean
  release(): Promise<void>
}

/** Who holds a lock. */
interface Owner {
  readonly pid: number
  readonly host: string
  readonly nonce: string
}

/** How file systems say that they have no hard links: FAT, some network drives. */
const WITHOUT_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/** What this process holds: a lock under our own process id that is not here is of a dead namesake. */
const ours = new Set<string>()

/**
 * Takes the lock file at `path`, waiting for its owner at most `waitMs`; `undefined` when it was not
 * to be had. A dead owner's lock is taken over: a process of this machine is looked up, any other one
 * must touch its file.
 */
export async function takeLock(
  path: string,
  waitMs: number,
  signal: AbortSignal,
): Promise<Lock | undefined> {
  await ensurePrivateFolder(dirname(path))
  const deadline = Date.now() + waitMs
  for (;;) {
    const lock = await tryLock(path)
    if (lock !== undefined) return lock
    const owner = ownerOf(path)
    const isFree = owner === undefined ? await isSilent(path, '') : await isDead(owner, path)
    if (isFree && (await clear(path, owner?.nonce ?? ''))) continue
    if (signal.aborted || Date.now() >= deadline) return undefined
    await pause(LOCK_POLL_MS * (0.5 + Math.random()), signal)
  }
}

async function tryLock(path: string): Promise<Lock | undefined> {
  const nonce = randomBytes(12).toString('hex')
  // Before the file can be seen: what is not known here counts as left by a dead namesake.
  ours.add(nonce)
  let taken = false
  try {
    taken = await create(path, { pid: process.pid, host: hostname(), nonce })
  } finally {
    if (!taken) ours.delete(nonce)
  }
  if (!taken) return undefined
  const held = (): boolean => ownerOf(path)?.nonce === nonce
  const beat = setInterval(() => {
    const now = new Date()
    if (held()) void utimes(path, now, now).catch(() => {})
  }, LOCK_BEAT_MS).unref()
  return {
    held,
    async release() {
      clearInterval(beat)
      if (held()) await unlink(path).catch(() => {})
      ours.delete(nonce)
    },
  }
}

/** Makes the file unless there is one; nobody reads it without its owner. */
async function create(path: string, owner: Owner): Promise<boolean> {
  const temporary = `${path}.${owner.nonce}.tmp`
  await writeFile(temporary, JSON.stringify(owner), { mode: 0o600, flag: 'wx' })
  try {
    await link(temporary, path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (code === undefined || !WITHOUT_LINKS.has(code)) throw error
    return await copyFile(temporary, path, constants.COPYFILE_EXCL).then(
      () => true,
      () => false,
    )
  } finally {
    await unlink(temporary).catch(() => {})
  }
}

function ownerOf(path: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(path, 'utf8')) as Partial<Owner> | null
    const { pid, host, nonce } = owner ?? {}
    if (typeof pid !== 'number' || typeof host !== 'string' || typeof nonce !== 'string') {
      return undefined
    }
    return { pid, host, nonce }
  } catch {
    return undefined
  }
}

/** When this process first saw a lock in the state in which it still is. */
const watched = new Map<string, { readonly sign: string; readonly since: number }>()

/** Whether a lock has not been touched for a while, by our own watch: clocks and suspensions differ. */
async function isSilent(path: string, nonce: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return false
  const sign = `${nonce} ${found.mtimeMs}`
  const before = watched.get(path)
  if (before?.sign === sign) return performance.now() - before.since > LOCK_SILENCE_MS
  watched.set(path, { sign, since: performance.now() })
  return false
}

async function isDead(owner: Owner, path: string): Promise<boolean> {
  if (owner.host === hostname()) {
    if (owner.pid === process.pid && !ours.has(owner.nonce)) return true
    try {
      process.kill(owner.pid, 0)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true
    }
  }
  // The id may have been given to another process since.
  return isSilent(path, owner.nonce)
}

/**
 * Removes the lock of a dead owner; tells whether it is gone. Only one process may do so for one owner:
 * otherwise a second one would remove the lock that the first has taken in the meantime.
 */
async function clear(path: string, nonce: string): Promise<boolean> {
  const marker = `${path}.${nonce || 'unreadable'}.clearing`
  try {
    await (await open(marker, 'wx', 0o600)).close()
  } catch {
    const found = await stat(marker).catch(() => undefined)
    if (found !== undefined && Date.now() - found.mtimeMs > LOCK_SILENCE_MS) {
      await unlink(marker).catch(() => {})
    }
    return false
  }
  try {
    if ((ownerOf(path)?.nonce ?? '') !== nonce) return true
    return await unlink(path).then(
      () => true,
      () => false,
    )
  } finally {
    await unlink(marker).catch(() => {})
  }
}
