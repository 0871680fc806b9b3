import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Credentials, openCredentials } from '../../src/store/credentials.ts'
import { fileOf, type StoreKey } from '../../src/store/place.ts'
import type { ServerRecord, StoredTokens } from '../../src/store/record.ts'
import { readStartTokens } from '../../src/store/start.ts'
import { fileVault, type Vault } from '../../src/store/vault.ts'
import { emptyFolder } from './folder.ts'
import { keptLog } from '../support/log.ts'

const KEY: StoreKey = {
  server: new URL('https://h.example/mcp?key=secret'),
  resource: undefined,
  profile: 'default',
}
const ISSUER = 'https://as.example'
const METADATA = { issuer: ISSUER, token_endpoint: `${ISSUER}/token` }

const TOKENS: StoredTokens = {
  accessToken: 'a',
  refreshToken: 'r',
  expiresAt: 2_000,
  obtainedAt: 1_000,
  clientId: 'c',
  grant: 'authorization_code',
}

function open(
  folder: string,
  key = KEY,
  vault?: Vault,
  signal = new AbortController().signal,
): { store: Credentials; warnings: string[] } {
  const warnings: string[] = []
  const log = { ...keptLog(), warn: (line: string) => void warnings.push(line) }
  return { store: openCredentials(folder, key, log, signal, vault), warnings }
}

const withTokens = (record: ServerRecord): ServerRecord => ({
  ...record,
  current: ISSUER,
  issuers: { [ISSUER]: { metadata: METADATA, tokens: TOKENS } },
})

const keep = (store: Credentials): Promise<void | undefined> =>
  store.exclusive(({ record, save }) => save(withTokens(record)))

test('what one process saves another one reads, and the start reads it without the store', async () => {
  const folder = join(emptyFolder(), 'credentials')
  await keep(open(folder).store)
  const { issuers, current } = await open(folder).store.read()
  expect(issuers[current!]?.tokens).toEqual(TOKENS)
  expect(readStartTokens(fileOf(folder, KEY))).toEqual({
    accessToken: 'a',
    expiresAt: 2_000,
    obtainedAt: 1_000,
    refreshable: true,
    clientId: 'c',
    grant: 'authorization_code',
  })
})

test.each<[string, Partial<StoreKey>]>([
  ['server', { server: new URL('https://h.example/mcp') }],
  ['resource', { resource: 'x' }],
  ['resource switched off', { resource: false }],
  ['profile', { profile: 'work' }],
])('another %s is another file', async (_, change) => {
  const folder = emptyFolder()
  await keep(open(folder).store)
  expect((await open(folder, { ...KEY, ...change }).store.read()).issuers).toEqual({})
})

test('equal servers in other spellings are one file', () => {
  const [one, two] = ['https://H.example:443', 'https://h.example/'].map((url) =>
    fileOf('f', { ...KEY, server: new URL(url) }),
  )
  expect(one).toBe(two)
})

test('the name of the file says nothing about the server', () => {
  expect(fileOf('f', KEY)).toMatch(/^f\/[\da-f]{32}\.json$/)
})

describe('a file that cannot be used never blocks', () => {
  test.each([
    ['empty', ''],
    ['no JSON', '{"layout":1,'],
    ['another shape', '{"layout":1,"issuers":[]}'],
    ['an older layout', '{"layout":0}'],
    ['a layout that is no number', '{"layout":"2"}'],
  ])('%s: set aside with a warning', async (_, content) => {
    const folder = emptyFolder()
    const file = fileOf(folder, KEY)
    writeFileSync(file, content)
    const { store, warnings } = open(folder)
    expect((await store.read()).issuers).toEqual({})
    expect(readFileSync(`${file}.damaged`, 'utf8')).toBe(content)
    expect(warnings).toHaveLength(1)
    expect(readStartTokens(file)).toBeUndefined()
    await keep(store)
    expect((await open(folder).store.read()).current).toBe(ISSUER)
  })

  test('a newer layout is left alone; this process remembers what it needs', async () => {
    const folder = emptyFolder()
    const content = '{"layout":2,"current":"x"}'
    writeFileSync(fileOf(folder, KEY), content)
    const { store, warnings } = open(folder)
    await keep(store)
    expect((await store.read()).current).toBe(ISSUER)
    expect(readFileSync(fileOf(folder, KEY), 'utf8')).toBe(content)
    expect(warnings).toHaveLength(1)
  })

  test('a symbolic link is left alone', async () => {
    const folder = emptyFolder()
    writeFileSync(join(folder, 'target'), 'theirs')
    symlinkSync(join(folder, 'target'), fileOf(folder, KEY))
    const { store, warnings } = open(folder)
    await keep(store)
    expect((await store.read()).current).toBe(ISSUER)
    expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('theirs')
    expect(warnings).toEqual([expect.stringContaining('symbolic link')])
  })

  test('what cannot be set aside stays, and this process remembers what it needs', async () => {
    const folder = emptyFolder()
    const file = fileOf(folder, KEY)
    writeFileSync(file, 'damaged')
    mkdirSync(`${file}.damaged`)
    const { store, warnings } = open(folder)
    await keep(store)
    expect((await store.read()).current).toBe(ISSUER)
    expect(readFileSync(file, 'utf8')).toBe('damaged')
    expect(warnings).toEqual([expect.stringContaining('cannot be kept')])
  })

  test('another process sets it aside first: there is nothing to be said', async () => {
    const folder = emptyFolder()
    const file = fileOf(folder, KEY)
    writeFileSync(file, 'damaged')
    const vault = fileVault(file)
    const read = async (): Promise<string | undefined> => {
      const content = await vault.read()
      rmSync(file, { force: true })
      return content
    }
    const { store, warnings } = open(folder, KEY, { ...vault, read })
    expect((await store.read()).issuers).toEqual({})
    expect(warnings).toEqual([])
    expect(readdirSync(folder)).toEqual([])
  })

  test('a folder that cannot be made costs a warning, not the sign-in', async () => {
    const parent = emptyFolder()
    // Root may write anywhere, but nobody makes a folder below a file.
    writeFileSync(join(parent, 'file'), '')
    const { store, warnings } = open(join(parent, 'file', 'credentials'))
    await keep(store)
    await keep(store)
    expect((await store.read()).current).toBe(ISSUER)
    expect(warnings).toEqual([expect.stringContaining('cannot be kept')])
  })
})

test.each<[string, (content: Record<string, unknown>) => unknown]>([
  ['of another layout', (content) => ({ ...content, layout: 2 })],
  ['of an issuer without tokens', (content) => ({ ...content, issuers: { [ISSUER]: {} } })],
  ['of an issuer that is not there', (content) => ({ ...content, current: 'https://b.example' })],
  ['that would break a header', (content) => withToken(content, { accessToken: 'a\nb' })],
  ['without a token', (content) => withToken(content, { accessToken: 1 })],
  ['without the time when it came', (content) => withToken(content, { obtainedAt: 'now' })],
  ['without its client', (content) => withToken(content, { clientId: null })],
  ['without its grant', (content) => withToken(content, { grant: undefined })],
])('a stored token %s is not used at the start', async (_, change) => {
  const folder = emptyFolder()
  const file = fileOf(folder, KEY)
  await keep(open(folder).store)
  expect(readStartTokens(file)).toBeDefined()
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')))))
  expect(readStartTokens(file)).toBeUndefined()
})

test('a token whose end is not known is used, and so is one that is asked for again', async () => {
  const folder = emptyFolder()
  const file = fileOf(folder, KEY)
  await keep(open(folder).store)
  const change = { expiresAt: undefined, refreshToken: undefined, grant: 'client_credentials' }
  writeFileSync(file, JSON.stringify(withToken(JSON.parse(readFileSync(file, 'utf8')), change)))
  expect(readStartTokens(file)).toMatchObject({ expiresAt: undefined, refreshable: true })
})

const withToken = (content: Record<string, unknown>, change: Record<string, unknown>): unknown => ({
  ...content,
  issuers: { [ISSUER]: { metadata: METADATA, tokens: { ...TOKENS, ...change } } },
})

test('whoever was taken for dead does not write over what the next one has saved', async () => {
  const folder = emptyFolder()
  const lock = fileOf(folder, KEY).replace(/json$/, 'lock')
  await open(folder).store.exclusive(async ({ record, save }) => {
    rmSync(lock) // somebody thought that we had died
    await keep(open(folder).store)
    await save({ ...record, current: 'https://old.example' })
  })
  expect((await open(folder).store.read()).current).toBe(ISSUER)
})

test('A-84: work under the lock is never interleaved, and sees what the one before has saved', async () => {
  const folder = emptyFolder()
  const count = (record: ServerRecord): number => record.tab?.openedAt ?? 0
  const add = (store: Credentials): Promise<void | undefined> =>
    store.exclusive(async ({ record, save }) => {
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
      await save({ ...record, tab: { openedAt: count(record) + 1 } })
    })
  const stores = [0, 1, 2].map(() => open(folder).store)
  await Promise.all(Array.from({ length: 12 }, (_, i) => add(stores[i % 3]!)))
  expect(count(await stores[0]!.read())).toBe(12)
  expect(readdirSync(folder).filter((name) => !name.endsWith('.json'))).toEqual([])
})

test('a lock that is not to be had before the end: nothing is done without it', async () => {
  const folder = emptyFolder()
  const result = await open(folder).store.exclusive(() => {
    const { store } = open(folder, KEY, undefined, AbortSignal.abort())
    return store.exclusive(() => Promise.resolve('done'))
  })
  expect(result).toBeUndefined()
})

test('the lock of the sign-in is had by one, and not waited for', async () => {
  const folder = emptyFolder()
  const first = await open(folder).store.signInLock()
  expect(await open(folder).store.signInLock()).toBeUndefined()
  await first?.release()
  expect(await open(folder).store.signInLock()).toBeDefined()
})

test('a folder of ours that was opened to others is closed again', async () => {
  const folder = join(emptyFolder(), 'credentials')
  mkdirSync(folder)
  chmodSync(folder, 0o777)
  await keep(open(folder).store)
  expect(readdirSync(folder)).toHaveLength(1)
})
