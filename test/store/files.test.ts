import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { readPrivate, StoreRefusal, writePrivate } from '../../src/store/files.ts'
import { emptyFolder } from './folder.ts'

const mode = (path: string): number => statSync(path).mode & 0o777

afterEach(() => {
  vi.restoreAllMocks()
})

describe('A-75: what is written is ours alone', () => {
  test.each([0o000, 0o022, 0o077, 0o377])('with umask %o', async (umask) => {
    const before = process.umask(umask)
    try {
      const file = join(emptyFolder(), 'credentials', 'a.json')
      await writePrivate(file, 'x')
      expect(mode(file)).toBe(0o600)
      expect(mode(join(file, '..'))).toBe(0o700)
      expect(readPrivate(file)).toBe('x')
    } finally {
      process.umask(before)
    }
  })

  test('a folder that others can look into is closed', async () => {
    const folder = join(emptyFolder(), 'credentials')
    mkdirSync(folder)
    chmodSync(folder, 0o755)
    await writePrivate(join(folder, 'a.json'), 'x')
    expect(mode(folder)).toBe(0o700)
  })

  test('a file with a wider mode is replaced by one without', async () => {
    const folder = emptyFolder()
    const file = join(folder, 'a.json')
    writeFileSync(file, 'old')
    chmodSync(file, 0o644)
    await writePrivate(file, 'new')
    expect(mode(file)).toBe(0o600)
  })
})

describe('A-75: what somebody else may have put there is neither read nor written', () => {
  test('a symbolic link in the place of the file', async () => {
    const folder = emptyFolder()
    const target = join(folder, 'target')
    const file = join(folder, 'a.json')
    writeFileSync(target, 'theirs')
    symlinkSync(target, file)
    expect(() => readPrivate(file)).toThrow(StoreRefusal)
    await expect(writePrivate(file, 'x')).rejects.toThrow(StoreRefusal)
    expect(readFileSync(target, 'utf8')).toBe('theirs')
    expect(lstatSync(file).isSymbolicLink()).toBe(true)
  })

  test('a symbolic link in the place of the folder', async () => {
    const folder = emptyFolder()
    mkdirSync(join(folder, 'elsewhere'))
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'credentials'))
    const file = join(folder, 'credentials', 'a.json')
    await expect(writePrivate(file, 'x')).rejects.toThrow(StoreRefusal)
    expect(readdirSync(join(folder, 'elsewhere'))).toEqual([])
  })

  test('a file of another user', async () => {
    const file = join(emptyFolder(), 'a.json')
    await writePrivate(file, 'x')
    vi.spyOn(process, 'getuid').mockReturnValue(4_000_000)
    expect(() => readPrivate(file)).toThrow('belongs to somebody else')
    await expect(writePrivate(file, 'y')).rejects.toThrow('belongs to somebody else')
  })
})

test('a file that cannot be read for another reason is no missing one', () => {
  const file = join(emptyFolder(), 'a'.repeat(300))
  expect(() => readPrivate(file)).toThrow('ENAMETOOLONG')
})

test('no file is undefined, also below a folder that is not there', () => {
  expect(readPrivate(join(emptyFolder(), 'none', 'a.json'))).toBeUndefined()
})

test('fifty writers at once leave one whole file and nothing else', async () => {
  const folder = emptyFolder()
  const file = join(folder, 'a.json')
  const texts = Array.from({ length: 50 }, (_, i) => String(i).repeat(10_000))
  await Promise.all(texts.map((text) => writePrivate(file, text)))
  expect(texts).toContain(readPrivate(file))
  expect(readdirSync(folder)).toEqual(['a.json'])
})

test('what a killed writer left behind is removed once it is old', async () => {
  const folder = emptyFolder()
  const file = join(folder, 'a.json')
  const old = new Date(Date.now() - 120_000)
  for (const name of ['a.json.1.ab.tmp', 'a.json.2.cd.tmp', 'b.json.1.ab.tmp']) {
    writeFileSync(join(folder, name), 'secret')
    if (!name.includes('2.cd')) utimesSync(join(folder, name), old, old)
  }
  await writePrivate(file, 'x')
  expect(existsSync(join(folder, 'a.json.1.ab.tmp'))).toBe(false)
  expect(existsSync(join(folder, 'a.json.2.cd.tmp'))).toBe(true)
  expect(existsSync(join(folder, 'b.json.1.ab.tmp'))).toBe(true)
})
