// @ts-check
// A host for the benchmarks: starts a candidate, writes lines, counts lines.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Nothing in the suites takes longer on a machine that works. */
const DEADLINE_MS = 60_000

/** Clock ticks per second in /proc/<pid>/stat (USER_HZ is 100 on every Linux that Node runs on). */
const TICKS_PER_SECOND = 100

export const INITIALIZE = line({
  id: 0,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1' },
  },
})

export const INITIALIZED = line({ method: 'notifications/initialized' })

/** @param {object} message */
export function line(message) {
  return `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`
}

/** A call of about 1 KiB. @param {number} id */
export function call(id) {
  return line({
    id,
    method: 'tools/call',
    params: { name: 'echo', arguments: { text: 'y'.repeat(900) } },
  })
}

/**
 * @typedef {object} Host
 * @property {number} pid
 * @property {(text: string | Buffer) => void} write
 * @property {(count: number) => Promise<void>} lines waits until so many lines have come since the start
 * @property {() => number} count lines so far
 * @property {() => number} bytes
 * @property {() => void} pause stops reading
 * @property {() => void} resume
 * @property {(onLine: ((text: string) => void) | undefined) => void} listen
 * @property {() => { cpuMs: number, rssKiB: number, peakKiB: number, pssKiB: number }} usage
 * @property {() => Promise<void>} end
 */

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Host}
 */
export function startHost(command, args, env) {
  const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
  let count = 0
  let bytes = 0
  let stderr = ''
  let wanted = Infinity
  let arrived = () => {}
  /** @type {((text: string) => void) | undefined} */
  let onLine
  let rest = ''
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr = (stderr + text).slice(-2000)))
  child.stdin.on('error', () => {})
  child.stdout.on('data', (/** @type {Buffer} */ chunk) => {
    bytes += chunk.length
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) count++
    if (onLine !== undefined) {
      const parts = (rest + chunk.toString('latin1')).split('\n')
      rest = parts.pop() ?? ''
      parts.forEach(onLine)
    }
    if (count >= wanted) arrived()
  })
  const closed = new Promise((/** @type {(value: void) => void} */ resolve) =>
    child.on('close', () => resolve()),
  )
  return {
    pid: child.pid ?? 0,
    write: (text) => void child.stdin.write(text),
    lines: (target) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(
            new Error(`${count} of ${target} lines after ${DEADLINE_MS} ms; stderr: ${stderr}`),
          )
        }, DEADLINE_MS)
        void closed.then(() => reject(new Error(`${args.join(' ')} has ended: ${stderr}`)))
        arrived = () => {
          clearTimeout(timer)
          wanted = Infinity
          resolve()
        }
        wanted = target
        if (count >= target) arrived()
      }),
    count: () => count,
    bytes: () => bytes,
    pause: () => void child.stdout.pause(),
    resume: () => void child.stdout.resume(),
    listen(handler) {
      onLine = handler
    },
    usage: () => usageOf(child.pid ?? 0),
    async end() {
      child.stdin.end()
      const timer = setTimeout(() => child.kill('SIGKILL'), 3000)
      await closed
      clearTimeout(timer)
    },
  }
}

/** CPU and memory of a process (proc(5)). @param {number} pid */
export function usageOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const kib = (/** @type {string} */ name) =>
    Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1])
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
  return {
    cpuMs: (ticks * 1000) / TICKS_PER_SECOND,
    rssKiB: kib('VmRSS'),
    peakKiB: kib('VmHWM'),
    pssKiB: Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1]),
  }
}
