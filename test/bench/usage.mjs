// @ts-check
import { readdirSync, readFileSync } from 'node:fs'

/** Clock ticks per second in /proc/<pid>/stat (USER_HZ is 100 on every Linux that Node runs on). */
const TICKS_PER_SECOND = 100

/** @typedef {{ cpuMs: number, rssKiB: number, peakKiB: number, pssKiB: number }} Usage */

/** What a candidate without a process of its own uses, or one where there is no /proc. @type {Usage} */
export const UNKNOWN_USAGE = { cpuMs: NaN, rssKiB: NaN, peakKiB: NaN, pssKiB: NaN }

/** CPU and memory of a process (proc(5)). @param {number} pid @returns {Usage} */
export function usageOf(pid) {
  if (process.platform !== 'linux') return UNKNOWN_USAGE
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const kib = (/** @type {string} */ name) =>
    Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1])
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
  return {
    cpuMs: cpuMsOf(pid),
    rssKiB: kib('VmRSS'),
    peakKiB: kib('VmHWM'),
    pssKiB: Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1]),
  }
}

/**
 * CPU of all threads. The scheduler counts nanoseconds; the ticks of `stat`, 10 ms each, are a tenth
 * of a whole start.
 *
 * @param {number} pid
 */
function cpuMsOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1'))
      .reduce((sum, text) => sum + Number(text.split(' ', 1)[0]) / 1e6, 0)
  } catch {
    // A kernel without scheduler statistics.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND
  }
}
