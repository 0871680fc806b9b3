import { Writable } from 'node:stream'
import { afterEach, expect, test, vi } from 'vitest'
import { LOG_WINDOW_MS, MAX_LOG_LINES } from '../src/limits.ts'
import { createLog, sparing } from '../src/log.ts'

afterEach(() => {
  vi.useRealTimers()
})

/** A stderr, and its lines so far. */
function openStderr(): { stderr: Writable; lines: () => string[] } {
  let text = ''
  const stderr = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk)
      done()
    },
  })
  return { stderr, lines: () => text.split('\n').slice(0, -1) }
}

test('control characters of a server do not reach the terminal', () => {
  const { stderr, lines } = openStderr()
  createLog(stderr).warn('said \u001b]0;owned\u0007 and\r\nbridge: all is well\u202e\u2028')
  expect(lines()).toEqual(['bridge: said  ]0;owned  and bridge: all is well '])
})

test('who gives reason for a line with every message does not fill a disk', () => {
  vi.useFakeTimers()
  const { stderr, lines } = openStderr()
  const { warn } = sparing(createLog(stderr))
  for (let n = 0; n < 100_000; n++) warn(`line ${n}`)
  expect(lines()).toHaveLength(MAX_LOG_LINES + 1)
  expect(lines().at(-1)).toBe('bridge: too much to say; more is left out for a minute')
  vi.advanceTimersByTime(LOG_WINDOW_MS)
  warn('news')
  expect(lines().slice(-2)).toEqual([
    `bridge: ${100_000 - MAX_LOG_LINES} more lines were left out`,
    'bridge: news',
  ])
})
