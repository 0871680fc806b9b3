import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type CommandWorld, runForToken } from '../../src/auth/command.ts'
import { readToken } from '../../src/auth/token-source.ts'
import { keptLog } from '../support/log.ts'
import { emptyFolder } from '../store/folder.ts'

const worldOf = (more: Partial<CommandWorld> = {}): CommandWorld => ({
  env: process.env,
  log: keptLog(),
  signal: new AbortController().signal,
  now: Date.now,
  ...more,
})

/** A program that this script makes. */
const program = (script: string): string[] => [process.execPath, '-e', script]

describe('A-113, A-116: where the token of somebody else is', () => {
  test('in a variable, in a file, or in what a program prints', async () => {
    const path = join(emptyFolder(), 'token')
    writeFileSync(path, 'from-file\n')
    const world = worldOf({ env: { ...process.env, T: '{"access_token":"from-variable"}' } })
    expect(await readToken({ kind: 'variable', name: 'T' }, world)).toBe('from-variable')
    expect(await readToken({ kind: 'file', path }, world)).toBe('from-file')
    const words = program('console.log("from-program")')
    expect(await readToken({ kind: 'command', words, option: '--x' }, world)).toBe('from-program')
    // As it is now: platforms replace theirs.
    writeFileSync(path, 'the-next-one')
    expect(await readToken({ kind: 'file', path }, world)).toBe('the-next-one')
  })

  test('what is not there, or is no token, is named and not quoted', async () => {
    const folder = emptyFolder()
    const path = join(folder, 'token')
    writeFileSync(path, 'two words')
    const missing = join(folder, 'none')
    const asked = (source: Parameters<typeof readToken>[0], env = {}): Promise<string> =>
      readToken(source, worldOf({ env }))
    const variable = { kind: 'variable', name: 'T' } as const
    await expect(asked(variable)).rejects.toThrow('There is no token in T.')
    await expect(asked(variable, { T: '' })).rejects.toThrow('There is no token in T.')
    await expect(asked({ kind: 'file', path })).rejects.toThrow(`There is no token in ${path}.`)
    await expect(asked({ kind: 'file', path: missing })).rejects.toThrow(
      `Cannot read the token in ${missing} (ENOENT).`,
    )
  })
})

describe('a program that gives no token', () => {
  test.each([
    ['fails', program('process.exit(3)'), 'failed (3)'],
    ['is killed', program('process.kill(process.pid, "SIGKILL")'), 'failed (SIGKILL)'],
    ['is not there', ['/none'], 'could not be run (ENOENT)'],
    ['says nothing', program(''), 'printed no token'],
  ])('because it %s', async (_, words, why) => {
    await expect(runForToken(words, '--x', worldOf())).rejects.toThrow(`The program of --x ${why}.`)
  })

  test('because the bridge ends before it has begun, or before it is done', async () => {
    const words = program('setInterval(() => {}, 1000)')
    const stopped = 'was stopped: the bridge is shutting down'
    const late = worldOf({ signal: AbortSignal.abort() })
    await expect(runForToken(words, '--x', late)).rejects.toThrow(stopped)
    const ending = new AbortController()
    const running = runForToken(words, '--x', worldOf({ signal: ending.signal }))
    ending.abort()
    await expect(running).rejects.toThrow(stopped)
  })
})
