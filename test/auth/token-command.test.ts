import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Authorizer, Refusal } from '../../src/auth/index.ts'
import { createCommandAuthorizer } from '../../src/auth/token-command.ts'
import { keptLog } from '../support/log.ts'
import { emptyFolder } from '../store/folder.ts'

/** The authorizer of a program that counts its starts, and prints another token each time. */
function counting(): { authorizer: Authorizer; starts(): number } {
  const file = join(emptyFolder(), 'starts')
  writeFileSync(file, '')
  const script = `
    const { appendFileSync, readFileSync } = require('node:fs')
    appendFileSync(${JSON.stringify(file)}, 'x')
    console.log('token-' + readFileSync(${JSON.stringify(file)}).length)`
  const world = { log: keptLog(), env: process.env, now: Date.now }
  const authorizer = createCommandAuthorizer([process.execPath, '-e', script], world)
  onTestFinished(() => authorizer.close())
  return { authorizer, starts: () => readFileSync(file).length }
}

const refusal = (credential: string, more: Partial<Refusal> = {}): Refusal => ({
  status: 401,
  authenticate: [],
  credential,
  round: 0,
  stepUps: 0,
  background: false,
  operation: 'POST',
  ...more,
})

test('--token-command: requests that were refused with the same token share one run', async () => {
  const { authorizer, starts } = counting()
  expect(await authorizer.due()).toEqual({ ok: true })
  expect(authorizer.credential()).toBe('Bearer token-1')
  expect(authorizer.due()).toBeUndefined()
  const one = refusal('Bearer token-1')
  const both = [authorizer.renew(one), authorizer.renew(one)]
  expect(await Promise.all(both)).toEqual([{ ok: true }, { ok: true }])
  // One that comes late has been overtaken: the token it was refused with is not the one in use.
  expect(await authorizer.renew(one)).toEqual({ ok: true })
  expect(authorizer.headers({ method: 'POST', url: new URL('https://h.example') })).toEqual({
    authorization: 'Bearer token-2',
  })
  expect(starts()).toBe(2)
  expect(authorizer.pending()).toBeUndefined()
})

test('--token-command: another run helps neither a request that was refused again nor one that is not allowed', async () => {
  const { authorizer, starts } = counting()
  await authorizer.due()
  const refused = { ok: false, hint: expect.stringContaining('--token-command') }
  expect(await authorizer.renew(refusal('Bearer token-1', { round: 1 }))).toEqual(refused)
  expect(await authorizer.renew(refusal('Bearer token-1', { status: 403 }))).toEqual(refused)
  expect(starts()).toBe(1)
})
