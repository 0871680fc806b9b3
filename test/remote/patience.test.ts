import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { RelayError } from '../../src/errors.ts'
import { readFrame } from '../../src/frame.ts'
import { PATIENCE_CHECK_MS, PROGRESS_AFTER_MS } from '../../src/limits.ts'
import { createPatience, type Watch } from '../../src/remote/patience.ts'
import { keptLog } from '../support/log.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

/** A request that waits, and what becomes of it. */
function waiting(timeoutMs?: number, message = '{"id":"7","method":"tools/call"}') {
  const lines: string[] = []
  const errors: RelayError[] = []
  const log = { ...keptLog(), warn: (line: string) => lines.push(line) }
  const patience = createPatience(log, timeoutMs, Date.now)
  const watch: Watch = patience.watch(readFrame(message)!, (error) => {
    errors.push(error)
    watch.end()
  })
  return { lines, errors, patience, watch }
}

test('silence of a minute is said once, with the request, and is no failure', () => {
  const { lines, errors } = waiting()
  vi.advanceTimersByTime(PROGRESS_AFTER_MS - PATIENCE_CHECK_MS)
  expect(lines).toEqual([])
  vi.advanceTimersByTime(10 * PROGRESS_AFTER_MS)
  expect(lines).toEqual(['still waiting for an answer to tools/call (id "7") after 60 s'])
  expect(errors).toEqual([])
})

test('a batch has no id of its own', () => {
  const { lines } = waiting(undefined, '[{"id":"7","method":"ping"},{"id":"8","method":"ping"}]')
  vi.advanceTimersByTime(10 * PROGRESS_AFTER_MS)
  expect(lines).toEqual(['still waiting for an answer to a batch after 60 s'])
})

test('a request that has been heard of is not reported', () => {
  const { lines, watch } = waiting()
  watch.alive()
  vi.advanceTimersByTime(10 * PROGRESS_AFTER_MS)
  expect(lines).toEqual([])
})

test('a request that has ended is not reported, and nothing is after the close', () => {
  const ended = waiting()
  const closed = waiting()
  ended.watch.end()
  closed.patience.close()
  vi.advanceTimersByTime(10 * PROGRESS_AFTER_MS)
  expect([...ended.lines, ...closed.lines]).toEqual([])
})

test('with a limit, silence of that length is a failure', () => {
  const { errors } = waiting(5_000)
  vi.advanceTimersByTime(4_900)
  expect(errors).toEqual([])
  vi.advanceTimersByTime(PATIENCE_CHECK_MS)
  expect(errors.map(({ message }) => message)).toEqual([
    'The server sent nothing for 5 s, the limit set by --timeout.',
  ])
})

test('every sign of life starts the limit anew', () => {
  const { errors, watch } = waiting(5_000)
  for (let i = 0; i < 10; i++) {
    vi.advanceTimersByTime(4_000)
    watch.alive()
  }
  expect(errors).toEqual([])
  vi.advanceTimersByTime(6_000)
  expect(errors).toHaveLength(1)
})

test('only a limit makes patience limited', () => {
  expect(waiting().patience.limited).toBe(false)
  expect(waiting(1).patience.limited).toBe(true)
})
