import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { LOCK_BEAT_MS } from '../../src/limits.ts'
import { takeLock } from '../../src/store/lock.ts'
import { until } from '../support/until.ts'
import { emptyFolder } from './folder.ts'

const never = new AbortController().signal
let program: string

/** A program for processes of their own: takes the lock, writes down when it had it, waits. */
const PROGRAM = `
import { appendFileSync } from 'node:fs'
import { takeLock } from './src/store/lock.ts'
const [, , path, journal, holdMs, rounds] = process.argv
for (let i = 0; i < Number(rounds); i++) {
  const lock = await takeLock(path, 30_000, new AbortController().signal)
  if (lock === undefined) throw new Error('no lock')
  appendFileSync(journal, 'in ' + process.pid + '\\n')
  await new Promise((resolve) => setTimeout(resolve, Number(holdMs)))
  appendFileSync(journal, 'out ' + process.pid + '\\n')
  await lock.release()
}
`

beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: { contents: PROGRAM, resolveDir: process.cwd(), loader: 'js' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
  })
  program = outputFiles[0]!.text
})

function start(path: string, journal: string, holdMs: number, rounds: number): ChildProcess {
  const file = join(journal, '..', 'program.mjs')
  writeFileSync(file, program)
  const args = [file, path, journal, String(holdMs), String(rounds)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

const exit = (child: ChildProcess): Promise<number> =>
  until('the exit of a process', () => child.exitCode ?? undefined)

const lines = (journal: string): string[] => {
  try {
    return readFileSync(journal, 'utf8').split('\n').slice(0, -1)
  } catch {
    return []
  }
}

test('A-84: five processes that want it again and again never hold it together', async () => {
  const folder = emptyFolder()
  const journal = join(folder, 'journal')
  const path = join(folder, 'locks', 'a.lock')
  const children = Array.from({ length: 5 }, () => start(path, journal, 5, 8))
  for (const child of children) expect(await exit(child)).toBe(0)
  const entries = lines(journal)
  expect(entries).toHaveLength(5 * 8 * 2)
  for (let i = 0; i < entries.length; i += 2) {
    expect(entries[i + 1]).toBe(entries[i]!.replace('in', 'out'))
  }
  expect(readdirSync(join(folder, 'locks'))).toEqual([])
})

test('A-84: the lock of a process that was killed is free at once', async () => {
  const folder = emptyFolder()
  const journal = join(folder, 'journal')
  const path = join(folder, 'locks', 'a.lock')
  const child = start(path, journal, 60_000, 1)
  await until('the lock to be taken', () => lines(journal).length === 1)
  expect(await takeLock(path, 0, never)).toBeUndefined()
  child.kill('SIGKILL')
  await until('the end of the process', () => child.signalCode !== null)
  const began = performance.now()
  const lock = await takeLock(path, 5_000, never)
  expect(lock?.held()).toBe(true)
  expect(performance.now() - began).toBeLessThan(2_000)
  await lock?.release()
})

test('waiting ends at its deadline, and with the signal', async () => {
  const path = join(emptyFolder(), 'a.lock')
  const lock = await takeLock(path, 0, never)
  expect(await takeLock(path, 100, never)).toBeUndefined()
  const ending = new AbortController()
  const waiting = takeLock(path, 60_000, ending.signal)
  ending.abort()
  expect(await waiting).toBeUndefined()
  await lock?.release()
  expect((await takeLock(path, 0, never))?.held()).toBe(true)
})

describe('owners that cannot be looked up', () => {
  const writeOwner = (path: string, owner: unknown): void =>
    writeFileSync(path, typeof owner === 'string' ? owner : JSON.stringify(owner))

  test('our own process id under another nonce is of a dead namesake', async () => {
    const path = join(emptyFolder(), 'a.lock')
    writeOwner(path, { pid: process.pid, host: hostname(), nonce: 'other' })
    expect(await takeLock(path, 1_000, never)).toBeDefined()
  })

  test.each([
    ['of another machine', { pid: 1, host: 'elsewhere', nonce: 'n' }],
    ['that nobody can read', '{'],
    ['that names nobody', 'null'],
    ['that names no process', { pid: '1', host: hostname(), nonce: 'n' }],
    [
      'whose process id was given to another process',
      { pid: process.ppid, host: hostname(), nonce: 'n' },
    ],
  ])('a lock %s is free when nobody has touched it for a while', async (_, owner) => {
    const path = join(emptyFolder(), 'a.lock')
    writeOwner(path, owner)
    let time = 0
    vi.spyOn(performance, 'now').mockImplementation(() => time)
    onTestFinished(() => void vi.restoreAllMocks())
    expect(await takeLock(path, 0, never)).toBeUndefined()
    time = 9_000
    expect(await takeLock(path, 0, never)).toBeUndefined()
    time = 10_001
    expect(await takeLock(path, 0, never)).toBeDefined()
  })
})

test('a process of another user lives, although it cannot be asked', async () => {
  const path = join(emptyFolder(), 'a.lock')
  writeFileSync(path, JSON.stringify({ pid: process.ppid, host: hostname(), nonce: 'n' }))
  // What the system says to whoever is not root.
  vi.spyOn(process, 'kill').mockImplementation(() => {
    throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' })
  })
  onTestFinished(() => void vi.restoreAllMocks())
  expect(await takeLock(path, 0, never)).toBeUndefined()
  expect(readFileSync(path, 'utf8')).toContain('"n"')
})

describe('the lock of a dead owner that another process is about to clear', () => {
  /** The lock, and the mark of the process that clears it, made so long ago. */
  function beingCleared(ms: number): { path: string; marker: string } {
    const path = join(emptyFolder(), 'a.lock')
    writeFileSync(path, JSON.stringify({ pid: process.pid, host: hostname(), nonce: 'dead' }))
    const marker = `${path}.dead.clearing`
    writeFileSync(marker, '')
    const then = new Date(Date.now() - ms)
    utimesSync(marker, then, then)
    return { path, marker }
  }

  test('is left to it, and waited for no longer than for any other', async () => {
    const { path, marker } = beingCleared(0)
    expect(await takeLock(path, 0, never)).toBeUndefined()
    expect(readFileSync(path, 'utf8')).toContain('dead')
    rmSync(marker)
    expect((await takeLock(path, 0, never))?.held()).toBe(true)
  })

  test('is free when that process has died, too', async () => {
    const { path, marker } = beingCleared(11_000)
    expect((await takeLock(path, 5_000, never))?.held()).toBe(true)
    expect(existsSync(marker)).toBe(false)
  })
})

test('whoever was taken for dead knows that the lock is gone, and does not take it from the next', async () => {
  const path = join(emptyFolder(), 'a.lock')
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const lock = await takeLock(path, 0, never)
  writeFileSync(path, JSON.stringify({ pid: process.ppid, host: hostname(), nonce: 'next' }))
  const then = new Date(1_000)
  utimesSync(path, then, then)
  expect(lock?.held()).toBe(false)
  // It does not keep the next one's lock alive either.
  vi.advanceTimersByTime(LOCK_BEAT_MS)
  await lock?.release()
  expect((await stat(path)).mtimeMs).toBe(1_000)
  expect(readFileSync(path, 'utf8')).toContain('next')
})
