// @ts-check
import { once } from 'node:events'

/**
 * What is looked at of a JSON-RPC message.
 *
 * @typedef {object} Message
 * @property {unknown} [id]
 * @property {string} [method]
 * @property {Record<string, Record<string, unknown>>} [params]
 * @property {Record<string, unknown>} [result]
 * @property {{ code: number }} [error]
 */

/**
 * @typedef {object} Program
 * @property {(text: string) => void} write Writes one line.
 * @property {() => Promise<void>} end Closes its stdin and waits until it has ended.
 */

/** How long a program may take to end after its stdin was closed. */
const END_MS = 10_000

/**
 * A program that speaks MCP over stdio. Its lines end with LF and with nothing else: readline would
 * cut at U+2028 too, which JSON allows.
 *
 * @param {() => import('node:child_process').ChildProcessWithoutNullStreams} start
 * @param {{ said(text: string, message: Message): void, ended(): void }} on
 * @returns {Program}
 */
export function startProgram(start, on) {
  const child = start()
  const closed = once(child, 'close')
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ chunk) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) hear(line)
  })
  child.stdin.on('error', () => {}) // it may be gone already
  // No pipe: each would put its listeners on the one stream that all of them share.
  child.stderr.on('data', (/** @type {Buffer} */ chunk) => process.stderr.write(chunk))
  void closed.then(on.ended)

  /** @param {string} line */
  function hear(line) {
    /** @type {Message} */
    let message
    try {
      message = JSON.parse(line)
    } catch {
      process.stderr.write(`not JSON on stdout: ${line}\n`)
      child.kill('SIGKILL')
      return
    }
    on.said(line, message)
  }

  return {
    write(text) {
      child.stdin.write(`${text}\n`)
    },
    async end() {
      child.stdin.end()
      const patience = setTimeout(() => child.kill('SIGKILL'), END_MS)
      await closed
      clearTimeout(patience)
    },
  }
}
