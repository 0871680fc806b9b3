import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listRecords } from '../../src/store/list.ts'
import { emptyFolder } from './folder.ts'

const name = (letter: string): string => `${letter.repeat(32)}.json`

const record = (server: string): string =>
  JSON.stringify({ layout: 1, server, profile: 'default', issuers: {} })

test('sign-ins with servers and with identity providers are listed, and nothing else', async () => {
  const folder = emptyFolder()
  mkdirSync(join(folder, 'idp'))
  writeFileSync(join(folder, name('a')), record('https://a.example/'))
  writeFileSync(join(folder, 'idp', name('b')), record('https://b.example/'))
  writeFileSync(join(folder, `${name('a')}.damaged`), 'x')
  writeFileSync(join(folder, `${'a'.repeat(32)}.lock`), 'x')
  const { records, unreadable } = await listRecords(folder)
  expect(unreadable).toEqual([])
  expect(records.map(({ holder, where, record: { server } }) => [holder, where, server])).toEqual([
    ['server', 'file', 'https://a.example/'],
    ['identity provider', 'file', 'https://b.example/'],
  ])
})

test('a store that is not there is empty', async () => {
  const listing = await listRecords(join(emptyFolder(), 'none'))
  expect(listing).toEqual({ records: [], unreadable: [] })
})

test.each([
  ['no JSON', '{"secret":'],
  ['another shape', '{"layout":1,"server":1,"secret":"x"}'],
  ['no server', record('no secret URL')],
])('a file with %s is named, and its content is not', async (_, content) => {
  const folder = emptyFolder()
  writeFileSync(join(folder, name('a')), content)
  const { records, unreadable } = await listRecords(folder)
  expect(records).toEqual([])
  expect(unreadable).toEqual([{ name: name('a'), why: 'it cannot be understood' }])
})

test('why a file of somebody else is not read is said', async () => {
  const folder = emptyFolder()
  mkdirSync(join(folder, 'idp'))
  symlinkSync('/dev/null', join(folder, 'idp', name('a')))
  const { unreadable } = await listRecords(folder)
  expect(unreadable).toEqual([
    { name: join('idp', name('a')), why: expect.stringContaining('symbolic link') },
  ])
})
