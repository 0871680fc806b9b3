// @ts-check
import { spawn } from 'node:child_process'

/** How long the demo waits for any one answer. */
const ANSWER_MS = 60_000

/**
 * The smallest MCP host: starts a local program and speaks JSON-RPC with it over stdio.
 *
 * @param {string} command
 * @param {readonly string[]} argv
 * @param {NodeJS.ProcessEnv} env
 * @param {(line: string) => void} [onErrorLine] Takes each line of stderr.
 */
export function startHost(command, argv, env, onErrorLine = () => {}) {
  const child = spawn(command, argv, { env, stdio: 'pipe' })
  /** @type {Map<number, { resolve: (message: any) => void, reject: (error: Error) => void }>} */
  const open = new Map()
  let nextId = 0
  let output = ''
  let errors = ''
  /** @type {Set<() => void>} */
  const onError = new Set()
  /** @type {Promise<number | null>} */
  const exited = new Promise((resolve) => {
    child.on('close', (code) => {
      for (const { reject } of open.values()) reject(new Error('the bridge exited'))
      resolve(code)
    })
  })
  child.stdin.on('error', () => {}) // 'close' reports it
  child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ chunk) => {
    output += chunk
    const lines = output.split('\n')
    output = lines.pop() ?? ''
    for (const line of lines) take(JSON.parse(line))
  })
  child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ chunk) => {
    const complete = errors.lastIndexOf('\n') + 1
    errors += chunk
    errors.slice(complete).split('\n').slice(0, -1).forEach(onErrorLine)
    for (const look of onError) look()
  })

  /** @param {any} message */
  function take(message) {
    const waiting = message.method === undefined ? open.get(message.id) : undefined
    if (waiting === undefined) return
    open.delete(message.id)
    if (message.error === undefined) waiting.resolve(message)
    else waiting.reject(new Error(`${message.error.code}: ${message.error.message}`))
  }

  /**
   * @param {string} method
   * @param {object} [params]
   * @returns {Promise<any>}
   */
  function request(method, params) {
    const id = nextId++
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`no answer to ${method} within ${ANSWER_MS / 1000} s`))
      }, ANSWER_MS)
      const settle = () => clearTimeout(timer)
      open.set(id, {
        resolve: (message) => {
          settle()
          resolve(message)
        },
        reject: (error) => {
          settle()
          reject(error)
        },
      })
    })
  }

  return {
    request,
    stderr: () => errors,
    kill: () => child.kill('SIGKILL'),
    /** @param {string} method */
    notify(method) {
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method })}\n`)
    },
    /**
     * Calls a tool and gives its structured result; a tool error is an error.
     *
     * @param {string} name
     * @param {object} args
     * @returns {Promise<Record<string, unknown>>}
     */
    async call(name, args) {
      const { result } = await request('tools/call', { name, arguments: args })
      if (result.isError === true) throw new Error(`${name}: ${JSON.stringify(result.content)}`)
      return result.structuredContent
    },
    /**
     * The first part of stderr that fits, waited for.
     *
     * @param {RegExp} pattern
     * @param {number} ms
     * @returns {Promise<string>}
     */
    stderrMatch(pattern, ms) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(new Error(`the bridge did not print ${pattern} within ${ms / 1000} s`))
        }, ms)
        const look = () => {
          const found = pattern.exec(errors)
          if (found === null) return
          clearTimeout(timer)
          onError.delete(look)
          resolve(found[0])
        }
        onError.add(look)
        look()
        void exited.then(() => reject(new Error('the bridge exited')))
      })
    },
    /** Closes the host's side; settles with the exit code. */
    end() {
      child.stdin.end()
      return exited
    },
  }
}
