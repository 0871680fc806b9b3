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

const open = (server = url, headers: Record<string, string> = {}) =>
  openVerdicts(directory, server, headers, { ...keptLog(), warn: (line) => lines.push(line) })

function files(): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

/** The file of a server that was found to speak HTTP+SSE. */
async function remembered(): Promise<string> {
  open().write({ transport: 'sse' })
  const name = await until('the file', () => files().find((file) => file.endsWith('.json')))
  return join(directory, name)
}

test('what a server speaks is known at the next start', async () => {
  expect(await open().read()).toEqual({})
  await remembered()
  expect(await open().read()).toEqual({ transport: 'sse', era: undefined })
  expect(await open(new URL('https://mcp.example/other')).read()).toEqual({})
})

test('what is still to be written can be waited for', async () => {
  const verdicts = open()
  verdicts.write({ transport: 'sse' })
  verdicts.write({ era: { era: 'legacy', versions: [], at: 1 } })
  await verdicts.flush()
  expect(await open().read()).toMatchObject({ transport: 'sse', era: { era: 'legacy' } })
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

const ERA = { era: 'modern-only', versions: ['2026-07-28'], at: 1_800_000_000_000 } as const

test.each([
  ['empty', ''],
  ['cut', '{"layout":2,"tra'],
  ['null', 'null'],
  ['of the layout before', '{"layout":1,"verdict":"sse-first"}'],
  ['of another layout', '{"layout":3,"transport":"sse"}'],
  [
    'of unknown verdicts',
    '{"layout":2,"transport":"smoke","era":{"era":"ice","versions":[],"at":1}}',
  ],
  ['of half a verdict', '{"layout":2,"era":{"era":"legacy"}}'],
])('a file that is %s is as good as none, and is replaced', async (_, content) => {
  const file = await remembered()
  writeFileSync(file, content)
  const verdicts = open()
  const { transport, era } = await verdicts.read()
  expect([transport, era]).toEqual([undefined, undefined])
  verdicts.write({ transport: 'sse' })
  await until('the new verdict', async () => (await open().read()).transport === 'sse')
})

test('era and transport are kept beside each other, and each is changed alone', async () => {
  const verdicts = open()
  verdicts.write({ transport: 'sse' })
  verdicts.write({ era: ERA })
  await until('both', async () => (await open().read()).era !== undefined)
  expect(await open().read()).toEqual({ transport: 'sse', era: ERA })
  verdicts.write({ transport: 'http' })
  await until('the change', async () => (await open().read()).transport === undefined)
  expect((await open().read()).era).toEqual(ERA)
  verdicts.write({ era: undefined })
  await until('the empty folder', () => files().length === 0)
})

test('a tenant has a verdict of its own, a new token does not make one', async () => {
  const tenant = {
    'x-tenant': 'one',
    'x-region': 'eu',
    'x-zone': 'a',
    authorization: 'Bearer 1',
    'x-api-key': '1',
  }
  open(url, tenant).write({ era: ERA })
  // In another order, too: that is up to whoever wrote the command line.
  const renewed = { ...tenant, authorization: 'Bearer 2', 'x-api-key': '2' }
  const later = Object.fromEntries(Object.entries(renewed).toReversed())
  await until('the verdict', async () => (await open(url, later).read()).era !== undefined)
  expect(await open(url, { ...tenant, 'x-tenant': 'two' }).read()).toEqual({})
  expect(await open().read()).toEqual({})
})

test('a server that is back to Streamable HTTP is forgotten: that is tried first anyway', async () => {
  await remembered()
  const verdicts = open()
  verdicts.write({ transport: 'http' })
  await until('the empty folder', () => files().length === 0)
  expect((await open().read()).transport).toBeUndefined()
})

test('nothing is written for a server that speaks Streamable HTTP, nor twice for one that does not', async () => {
  const file = await remembered()
  const verdicts = open()
  await verdicts.read()
  rmSync(file)
  verdicts.write({ transport: 'sse' })
  open(new URL('https://mcp.example/mcp')).write({ transport: 'http' })
  // A third one is written after these two; when it is there, they had their chance.
  const third = new URL('https://mcp.example/third')
  open(third).write({ transport: 'sse' })
  await until('the third', async () => (await open(third).read()).transport === 'sse')
  expect(files().filter((name) => name.endsWith('.json'))).toHaveLength(1)
})

test('a folder that cannot be made is a warning', async () => {
  writeFileSync(join(root, 'cache'), 'a file')
  open().write({ transport: 'sse' })
  await until('the warning', () => lines.length > 0)
  expect(lines[0]).toMatch(/^what this server speaks could not be remembered: /)
})
