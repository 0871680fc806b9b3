import { copyFile, link } from 'node:fs/promises'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, expect, test, vi } from 'vitest'
import { takeLock } from '../../src/store/lock.ts'
import { emptyFolder } from './folder.ts'

// No file system without hard links can be mounted by everybody: its answer to them is given here.
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>()
  return { ...real, link: vi.fn<typeof link>(), copyFile: vi.fn<typeof copyFile>(real.copyFile) }
})

const never = new AbortController().signal
const refusal = (code: string): Error => Object.assign(new Error(code), { code })

beforeEach(() => {
  vi.mocked(link).mockReset()
  vi.mocked(copyFile).mockClear()
})

test.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])(
  'A-84: on a disk that answers hard links with %s, the lock is still had by one',
  async (code) => {
    vi.mocked(link).mockRejectedValue(refusal(code))
    const path = join(emptyFolder(), 'a.lock')
    const locks = await Promise.all([1, 2, 3].map(() => takeLock(path, 0, never)))
    const held = locks.filter((lock) => lock !== undefined)
    expect(held).toHaveLength(1)
    expect(held[0]?.held()).toBe(true)
    await held[0]?.release()
    expect(copyFile).toHaveBeenCalled()
    expect(readdirSync(dirname(path))).toEqual([])
  },
)

test('a disk that is broken is not taken for one that is locked', async () => {
  vi.mocked(link).mockRejectedValue(refusal('EIO'))
  const path = join(emptyFolder(), 'a.lock')
  await expect(takeLock(path, 0, never)).rejects.toThrow('EIO')
  expect(readdirSync(dirname(path))).toEqual([])
})
