import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ARRIVAL_MS } from '../../src/limits.ts'
import { createArrivals } from '../../src/remote/arrivals.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

/** Whether a promise has settled once everything that is due has run. */
async function settled(promise: Promise<void> | undefined): Promise<boolean> {
  let done = false
  void promise?.then(() => {
    done = true
  })
  await vi.advanceTimersByTimeAsync(0)
  return done
}

test('nothing waits for a request that is not on its way', () => {
  const arrivals = createArrivals()
  expect(arrivals.arrived('1')).toBeUndefined()
  arrivals.expect(new Set(['1']))()
  expect(arrivals.arrived('1')).toBeUndefined()
})

test('a request is waited for until the server has shown that it has it', async () => {
  const arrivals = createArrivals()
  const arrived = arrivals.expect(new Set(['1', '"1"']))
  const wait = arrivals.arrived('"1"')
  expect(await settled(wait)).toBe(false)
  arrived()
  expect(await settled(wait)).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
})

test('a request is waited for no longer than a server needs to read it, counted from its start', async () => {
  const arrivals = createArrivals()
  arrivals.expect(new Set(['1']))
  await vi.advanceTimersByTimeAsync(ARRIVAL_MS - 1)
  const wait = arrivals.arrived('1')
  expect(await settled(wait)).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(await settled(wait)).toBe(true)
  expect(arrivals.arrived('1')).toBeUndefined()
})

test('the end of an earlier request with the same id changes nothing', () => {
  const arrivals = createArrivals()
  const first = arrivals.expect(new Set(['1']))
  arrivals.expect(new Set(['1']))
  first()
  expect(arrivals.arrived('1')).toBeDefined()
})
