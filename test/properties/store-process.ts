/** One of several processes that use the same sign-in: `node … <folder> <journal> <steps>`. */
import { appendFileSync } from 'node:fs'
import { openCredentials } from '../../src/store/credentials.ts'
import type { ServerRecord } from '../../src/store/record.ts'

/** What a process does next; the last two are its end. */
export type Step = 'read' | 'refresh' | 'die with the lock' | 'die after saving'

const ISSUER = 'https://as.example'

const [, , folder = '', journal = '', steps = '[]'] = process.argv

const write = (...words: (string | number)[]): void =>
  appendFileSync(journal, `${[process.pid, ...words].join(' ')}\n`)

const store = openCredentials(
  folder,
  { server: new URL('https://h.example/mcp'), resource: undefined, profile: 'default' },
  { warn: (line) => write('warning', line), state: () => {} },
  new AbortController().signal,
)

/** The number of the refresh token that is stored; each is used once, and its successor stored. */
function numberIn({ issuers }: ServerRecord): number {
  return Number(issuers[ISSUER]?.tokens?.refreshToken ?? '0')
}

function withNumber(record: ServerRecord, number: number): ServerRecord {
  const tokens = {
    accessToken: 'a'.repeat(2_000),
    refreshToken: String(number),
    obtainedAt: number,
    clientId: 'c',
    grant: 'authorization_code' as const,
  }
  const metadata = { issuer: ISSUER, token_endpoint: `${ISSUER}/token` }
  return { ...record, current: ISSUER, issuers: { [ISSUER]: { metadata, tokens } } }
}

async function die(): Promise<void> {
  process.kill(process.pid, 'SIGKILL')
  await new Promise(() => {})
}

async function take(step: Step): Promise<void> {
  if (step === 'read') {
    write('read', numberIn(await store.read()))
    return
  }
  const done = await store.exclusive(async ({ record, save }) => {
    if (step === 'die with the lock') return die()
    const number = numberIn(record)
    write('use', number)
    await new Promise((resolve) => setImmediate(resolve))
    await save(withNumber(record, number + 1))
    write('saved', number + 1)
    if (step === 'die after saving') await die()
    return true
  })
  if (done === undefined) write('warning', 'no lock')
}

for (const step of JSON.parse(steps) as Step[]) await take(step)
