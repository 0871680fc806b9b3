import { createHash, randomBytes } from 'node:crypto'
import { type BigIntStats, realpathSync } from 'node:fs'
import { mkdir, open, readFile, readlink, rename, stat, unlink } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { BridgeError } from '../errors.ts'
import { HOST_FILE_RENAMES, HOST_FILE_RENAME_PAUSE_MS, MAX_HOST_FILE_BYTES } from '../limits.ts'
import { pause } from '../pause.ts'

const BOM = '\ufeff'

/** A host's file as it was read. */
export interface HostFile {
  /** As the host knows it. */
  readonly path: string
  /** Where its content is: links are followed. */
  readonly target: string
  /** Without its byte order mark; empty when there is no file. */
  readonly text: string
  readonly bom: boolean
  /** What tells whether somebody has changed it since; `undefined`: there was none. */
  readonly seen: Seen | undefined
}

interface Seen {
  readonly stats: BigIntStats
  readonly hash: string
}

/** The hash of a content, as it is compared and kept. */
export function hashOf(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex')
}

/** The bytes of a text in this file. */
export function bytesOf({ bom }: Pick<HostFile, 'bom'>, text: string): Buffer {
  return Buffer.from(bom ? BOM + text : text)
}

/** Reads a host's file, or that there is none. Throws `BridgeError` for what is no text. */
export async function readHostFile(path: string): Promise<HostFile> {
  const target = await targetOf(path)
  const found = await look(target)
  if (found === undefined) return { path, target, text: '', bom: false, seen: undefined }
  const { stats, content } = found
  if (!stats.isFile()) throw refusal(path, 'is no file')
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content)
  } catch (cause) {
    throw refusal(path, 'is not text in UTF-8', cause)
  }
  const bom = text.startsWith(BOM)
  const seen = { stats, hash: hashOf(content) }
  return { path, target, text: bom ? text.slice(1) : text, bom, seen }
}

/**
 * Puts a new text into a host's file at once: in a file beside it, then by rename, with the mode and
 * owner that it had. Throws `BridgeError` when that cannot be kept, when the file may not be written,
 * or when it is not the one any more that was read.
 *
 * @param meanwhile called right before the last look: only tests have something to do there
 */
export async function replaceHostFile(
  file: HostFile,
  text: string,
  meanwhile: () => void | Promise<void> = () => {},
): Promise<void> {
  const { path, target, seen } = file
  // Whoever made a file read-only does not want it replaced; rename would not ask.
  if (seen !== undefined && (seen.stats.mode & 0o222n) === 0n) throw refusal(path, 'is read-only')
  const temporary = `${target}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await mkdir(dirname(target), { recursive: true })
    await writeBeside(temporary, file, text)
    await meanwhile()
    const now = await look(target)
    if (!isSame(seen, now)) {
      throw new BridgeError('host_file_unusable', `${path} was changed by another program.`, {
        hint: 'Nothing was written. Quit the host if it runs, and run the command again.',
      })
    }
    await renamed(temporary, target)
  } catch (error) {
    await unlink(temporary).catch(() => {})
    if (error instanceof BridgeError) throw error
    const { code } = error as NodeJS.ErrnoException
    throw refusal(path, `cannot be written (${code})`, error)
  }
}

/** Removes a file that is still the one that was read. */
export async function removeHostFile({ path, target, seen }: HostFile): Promise<void> {
  if (!isSame(seen, await look(target))) throw refusal(path, 'was changed by another program')
  await unlink(target)
}

/** Where a path leads to, also when there is nothing yet at the end of a link. */
async function targetOf(path: string): Promise<string> {
  try {
    return realpathSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT') throw refusal(path, `cannot be read (${code})`, error)
  }
  const link = await readlink(path).catch(() => undefined)
  return link === undefined ? path : resolve(dirname(path), link)
}

async function look(target: string): Promise<{ stats: BigIntStats; content: Buffer } | undefined> {
  try {
    const stats = await stat(target, { bigint: true })
    if (!stats.isFile()) return { stats, content: Buffer.alloc(0) }
    if (stats.size > MAX_HOST_FILE_BYTES) throw refusal(target, 'is too large')
    return { stats, content: await readFile(target) }
  } catch (error) {
    if (error instanceof BridgeError) throw error
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw refusal(target, `cannot be read (${code})`, error)
  }
}

function isSame(seen: Seen | undefined, now: Awaited<ReturnType<typeof look>>): boolean {
  if (seen === undefined || now === undefined) return seen === now
  const { stats } = seen
  return (
    now.stats.ino === stats.ino &&
    now.stats.mtimeNs === stats.mtimeNs &&
    hashOf(now.content) === seen.hash
  )
}

async function writeBeside(temporary: string, file: HostFile, text: string): Promise<void> {
  const stats = file.seen?.stats
  // A new file may get a secret: it is for its owner alone.
  const mode = stats === undefined ? 0o600 : Number(stats.mode & 0o7777n)
  const handle = await open(temporary, 'wx', 0o600)
  try {
    await handle.writeFile(bytesOf(file, text))
    const ours = await handle.stat({ bigint: true })
    if (stats !== undefined && (ours.uid !== stats.uid || ours.gid !== stats.gid)) {
      await handle.chown(Number(stats.uid), Number(stats.gid))
    }
    await handle.chmod(mode)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** On Windows a virus scanner, or the host that reads, may hold the file for a moment. */
async function renamed(from: string, to: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await rename(from, to)
      return
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException
      const busy = process.platform === 'win32' && ['EPERM', 'EBUSY', 'EACCES'].includes(code)
      if (!busy || tries === HOST_FILE_RENAMES) throw error
      await pause(HOST_FILE_RENAME_PAUSE_MS)
    }
  }
}

function refusal(path: string, why: string, cause?: unknown): BridgeError {
  return new BridgeError('host_file_unusable', `${path} ${why}.`, { cause })
}
