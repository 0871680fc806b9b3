// @ts-check
// A host for the benchmarks: starts a candidate, writes lines, counts lines.
import { spawn } from 'node:child_process'
import { createTally } from './tally.mjs'
import { usageOf } from './usage.mjs'

/** What a program may take to leave once its stdin has ended. */
const LEAVE_MS = 3_000

/**
 * @typedef {object} Host
 * @property {(text: string | Buffer) => void} write
 * @property {(count: number, withinMs?: number) => Promise<void>} lines waits until so many lines have come since the start
 * @property {() => number} count lines so far
 * @property {() => void} pause stops reading
 * @property {() => void} resume
 * @property {(onLine: ((text: string) => void) | undefined) => void} listen
 * @property {() => import('./usage.mjs').Usage} usage
 * @property {() => Promise<void>} end ends stdin and waits until the program has left
 * @property {() => void} kill
 */

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @param {number} deadlineMs
 * @returns {Host}
 */
export function startHost(command, args, env, deadlineMs) {
  const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
  let stderr = ''
  /** @type {((text: string) => void) | undefined} */
  let onLine
  let rest = ''
  const tally = createTally(deadlineMs, () => `stderr: ${stderr}`)
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr = (stderr + text).slice(-2000)))
  child.stdin.on('error', () => {})
  child.stdout.on('data', (/** @type {Buffer} */ chunk) => {
    let lines = 0
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines++
    if (onLine !== undefined) {
      const parts = (rest + chunk.toString('latin1')).split('\n')
      rest = parts.pop() ?? ''
      parts.forEach(onLine)
    }
    tally.add(lines)
  })
  const closed = new Promise((/** @type {(value: void) => void} */ resolve) => {
    child.on('error', (error) => tally.end(error))
    child.on('close', () => {
      tally.end(new Error(`${args.join(' ')} has ended: ${stderr}`))
      resolve()
    })
  })
  return {
    write: (text) => void child.stdin.write(text),
    lines: tally.reach,
    count: tally.count,
    pause: () => void child.stdout.pause(),
    resume: () => void child.stdout.resume(),
    listen(handler) {
      onLine = handler
    },
    usage: () => usageOf(child.pid ?? 0),
    async end() {
      child.stdin.end()
      const timer = setTimeout(() => child.kill('SIGKILL'), LEAVE_MS)
      await closed
      clearTimeout(timer)
    },
    kill: () => void child.kill('SIGKILL'),
  }
}
