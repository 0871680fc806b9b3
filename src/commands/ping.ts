import { BridgeError } from '../errors.ts'
import { MAX_PINGS, PING_PAUSE_MS } from '../limits.ts'
import { text } from '../option-values.ts'
import { pause } from '../pause.ts'
import { withClient } from './client.ts'
import { refuseOperands } from './stored.ts'
import type { RunCommand } from './table.ts'

const DEFAULT_COUNT = 5

/** Measures round trips, one after the other. */
export const runPing: RunCommand = (line, process) => {
  refuseOperands(line, 1)
  const count = countOf(text(line.values['count']))
  return withClient(line, process, async ({ request, openedInMs, options }) => {
    const times: number[] = []
    for (let sent = 0; sent < count; sent++) {
      if (sent > 0) await pause(PING_PAUSE_MS)
      const startedAt = performance.now()
      await request('ping')
      times.push(performance.now() - startedAt)
    }
    const sorted = times.sort((a, b) => a - b)
    const at = (share: number): number => tenths(percentile(sorted, share))
    const figures = { min_ms: at(0), p50_ms: at(50), p95_ms: at(95), max_ms: at(100) }
    const { host } = options.url
    if (line.values['json'] === true) {
      const all = { server: host, initialize_ms: tenths(openedInMs), count, ...figures }
      process.stdout.write(`${JSON.stringify(all)}\n`)
      return 0
    }
    const { min_ms, p50_ms, p95_ms, max_ms } = figures
    process.stdout.write(
      `${host}: initialize ${tenths(openedInMs)} ms, then ${count} ${count === 1 ? 'ping' : 'pings'}\n` +
        `  min ${min_ms} ms  p50 ${p50_ms} ms  p95 ${p95_ms} ms  max ${max_ms} ms\n`,
    )
    return 0
  })
}

function countOf(value: string | undefined): number {
  if (value === undefined) return DEFAULT_COUNT
  const count = /^\d{1,4}$/.test(value) ? Number(value) : 0
  if (count > 0 && count <= MAX_PINGS) return count
  throw new BridgeError('usage', `--count is not a number from 1 to ${MAX_PINGS}: ${value}`)
}

/** The nearest rank: a time that was measured, not one between two. */
export function percentile(sorted: readonly number[], share: number): number {
  const rank = Math.max(1, Math.ceil((share / 100) * sorted.length))
  return sorted[rank - 1] ?? 0
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10
}
