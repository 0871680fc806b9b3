// @ts-check
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** @typedef {import('./server.mjs').Kind} Kind */
/** @typedef {import('./server.mjs').Random} Random */

/** No request may wait longer: two budgets of retries, and a grace. */
export const ANSWER_MS = 50_000

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'soak', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}

/**
 * A host with the bridge as its child. It knows what it has asked and complains about everything
 * that does not fit.
 * @param {Kind} kind
 * @param {Random} random
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
export function startSoakHost(kind, random, args, env) {
  const child = spawn(process.execPath, args, { env, stdio: 'pipe' })
  /** @type {Map<number, { since: number, nonce: string, call: boolean, method: string }>} */
  const waiting = new Map()
  /** @type {string[]} */
  const complaints = []
  /** What the host was told of each call. @type {Map<string, 'result' | 'error'>} */
  const calls = new Map()
  const counts = { asked: 0, results: 0, errors: 0, notes: 0 }
  /** @type {Record<string, number>} */
  const errors = {}
  let stderr = ''
  let rest = ''
  let lastNote = 0
  let next = 0

  child.stdin.on('error', () => {})
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
  child.stdout.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
  })
  child.on('exit', (code, signal) => {
    if (!ending) complaints.push(`the bridge has ended: ${code ?? signal}\n${stderr.slice(-2_000)}`)
  })
  let ending = false

  /** @param {string} line */
  function take(line) {
    const message = JSON.parse(line)
    if (message.method !== undefined) {
      counts.notes++
      if (message.method !== 'notifications/message') return
      const number = message.params.data
      if (number <= lastNote) complaints.push(`note ${number} after ${lastNote}`)
      lastNote = number
      return
    }
    const asked = waiting.get(message.id)
    if (asked === undefined) {
      complaints.push(`an answer nobody waits for: ${line.slice(0, 200)}`)
      return
    }
    waiting.delete(message.id)
    const { nonce, call } = asked
    if (message.error !== undefined) {
      counts.errors++
      const key = `${message.error.code} ${String(message.error.message).replaceAll(/http\S+/g, '…')}`
      errors[key] = (errors[key] ?? 0) + 1
    } else {
      counts.results++
      const text = call ? message.result.content?.[0]?.text : message.result.nonce
      if (asked.method !== 'initialize' && text !== nonce) {
        complaints.push(`the answer of another request: ${line.slice(0, 200)}`)
      }
    }
    if (call) calls.set(nonce, message.error === undefined ? 'result' : 'error')
  }

  /** @param {string} method @param {object} params */
  function ask(method, params) {
    const id = next++
    const nonce = `${kind}-${id}`
    const call = method === 'tools/call'
    const own = call ? { name: 'add', arguments: { nonce } } : { nonce }
    const meta = kind === 'stateless' ? { _meta: META } : {}
    waiting.set(id, { since: Date.now(), nonce, call, method })
    counts.asked++
    write({ jsonrpc: '2.0', id, method, params: { ...params, ...own, ...meta } })
  }

  /** @param {object} message */
  function write(message) {
    child.stdin.write(`${JSON.stringify(message)}\n`)
  }

  if (kind !== 'stateless') {
    const clientInfo = { name: 'soak', version: '1' }
    ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo })
    write({ jsonrpc: '2.0', method: 'notifications/initialized' })
  }

  return {
    child,
    complaints,
    counts,
    errors,
    calls,
    stderr: () => stderr,
    open: () => waiting.size,
    /** Settles with the first answer: before, the bridge may not listen for signals. */
    async started() {
      ask('tools/list', {})
      while (counts.results + counts.errors === 0) {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
    ask() {
      if (waiting.size < 40) ask(random.pick(['tools/call', 'tools/call', 'tools/list']), {})
    },
    /** Complains about requests that have waited too long. */
    check() {
      for (const [id, { since, method }] of waiting) {
        if (Date.now() - since < ANSWER_MS) continue
        complaints.push(`${method} (id ${id}) got no answer in ${ANSWER_MS / 1000} s`)
        waiting.delete(id)
      }
    },
    /** Resident memory of the bridge in MiB. */
    memory() {
      if (child.exitCode !== null || child.signalCode !== null) return Number.NaN
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
    },
    /** @returns {Promise<void>} */
    end() {
      ending = true
      child.stdin.end()
      if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
      return new Promise((resolve) => {
        const kill = setTimeout(() => {
          complaints.push('the bridge does not end')
          child.kill('SIGKILL')
        }, 5_000)
        child.once('exit', () => {
          clearTimeout(kill)
          resolve()
        })
      })
    },
  }
}
