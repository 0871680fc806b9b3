import { LOCK_WAIT_MS } from '../limits.ts'
import type { Log } from '../log.ts'
import { StoreRefusal } from './files.ts'
import { type Lock, takeLock } from './lock.ts'
import { learnRecord } from './learning.ts'
import { fileOf, LAYOUT, type StoreKey } from './place.ts'
import { ServerRecord } from './record.ts'
import { fileVault, type Vault } from './vault.ts'

/** What is stored about one server and account, shared by all processes that use it. */
export interface Credentials {
  /** The record as it is now; an empty one when there is none that can be used. */
  read(): Promise<ServerRecord>
  /**
   * Does something that no other process may do at the same time, with the record as it is then.
   * `undefined` when the lock was not to be had.
   */
  exclusive<T>(work: (session: Session) => Promise<T>): Promise<T | undefined>
  /** Takes the lock of the sign-in, or says at once that somebody else has it. */
  signInLock(): Promise<Lock | undefined>
}

/** The record in the hands of the one process that may change it. */
interface Session {
  readonly record: ServerRecord
  /** Replaces the record, durably before it settles. A store that cannot be written costs a warning. */
  save(record: ServerRecord): Promise<void>
  /** Deletes the record. Rejects when the store does not let it go. */
  remove(): Promise<void>
}

/** The lock of a store that cannot be written: there is nobody to share with. */
const alone: Lock = { held: () => true, release: () => Promise.resolve() }

/** Credentials in `folder`, which is made when something is to be kept, or in another vault. */
export function openCredentials(
  folder: string,
  key: StoreKey,
  log: Log,
  signal: AbortSignal,
  vault?: Vault,
): Credentials {
  return openRecord(fileOf(folder, key), key, log, signal, vault)
}

/** The same when the file is known, and not all that its name is made of. */
export function openRecord(
  file: string,
  key: Pick<StoreKey, 'server' | 'profile'>,
  log: Log,
  signal: AbortSignal,
  vault: Vault = fileVault(file),
): Credentials {
  /** What could not be written: used by this process until its end. */
  let memory: ServerRecord | undefined

  const empty = (): ServerRecord => ({
    layout: LAYOUT,
    server: key.server.href,
    profile: key.profile,
    issuers: {},
  })

  function keepInMemory(record: ServerRecord, error: unknown): void {
    if (memory === undefined) {
      log.warn(`the sign-in cannot be kept for the next start: ${(error as Error).message}`)
    }
    memory = record
  }

  async function read(): Promise<ServerRecord> {
    if (memory !== undefined) return memory
    let content: string | undefined
    try {
      content = await vault.read()
    } catch (error) {
      keepInMemory(empty(), error)
      return empty()
    }
    if (content === undefined) return empty()
    try {
      const record = ServerRecord.parse(JSON.parse(content))
      learnRecord(record)
      return record
    } catch {
      await setAside(content)
      return memory ?? empty()
    }
  }

  /** A file that cannot be understood must not be in the way, and must not be lost either. */
  async function setAside(content: string): Promise<void> {
    if (layoutOf(content) > LAYOUT) {
      keepInMemory(empty(), new Error(`${vault.name} was written by a newer version`))
      return
    }
    try {
      const aside = await vault.setAside(content)
      if (aside !== undefined) {
        log.warn(`the stored sign-in could not be read; it was set aside as ${aside}`)
      }
    } catch (error) {
      keepInMemory(empty(), error)
    }
  }

  async function lockAt(suffix: string, waitMs: number): Promise<Lock | undefined> {
    if (memory !== undefined) return alone
    try {
      return await takeLock(file.replace(/json$/, suffix), waitMs, signal)
    } catch (error) {
      if (!(error instanceof StoreRefusal) && !isSystemError(error)) throw error
      keepInMemory(await read(), error)
      return alone
    }
  }

  return {
    read,
    async exclusive(work) {
      const lock = await lockAt('lock', LOCK_WAIT_MS)
      if (lock === undefined) return undefined
      try {
        return await work({
          record: await read(),
          async save(record) {
            if (memory !== undefined) memory = record
            // Others took us for dead, e.g. after a night's sleep: what they have written is newer.
            else if (lock.held()) await save(record)
          },
          remove: () => vault.remove(),
        })
      } finally {
        await lock.release()
      }
    },
    signInLock: () => lockAt('sign-in.lock', 0),
  }

  async function save(record: ServerRecord): Promise<void> {
    learnRecord(record)
    try {
      await vault.write(JSON.stringify(record))
    } catch (error) {
      keepInMemory(record, error)
    }
  }
}

function layoutOf(content: string): number {
  try {
    const { layout } = JSON.parse(content) as { layout?: unknown }
    return typeof layout === 'number' ? layout : 0
  } catch {
    return 0
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}
