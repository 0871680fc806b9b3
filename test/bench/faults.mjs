// @ts-check
/**
 * `npm run faults`: how long the host is without its answer after each fault, for the bridge and, in
 * the same run, for mcp-remote 0.15.1. The host asks `tools/list`, and again when it gets an error
 * or has waited for three seconds, until it is answered.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startFrailServer } from './frail-server.mjs'
import { installPeer, titleOf } from './peers.mjs'

/** Nobody waits longer. */
const LIMIT_MS = 12_000
const ASK_MS = 3_000
const CALLS = 100

const root = fileURLToPath(new URL('../..', import.meta.url))
const homes = mkdtempSync(join(tmpdir(), 'bridge-faults-'))
const candidates = [
  { name: 'bridge', command: [join(root, 'bin', 'bridge.cjs')], ping: ['--ping-interval', '1s'] },
  { name: titleOf('mcp-remote'), command: [installPeer('mcp-remote')], ping: [] },
]

/** @typedef {Awaited<ReturnType<typeof startFrailServer>>} Server */
/** @typedef {ReturnType<typeof startHost>} Host */

/**
 * @param {string[]} args
 */
function startHost(args) {
  // What one run leaves behind (a lock, a session, a sign-in that waits) is no business of the next.
  const home = mkdtempSync(join(homes, 'host-'))
  const env = {
    ...process.env,
    BRIDGE_HOME: home,
    MCP_REMOTE_CONFIG_DIR: home,
    BRIDGE_WAKE_AFTER: '2s',
  }
  const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'ignore'] })
  child.stdin.on('error', () => {})
  /** @type {Map<unknown, (message: any) => void>} */
  const waiting = new Map()
  let news = 0
  let rest = ''
  let next = 0
  child.stdout.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines.filter((one) => one !== '')) {
      const message = JSON.parse(line)
      if (message.method === 'notifications/message') news++
      else if (message.method === undefined) waiting.get(message.id)?.(message)
    }
  })
  /**
   * @param {string} method
   * @param {object} params
   * @param {number} ms
   * @returns {Promise<any>} the answer, `undefined` when there is none in time
   */
  function ask(method, params = {}, ms = ASK_MS) {
    const id = next++
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms, undefined)
      waiting.set(id, (message) => {
        clearTimeout(timer)
        resolve(message)
      })
    })
  }
  return {
    child,
    ask,
    news: () => news,
    async hello() {
      const clientInfo = { name: 'faults', version: '1' }
      const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
      const answer = await ask('initialize', params, LIMIT_MS)
      child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
      return answer?.result !== undefined
    },
  }
}

/**
 * Asks until there is an answer.
 * @param {Host} host
 */
async function answered(host) {
  const begun = performance.now()
  let errors = 0
  while (performance.now() - begun < LIMIT_MS) {
    const answer = await host.ask('tools/list')
    if (answer?.result !== undefined) return told(performance.now() - begun, errors)
    errors++
    await sleep(50)
  }
  return told(undefined, errors)
}

/**
 * Waits until what the server says by itself reaches the host.
 * @param {Host} host
 * @param {Server} server
 */
async function heard(host, server) {
  const begun = performance.now()
  const before = host.news()
  while (performance.now() - begun < LIMIT_MS) {
    server.say()
    await sleep(20)
    if (host.news() > before) return told(performance.now() - begun, 0)
  }
  return told(undefined, 0)
}

/**
 * @param {number | undefined} ms
 * @param {number} errors
 */
function told(ms, errors) {
  const time = ms === undefined ? `not in ${LIMIT_MS / 1000} s` : `${ms.toFixed(0)} ms`
  return errors === 0 ? time : `${time}, after ${errors} failed`
}

/** @type {{ name: string, relay?: boolean, ping?: boolean, inflict(host: Host, server: Server): Promise<string> }[]} */
const rows = [
  {
    name: 'session lost (404)',
    inflict(host, server) {
      server.forgetSessions()
      return answered(host)
    },
  },
  {
    name: 'session lost (400)',
    inflict(host, server) {
      server.faults.unknown = 400
      server.forgetSessions()
      return answered(host)
    },
  },
  {
    name: 'stream cut: next message of the server',
    inflict(host, server) {
      for (const stream of server.streams) stream.socket?.resetAndDestroy()
      return heard(host, server)
    },
  },
  {
    name: 'server restarted, away for 2 s',
    async inflict(host, server) {
      await server.down()
      setTimeout(() => void server.up(), 2_000)
      return answered(host)
    },
  },
  {
    name: 'the same: next message of the server',
    async inflict(host, server) {
      await server.down()
      await sleep(2_000)
      await server.up()
      return heard(host, server)
    },
  },
  {
    name: '503 with Retry-After: 1',
    inflict(host, server) {
      server.faults.busy = 1
      return answered(host)
    },
  },
  {
    name: `idle connections closed at 60 ms: ${CALLS} calls`,
    async inflict(host, server) {
      server.faults.idleMs = 60
      let failed = 0
      for (let call = 0; call < CALLS; call++) {
        const answer = await host.ask('tools/call', { name: 'x' })
        if (answer?.result === undefined) failed++
        await sleep(56 + (call % 8))
      }
      return `${failed} failed`
    },
  },
  {
    name: 'router forgets the connections',
    relay: true,
    ping: true,
    async inflict(host, server) {
      await sleep(1_500)
      server.forgetConnections()
      return answered(host)
    },
  },
  {
    name: 'router forgets, after a call',
    relay: true,
    async inflict(host, server) {
      await host.ask('tools/list')
      await sleep(1_500)
      server.forgetConnections()
      return answered(host)
    },
  },
  {
    name: 'asleep for 4 s, connections forgotten',
    relay: true,
    async inflict(host, server) {
      host.child.kill('SIGSTOP')
      server.forgetConnections()
      await sleep(4_000)
      host.child.kill('SIGCONT')
      return answered(host)
    },
  },
]

/**
 * @param {typeof candidates[number]} candidate
 * @param {typeof rows[number]} row
 */
async function measure({ command, ping }, { relay, ping: pings, inflict }) {
  const server = await startFrailServer()
  const url = relay === true ? server.relayUrl : server.url()
  const host = startHost([...command, url, ...(pings === true ? ping : [])])
  try {
    if (!(await host.hello())) return 'did not start'
    const until = performance.now() + LIMIT_MS
    while (server.streams.size === 0 && performance.now() < until) await sleep(10)
    return await inflict(host, server)
  } finally {
    host.child.kill('SIGKILL')
    server.close()
  }
}

/** @param {typeof candidates[number]} candidate */
async function lateStart({ command }) {
  const server = await startFrailServer()
  const url = server.url()
  await server.down()
  const begun = performance.now()
  const host = startHost([...command, url])
  setTimeout(() => void server.up(), 2_500)
  try {
    const ok = await host.hello()
    return ok ? told(performance.now() - begun, 0) : 'never'
  } finally {
    host.child.kill('SIGKILL')
    server.close()
  }
}

const line = (/** @type {string[]} */ cells) => process.stdout.write(`| ${cells.join(' | ')} |\n`)
line(['fault', ...candidates.map(({ name }) => name)])
line(['---', ...candidates.map(() => '---')])
for (const row of rows) {
  const cells = []
  for (const candidate of candidates) cells.push(await measure(candidate, row))
  line([row.name, ...cells])
}
const late = []
for (const candidate of candidates) late.push(await lateStart(candidate))
line(['server comes up 2.5 s late: initialize', ...late])
rmSync(homes, { recursive: true, force: true })
