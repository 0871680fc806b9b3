import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { type Link, linksToHost, watchHost } from '../../src/local/parent.ts'
import { until } from '../support/until.ts'

/** A process as it looks to itself. */
const seenAs = (pid: number, ppid: number): NodeJS.Process =>
  ({ pid, ppid }) as Partial<NodeJS.Process> as NodeJS.Process

function watched(own: NodeJS.Process, links: readonly Link[]): () => number {
  let deaths = 0
  const watch = watchHost(own, links, () => deaths++)
  onTestFinished(watch.stop)
  return () => deaths
}

test('a parent that is another one now was the host, and has died', async () => {
  const own = { ...seenAs(process.pid, 7) }
  const deaths = watched(own, [{ pid: own.pid, parent: 7 }])
  own.ppid = 1
  expect(await until('the death', () => deaths() > 0)).toBe(true)
})

test('a process between the host and us that is gone is a host that has died', async () => {
  const between = spawn('sleep', ['60'], { stdio: 'ignore' })
  onTestFinished(() => void between.kill('SIGKILL'))
  const deaths = watched(process, [
    { pid: process.pid, parent: process.ppid },
    { pid: between.pid!, parent: process.pid },
  ])
  const closed = once(between, 'close')
  between.kill('SIGKILL')
  await closed
  expect(await until('the death', () => deaths() > 0)).toBe(true)
})

test('where processes cannot be looked up, our own parent is what is watched', () => {
  // Beyond the highest id that Linux gives.
  const own = seenAs(2 ** 22 + 1, 2 ** 22 + 2)
  expect(linksToHost(own)).toEqual([{ pid: own.pid, parent: own.ppid }])
})
