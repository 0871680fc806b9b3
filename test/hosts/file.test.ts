import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeChange, planUndoing, undoChange } from '../../src/hosts/change.ts'
import { planInstall, type Request } from '../../src/hosts/install.ts'
import type { Machine } from '../../src/hosts/machine.ts'
import { HOSTS } from '../../src/hosts/table.ts'
import { put, testMachine } from './machine.ts'

const cursor = HOSTS.find(({ id }) => id === 'cursor')!
const WHY = { kind: 'install', run: '1' } as const

const request = (more: Partial<Request> = {}): Request => ({
  url: 'https://x.example/mcp',
  name: 'x',
  scope: 'user',
  values: {},
  env: {},
  verbatim: [],
  pinNode: false,
  ...more,
})

const configOf = ({ system }: Machine): string => join(system.home, '.cursor', 'mcp.json')

/** Installs into Cursor; returns the path of the backup. */
async function install(machine: Machine, meanwhile?: () => void): Promise<string> {
  const { plan } = await planInstall(cursor, request(), machine)
  return makeChange(plan, machine.journal, WHY, meanwhile)
}

/** Undoes the newest change. */
async function undo({ journal }: Machine): Promise<string> {
  const [change] = journal.list()
  const undoing = await planUndoing(cursor, change!, journal)
  await undoChange(undoing, change!, journal)
  return undoing.how
}

const BOM = '\ufeff'

describe('what the file was like before, it is after, and again when that is undone', () => {
  test.each([
    ['with comments', '{\n  // mine\n  "mcpServers": {} /* none */\n}\n'],
    ['with a byte order mark', `${BOM}{"a": 1}`],
    ['with CR LF', '{\r\n\t"mcpServers": {\r\n\t}\r\n}\r\n'],
    ['empty', ''],
    ['with white space alone', ' \n'],
    ['with numbers that JavaScript has not', '{"a": 12345678901234567890, "b": 1.0, "c": -0}'],
  ])('%s', async (_, text) => {
    const machine = testMachine()
    const file = configOf(machine)
    put(file, text)
    chmodSync(file, 0o640)
    const backup = await install(machine)
    const after = readFileSync(file, 'utf8')
    expect(after.startsWith(BOM)).toBe(text.startsWith(BOM))
    expect(after.includes('\r\n')).toBe(text.includes('\r\n'))
    expect(after.replaceAll('\r\n', '')).not.toMatch(text.includes('\r\n') ? /\n/ : /\r/)
    expect(statSync(file).mode & 0o777).toBe(0o640)
    expect(readFileSync(backup, 'utf8')).toBe(text)
    expect(statSync(backup).mode & 0o777).toBe(0o600)
    expect((await planInstall(cursor, request(), machine)).action).toBe('nothing')
    expect(await undo(machine)).toBe('whole')
    expect(readFileSync(file, 'utf8')).toBe(text)
    expect(readdirSync(join(machine.system.home, '.cursor'))).toEqual(['mcp.json'])
  })
})

test('a file that is not there is made, for its owner alone, and goes when that is undone', async () => {
  const machine = testMachine()
  await install(machine)
  expect(statSync(configOf(machine)).mode & 0o777).toBe(0o600)
  expect(await undo(machine)).toBe('whole')
  expect(readdirSync(join(machine.system.home, '.cursor'))).toEqual([])
})

test.each([true, false])('a link stays a link (to a file that is there: %s)', async (there) => {
  const machine = testMachine()
  const file = configOf(machine)
  const target = join(machine.system.home, 'dotfiles', 'mcp.json')
  mkdirSync(join(machine.system.home, 'dotfiles'))
  if (there) writeFileSync(target, '{}')
  mkdirSync(join(machine.system.home, '.cursor'))
  symlinkSync(join('..', 'dotfiles', 'mcp.json'), file)
  await install(machine)
  expect(lstatSync(file).isSymbolicLink()).toBe(true)
  expect(readFileSync(target, 'utf8')).toContain('https://x.example/mcp')
})

describe('nothing is written', () => {
  test.each([
    ['a file that is read-only', (file: string) => chmodSync(file, 0o444), 'is read-only'],
    [
      'another program has changed it meanwhile',
      (file: string) => writeFileSync(file, '{"a": 2}'),
      'was changed by another program',
    ],
  ])('%s', async (_, act, message) => {
    const machine = testMachine()
    const file = configOf(machine)
    put(file, '{}')
    const readOnly = message === 'is read-only'
    if (readOnly) act(file)
    await expect(install(machine, readOnly ? undefined : () => act(file))).rejects.toThrow(message)
    expect(readFileSync(file, 'utf8')).toBe(readOnly ? '{}' : '{"a": 2}')
    expect(readdirSync(join(machine.system.home, '.cursor'))).toEqual(['mcp.json'])
    expect(machine.journal.list()).toEqual([])
  })

  test('another program has written the same bytes again', async () => {
    const machine = testMachine()
    put(configOf(machine), '{}')
    const again = (): void => put(configOf(machine), '{}')
    await expect(install(machine, again)).rejects.toThrow('was changed by another program')
  })

  test('another program has made the file meanwhile', async () => {
    const machine = testMachine()
    const made = (): void => put(configOf(machine), '{"b": 1}')
    await expect(install(machine, made)).rejects.toThrow('was changed by another program')
    expect(readFileSync(configOf(machine), 'utf8')).toBe('{"b": 1}')
  })

  test.each([
    ['a text that is no JSON', '{\n  "a": 1\n  "b": 2\n}', /mcp\.json:3:3: comma expected/],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), /is not text in UTF-8/],
    ['UTF-16', Buffer.from('\ufeff{}', 'utf16le'), /is not text in UTF-8/],
  ])('%s', async (_, content, message) => {
    const machine = testMachine()
    put(configOf(machine), content)
    await expect(planInstall(cursor, request(), machine)).rejects.toThrow(message)
  })

  test('the name is taken by another server', async () => {
    const machine = testMachine()
    put(configOf(machine), '{"mcpServers": {"x": {"command": "other"}}}')
    await expect(planInstall(cursor, request(), machine)).rejects.toThrow('x is taken')
  })

  test('a folder is in its place', async () => {
    const machine = testMachine()
    mkdirSync(configOf(machine), { recursive: true })
    await expect(planInstall(cursor, request(), machine)).rejects.toThrow('is no file')
  })
})

test('five backups of a file are kept', async () => {
  const machine = testMachine()
  for (let count = 0; count < 7; count++) {
    const { plan } = await planInstall(cursor, request({ name: `x${count}` }), machine)
    await makeChange(plan, machine.journal, WHY)
  }
  expect(machine.journal.list()).toHaveLength(5)
  const folder = join(machine.system.home, 'data', 'hosts')
  expect(readdirSync(folder)).toHaveLength(10)
  const names = machine.journal.list().map(({ entries }) => entries[0]!.path.at(-1))
  expect(names).toEqual(['x6', 'x5', 'x4', 'x3', 'x2'])
})
