import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { RelayError } from '../../src/errors.ts'
import { readFrame } from '../../src/frame.ts'
import { createPatience } from '../../src/remote/patience.ts'

const frame = readFrame('{"jsonrpc":"2.0","id":"a","method":"tools/call"}')!

let lines: string[]
beforeEach(() => {
  vi.useFakeTimers()
  lines = []
})
afterEach(() => {
  vi.useRealTimers()
})

function patienceOf(timeoutMs?: number) {
  return createPatience({ warn: (line) => lines.push(line) }, timeoutMs, Date.now)
}

test('a minute without an answer is said once, and is no failure', () => {
  const given: RelayError[] = []
  const patience = patienceOf()
  const watch = patience.watch(frame, (error) => given.push(error))
  vi.advanceTimersByTime(59_000)
  expect(lines).toEqual([])
  vi.advanceTimersByTime(2_000)
  expect(lines).toEqual(['still waiting for an answer to tools/call (id "a") after 60 s'])
  vi.advanceTimersByTime(3_600_000)
  expect(lines).toHaveLength(1)
  expect(given).toEqual([])
  watch.end()
  patience.close()
  expect(vi.getTimerCount()).toBe(0)
})

test('an answer that has begun, or ended, is not reported', () => {
  const patience = patienceOf()
  patience.watch(frame, () => {}).alive()
  patience.watch(frame, () => {}).end()
  vi.advanceTimersByTime(120_000)
  expect(lines).toEqual([])
  patience.close()
})

test('silence as long as the user allows ends a request; signs of life put it off', () => {
  const given: RelayError[] = []
  const patience = patienceOf(90_000)
  const watch = patience.watch(frame, (error) => {
    given.push(error)
    watch.end()
  })
  for (let i = 0; i < 10; i++) {
    vi.advanceTimersByTime(60_000)
    watch.alive()
  }
  vi.advanceTimersByTime(89_000)
  expect(given).toEqual([])
  vi.advanceTimersByTime(2_000)
  expect(given.map(({ message }) => message)).toEqual([
    'The server sent nothing for 90 s, the limit set by --timeout.',
  ])
  vi.advanceTimersByTime(600_000)
  expect(given).toHaveLength(1)
  patience.close()
})
