import { constants } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BridgeError } from '../errors.ts'

/** A trace file: private, ours, and replaced by a new one when it is large enough. */
export interface TraceFile {
  readonly path: string
  /** Bytes in the current file. */
  size(): number
  append(bytes: Buffer): Promise<void>
  /** Closes the file, keeps it under a number, and goes on in a new one. */
  rotate(): Promise<void>
  close(): Promise<void>
}

/**
 * Opens a new file that only its owner can read. One that is there already is kept beside it, like
 * every file that has become too large: `trace.jsonl.1` is the youngest of `kept`. Throws
 * `BridgeError` for a symbolic link, for what is no plain file, and for what cannot be written.
 */
export async function openTraceFile(path: string, kept: number): Promise<TraceFile> {
  let file: FileHandle
  let size = 0
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    file = await openFresh()
  } catch (cause) {
    if (cause instanceof BridgeError) throw cause
    const { code } = cause as NodeJS.ErrnoException
    throw unusable(path, `cannot be written (${code})`, cause)
  }

  async function openFresh(): Promise<FileHandle> {
    const found = await lstat(path).catch(() => undefined)
    if (found !== undefined) {
      if (found.isSymbolicLink()) throw unusable(path, 'is a symbolic link')
      if (!found.isFile()) throw unusable(path, 'is no plain file')
      await shift()
    }
    const { O_APPEND, O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW = 0 } = constants
    const fresh = await open(path, O_APPEND | O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600)
    // Whatever the umask is.
    await fresh.chmod(0o600)
    return fresh
  }

  /** Makes room: each file gets the next number, the oldest one goes. */
  async function shift(): Promise<void> {
    for (let number = kept; number > 0; number--) {
      const from = number === 1 ? path : `${path}.${number - 1}`
      await rename(from, `${path}.${number}`).catch(() => {})
    }
    // Where nothing is kept, and where somebody holds the file open on Windows.
    await unlink(path).catch(() => {})
  }

  return {
    path,
    size: () => size,
    async append(bytes) {
      await file.appendFile(bytes)
      size += bytes.length
    },
    async rotate() {
      await file.close()
      file = await openFresh()
      size = 0
    },
    close: () => file.close(),
  }
}

function unusable(path: string, why: string, cause?: unknown): BridgeError {
  return new BridgeError('store_unusable', `The trace file ${path} ${why}.`, {
    hint: 'Name another one with --trace-file.',
    cause,
  })
}
