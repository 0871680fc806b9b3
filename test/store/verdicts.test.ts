import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { openVerdicts } from '../../src/store/verdicts.ts'
import { until } from '../support/until.ts'
import { keptLog } from '../support/log.ts'

const url = new URL('https://mcp.example/sse?key=secret')
let root: string
let directory: string
let lines: string[]

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bridge-verdicts-'))
  directory = join(root, 'cache', 'servers')
  lines = []
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
})

const open = () => openVerdicts(directory, { ...keptLog(), warn: (line) => lines.push(line) })

function files(): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

/** The file of a server that was found to speak HTTP+SSE. */
async function remembered(): Promise<string> {
  open().write(url, 'sse')
  const name = await until('the file', () => files().find((file) => file.endsWith('.json')))
  return join(directory, name)
}

test('what a server speaks is known at the next start', async () => {
  expect(await open().read(url)).toBeUndefined()
  await remembered()
  expect(await open().read(url)).toBe('sse-first')
  expect(await open().read(new URL('https://mcp.example/other'))).toBeUndefined()
})

test('files and folders are private under any umask', async () => {
  const before = process.umask(0)
  onTestFinished(() => {
    process.umask(before)
  })
  const file = await remembered()
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(statSync(directory).mode & 0o777).toBe(0o700)
  expect(statSync(join(root, 'cache')).mode & 0o777).toBe(0o700)
})

test('neither the name nor the content of a file tells the URL', async () => {
  const file = await remembered()
  expect(file + readFileSync(file, 'utf8')).not.toMatch(/example|secret/)
})

test.each([
  ['empty', ''],
  ['cut', '{"layout":1,"ver'],
  ['null', 'null'],
  ['of another layout', '{"layout":2,"verdict":"sse-first"}'],
  ['of an unknown verdict', '{"layout":1,"verdict":"smoke-signals"}'],
])('a file that is %s is as good as none, and is replaced', async (_, content) => {
  const file = await remembered()
  writeFileSync(file, content)
  const verdicts = open()
  expect(await verdicts.read(url)).toBeUndefined()
  verdicts.write(url, 'sse')
  await until('the new verdict', async () => (await open().read(url)) === 'sse-first')
})

test('a server that is back to Streamable HTTP is forgotten: that is tried first anyway', async () => {
  await remembered()
  const verdicts = open()
  await verdicts.read(url)
  verdicts.write(url, 'http')
  await until('the empty folder', () => files().length === 0)
  expect(await open().read(url)).toBeUndefined()
})

test('nothing is written for a server that speaks Streamable HTTP, nor twice for one that does not', async () => {
  const file = await remembered()
  const verdicts = open()
  await verdicts.read(url)
  rmSync(file)
  verdicts.write(url, 'sse')
  open().write(new URL('https://mcp.example/mcp'), 'http')
  // A third one is written after these two; when it is there, they had their chance.
  const third = new URL('https://mcp.example/third')
  open().write(third, 'sse')
  await until('the third', async () => (await open().read(third)) === 'sse-first')
  expect(files()).toHaveLength(1)
})

test('a folder that cannot be made is a warning', async () => {
  writeFileSync(join(root, 'cache'), 'a file')
  open().write(url, 'sse')
  await until('the warning', () => lines.length > 0)
  expect(lines[0]).toMatch(/^the transport of this server could not be remembered: /)
})
