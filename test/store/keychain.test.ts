import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { chooseKeychain } from '../../src/store/choose.ts'
import { openKeychain } from '../../src/store/keychain.ts'
import { type Ask, KeychainFailure } from '../../src/store/keychain-link.ts'
import { type KeptLog, keptLog } from '../support/log.ts'

/** A keychain in memory that takes texts of `max` characters. */
function keychain(max = Infinity): { ask: Ask; entries: Map<string, string> } {
  const entries = new Map<string, string>()
  return {
    entries,
    async ask({ account, write }) {
      if (write === undefined) return entries.get(account)
      if (write === null) entries.delete(account)
      else if (write.length > max) throw new KeychainFailure('too long')
      else entries.set(account, write)
      return undefined
    },
  }
}

function record(obtainedAt: number, accessToken = `token-${obtainedAt}`): string {
  const tokens = { accessToken, obtainedAt, clientId: 'c', grant: 'authorization_code' }
  const metadata = { issuer: 'https://a.example', token_endpoint: 'https://a.example/t' }
  const issuers = { 'https://a.example': { metadata, tokens } }
  const whose = { server: 'https://mcp.example/', profile: 'default' }
  return JSON.stringify({ layout: 1, ...whose, current: 'https://a.example', issuers })
}

/** The file that the record would be in. */
function place(content?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'bridge-keychain-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'record.json')
  if (content !== undefined) writeFileSync(file, content, { mode: 0o600 })
  return file
}

function listener(): { log: KeptLog; lines: string[] } {
  const log = keptLog()
  return { log, lines: log.lines }
}

test('an empty keychain is probed, and nothing of the probe stays', async () => {
  const { ask, entries } = keychain()
  const vault = await openKeychain('a', ask)
  expect(vault.opened).toBeUndefined()
  expect(entries.size).toBe(0)
  await vault.write('text')
  expect(await vault.read()).toBe('text')
  expect([...entries]).toEqual([['a', 'text']])
})

test('a keychain that gave the record back needs no probe', async () => {
  const { ask, entries } = keychain()
  entries.set('a', 'text')
  const asked: string[] = []
  const vault = await openKeychain('a', (question) => {
    asked.push(question.account)
    return ask(question)
  })
  expect(vault.opened).toBe('text')
  expect(asked).toEqual(['a'])
})

test.each([
  ['forgets', async (): Promise<undefined> => undefined],
  [
    'gives back something else',
    async ({ account }: { account: string }) => (account.includes('.probe') ? 'other' : undefined),
  ],
])('a keychain that %s is refused', async (_, ask) => {
  await expect(openKeychain('a', ask)).rejects.toThrow(KeychainFailure)
})

test('where entries are short, a text is kept in pieces, and old pieces are removed', async () => {
  const { ask, entries } = keychain(30)
  const vault = await openKeychain('a', ask, 30)
  for (const text of ['x'.repeat(95), 'y'.repeat(61), 'z'.repeat(30), `${'é'.repeat(31)}`]) {
    await vault.write(text)
    expect(await vault.read()).toBe(text)
    expect((await openKeychain('a', ask, 30)).opened).toBe(text)
    expect(entries.size).toBe(text.length > 30 ? 1 + Math.ceil(text.length / 30) : 1)
  }
})

test('a reader in the middle of a replacement finds the new text', async () => {
  const { ask } = keychain(30)
  const vault = await openKeychain('a', ask, 30)
  await vault.write('old '.repeat(10))
  let replaced = false
  const reader = await openKeychain(
    'a',
    async (question) => {
      const value = await ask(question)
      if (!replaced && question.account === 'a') {
        replaced = true
        await vault.write('new '.repeat(10))
      }
      return value
    },
    30,
  )
  expect(reader.opened).toBe('new '.repeat(10))
})

test('a keychain that is locked later does not make the sign-in disappear', async () => {
  const { ask } = keychain()
  let locked = false
  const vault = await openKeychain('a', (question) =>
    locked ? Promise.reject(new KeychainFailure('locked')) : ask(question),
  )
  locked = true
  // Nothing was there a moment ago, which says nothing about now: another process may sign in.
  await expect(vault.read()).rejects.toThrow('locked')
  locked = false
  await vault.write('text')
  locked = true
  expect(await vault.read()).toBe('text')
  await expect(vault.write('more')).rejects.toThrow('locked')
})

test('what is in the file moves to the keychain, once', async () => {
  const file = place(record(1))
  const { ask } = keychain()
  const { log, lines } = listener()
  const vault = await chooseKeychain(file, log, false, ask)
  expect(vault?.opened).toBe(record(1))
  expect(() => readFileSync(file)).toThrow('ENOENT')
  expect(lines).toEqual(['The stored sign-in was moved from its file into the keychain.'])
  expect((await chooseKeychain(file, log, false, ask))?.opened).toBe(record(1))
  expect(lines).toHaveLength(1)
})

test('two processes that start at once move it once', async () => {
  const file = place(record(1))
  const { ask } = keychain()
  const { log, lines } = listener()
  const both = await Promise.all([1, 2].map(() => chooseKeychain(file, log, false, ask)))
  for (const vault of both) expect(await vault?.read()).toBe(record(1))
  expect(lines).toHaveLength(1)
})

test.each([
  [1, 2, 2],
  [2, 1, 2],
])('file of %i, keychain of %i: the newer sign-in is used', async (inFile, inKeychain, used) => {
  const file = place()
  const { ask } = keychain()
  const { log } = listener()
  await (await chooseKeychain(file, log, false, ask))!.write(record(inKeychain))
  writeFileSync(file, record(inFile), { mode: 0o600 })
  expect((await chooseKeychain(file, log, false, ask))?.opened).toBe(record(used))
})

test('a keychain that cannot be used: the file is used and one line says why', async () => {
  const { log, lines } = listener()
  const ask: Ask = () => Promise.reject(new KeychainFailure('nobody is at home'))
  expect(await chooseKeychain(place(), log, false, ask)).toBeUndefined()
  expect(lines).toEqual([
    'The keychain cannot be used: nobody is at home. The sign-in is kept in a file.',
  ])
  await expect(chooseKeychain(place(), log, true, ask)).rejects.toMatchObject({
    code: 'store_unusable',
    message: 'The keychain cannot be used: nobody is at home.',
  })
})

test('a fault of our own is no reason to use a file', async () => {
  const ask: Ask = () => Promise.reject(new TypeError('a fault'))
  await expect(chooseKeychain(place(), listener().log, false, ask)).rejects.toThrow('a fault')
})

test('a record whose pieces are gone for good is missing, not empty', async () => {
  const { ask, entries } = keychain(30)
  const vault = await openKeychain('a', ask, 30)
  await vault.write('x'.repeat(95))
  for (const name of entries.keys()) if (name !== 'a') entries.delete(name)
  await expect(openKeychain('a', ask, 30)).rejects.toThrow('a part of the sign-in is missing there')
})

test('what is removed is gone with all its pieces, and with what was set aside', async () => {
  const { ask, entries } = keychain(30)
  const vault = await openKeychain('a', ask, 30)
  await vault.setAside('damaged '.repeat(10))
  await vault.write('x'.repeat(95))
  await vault.remove()
  expect([...entries.keys()]).toEqual([])
  expect(await vault.read()).toBeUndefined()
})
