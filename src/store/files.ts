import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs'
import { chmod, lstat, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { randomText } from '../hash.ts'
import { STALE_TEMPORARY_MS } from '../limits.ts'

/** A file or folder that is not ours alone; it is neither read nor written. */
export class StoreRefusal extends Error {
  override readonly name = 'StoreRefusal'
}

/** Reads a file of ours; `undefined` when there is none. Throws `StoreRefusal` for anybody else's. */
export function readPrivate(path: string): string | undefined {
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (code === 'ELOOP' || code === 'EMLINK') throw new StoreRefusal(`${path} is a symbolic link`)
    throw error
  }
  try {
    refuseForeign(fstatSync(file), path)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

/**
 * Replaces a file at once and for good: whoever reads sees the old or the new content, also after a
 * power cut. The file is 0600 in a 0700 folder whatever the umask is.
 */
export async function writePrivate(path: string, text: string): Promise<void> {
  await ensurePrivateFolder(dirname(path))
  await refuseLink(path)
  const temporary = `${path}.${process.pid}.${randomText(6)}.tmp`
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.chmod(0o600)
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  try {
    await rename(temporary, path)
  } catch (error) {
    await unlink(temporary).catch(() => {})
    throw error
  }
  await syncFolder(dirname(path))
  await sweep(path)
}

/** Makes a folder that nobody else can look into; throws `StoreRefusal` when it is not ours. */
export async function ensurePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  const found = await lstat(path)
  if (!found.isDirectory()) throw new StoreRefusal(`${path} is no folder`)
  refuseForeign(found, path)
  if (process.platform !== 'win32' && (found.mode & 0o777) !== 0o700) await chmod(path, 0o700)
}

async function refuseLink(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined) return
  if (!found.isFile()) throw new StoreRefusal(`${path} is no plain file`)
  refuseForeign(found, path)
}

/** Windows has no owner ids; its folders under the user's profile are private by inheritance. */
function refuseForeign(found: Stats, path: string): void {
  const us = process.getuid?.()
  if (us !== undefined && found.uid !== us)
    throw new StoreRefusal(`${path} belongs to somebody else`)
}

/** The rename itself must survive a power cut: it is what replaces a refresh token that is dead now. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return // folders cannot be opened there
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Removes what a process that was killed while writing has left behind: it may hold tokens. */
async function sweep(path: string): Promise<void> {
  const folder = dirname(path)
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${basename(path)}.`) || !name.endsWith('.tmp')) continue
    const found = await stat(join(folder, name)).catch(() => undefined)
    if (found === undefined || Date.now() - found.mtimeMs <= STALE_TEMPORARY_MS) continue
    await unlink(join(folder, name)).catch(() => {})
  }
}
