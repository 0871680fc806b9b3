import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { KeychainFailure, linkToKeychain, withSessionBus } from '../../src/store/keychain-link.ts'
import { until } from '../support/until.ts'

/** The command line of a process that answers each line with what the source makes of it. */
function answering(source: string): string[] {
  return [
    '-e',
    `require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const question = JSON.parse(line)
      const say = (text) => process.stdout.write(text + '\\n')
      ${source}
    })`,
  ]
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bridge-link-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('questions asked at once get their own answers, from one process', async () => {
  const echo = answering('say(JSON.stringify({ value: question.account + process.pid }))')
  const ask = linkToKeychain(echo)
  const answers = await Promise.all(['a', 'b', 'c'].map((account) => ask({ account })))
  const pid = answers[0]!.slice(1)
  expect(answers).toEqual([`a${pid}`, `b${pid}`, `c${pid}`])
})

test.each([
  ['an error', "say(JSON.stringify({ error: 'it is locked' }))", 'it is locked'],
  ['something else', "say('Password:')", 'its process answered something else'],
  ['nothing, and ends', 'process.exit(0)', 'its process ended unexpectedly'],
])('a process that answers %s', async (_, source, why) => {
  const ask = linkToKeychain(answering(source))
  await expect(ask({ account: 'a' })).rejects.toThrow(new KeychainFailure(why))
})

test('a process that does not answer is killed, and the next question starts another one', async () => {
  const pidFile = join(temporary(), 'pid')
  const source = `require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid))
    if (question.account === 'a') for (;;) {}
    say(JSON.stringify({ value: 'here' }))`
  const ask = linkToKeychain(answering(source), 2_000)
  await expect(ask({ account: 'a' })).rejects.toThrow('did not answer within 2 s; it may be locked')
  const pid = Number(readFileSync(pidFile, 'utf8'))
  await until('the end of the process', () => {
    try {
      process.kill(pid, 0)
      return false
    } catch {
      return true
    }
  })
  expect(await ask({ account: 'b' })).toBe('here')
})

test('the session bus of systemd is found when the host does not name one', () => {
  const socket = join(temporary(), 'bus')
  expect(withSessionBus({ A: '1' }, socket)).toEqual({ A: '1' })
  writeFileSync(socket, '')
  const found = { A: '1', DBUS_SESSION_BUS_ADDRESS: `unix:path=${socket}` }
  expect(withSessionBus({ A: '1' }, socket)).toEqual(found)
  const named = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/elsewhere' }
  expect(withSessionBus(named, socket)).toEqual(named)
})
