import { expect, onTestFinished, test } from 'vitest'
import { watchClock } from '../../src/remote/wake.ts'

test('a clock that jumps is noticed once, one that runs on is not', async () => {
  let time = 0
  const slept: number[] = []
  onTestFinished(
    watchClock(
      20,
      (ms) => slept.push(ms),
      () => time,
    ),
  )
  let looks = 0
  const tick = setInterval(() => {
    looks++
    time += looks === 5 ? 60_000 : 10
  }, 10)
  onTestFinished(() => clearInterval(tick))
  await expect.poll(() => looks).toBeGreaterThan(10)
  expect(slept).toHaveLength(1)
  expect(slept[0]).toBeGreaterThan(59_000)
})
