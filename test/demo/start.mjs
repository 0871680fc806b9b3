// @ts-check
/**
 * `npm start`: the whole story in half a minute. Starts the companion Worker and its identity
 * provider on loopback, runs the bridge against it as an MCP host would, signs in, lists and calls
 * tools, lets the access token expire, and says what happened.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { completeSignIn } from '../worker/dev/browser.mjs'
import { startWorker } from '../worker/dev/serve.mjs'
import { startHost } from './host.mjs'

/** Lifetime of the demo's access tokens: short, so that a refresh can be watched. */
const TOKEN_LIFETIME_S = 5

/** How long a person may take to sign in. */
const SIGN_IN_MS = 5 * 60_000

const { values } = parseArgs({ options: { auto: { type: 'boolean', default: false } } })
const hasDisplay =
  process.platform === 'darwin' ||
  process.platform === 'win32' ||
  (process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY'] ?? '') !== ''
const auto = values.auto || !hasDisplay

const begun = performance.now()
let last = begun

/** @param {string} text */
function step(text) {
  const now = performance.now()
  process.stdout.write(`${`${Math.round(now - last)} ms`.padStart(8)}  ${text}\n`)
  last = now
}

/** @param {string} text */
function note(text) {
  process.stdout.write(`${' '.repeat(10)}${text}\n`)
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const bin = join(root, 'bin', 'bridge.cjs')
if (!existsSync(join(root, 'dist', 'cli.cjs'))) {
  const built = spawnSync('npm', ['run', 'build'], {
    cwd: root,
    stdio: 'pipe',
    shell: process.platform === 'win32',
  })
  if (built.status !== 0) throw new Error(`the build failed:\n${built.stderr}`)
  step('Built the bridge.')
}

const worker = await startWorker({
  flavour: 'oauth',
  vars: { ACCESS_TOKEN_TTL_S: String(TOKEN_LIFETIME_S), CONFORMANCE_FIXTURES: undefined },
})
step(`Started the companion Worker in workerd, and an identity provider: ${worker.url}`)

const home = mkdtempSync(join(tmpdir(), 'bridge-demo-'))
const url = `${worker.url}/mcp`
const host = startHost(process.execPath, [bin, url], {
  ...process.env,
  BRIDGE_HOME: home,
  ...(auto ? { BRIDGE_NO_BROWSER: '1' } : {}),
})
note(`Running as a host would: bridge ${url}`)

try {
  const initialized = host.request('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bridge-demo', version: '1.0.0' },
  })
  const link = await host.stderrMatch(/https?:\/\/\S+\/authorize\?\S+/, SIGN_IN_MS)
  step('The Worker asked for a sign-in; the bridge discovered, registered and made this link:')
  note(`${link.slice(0, 96)}…`)
  if (auto) {
    const page = await completeSignIn(link)
    step('A scripted browser signed in and agreed (--auto, or no display); the callback page says')
    note(`HTTP ${page.status} at ${new URL(page.finalUrl).origin}`)
  } else {
    note('Sign in in your browser: any of the users on the page will do.')
  }
  const { result } = await initialized
  step(
    `Connected to ${result.serverInfo.name} ${result.serverInfo.version}, MCP ${result.protocolVersion}.`,
  )
  host.notify('notifications/initialized')

  const tools = await host.request('tools/list')
  const names = tools.result.tools.map((/** @type {{ name: string }} */ tool) => tool.name)
  step(`${names.length} tools: ${names.join(', ')}`)

  const product = await host.call('calculator', { operation: 'multiply', a: 6, b: 7 })
  step(`calculator: 6 × 7 = ${product['result']}`)

  const started = await host.call('start_job', { task: 'count_words', input: 'three little words' })
  let job = started
  while (job['status'] === 'processing') {
    await new Promise((resolve) => {
      setTimeout(resolve, 100)
    })
    job = await host.call('get_job', { id: started['id'] })
  }
  step(
    `start_job answered at once: ${started['status']}; polled until ${job['status']}: ${job['result']}`,
  )

  const before = tokenRequests()
  await new Promise((resolve) => {
    setTimeout(resolve, (TOKEN_LIFETIME_S + 1) * 1000)
  })
  note(`Waited ${TOKEN_LIFETIME_S + 1} s: the access token has expired.`)
  const who = await host.call('whoami', {})
  step(
    `whoami: ${who['login'] ?? who['owner']}; ${tokenRequests() - before} token request, no browser.`,
  )

  const code = await host.end()
  step(`Closed stdin; the bridge ended its session and exited with ${code}.`)
  if (code !== 0) process.exitCode = 1
} catch (error) {
  process.stdout.write(
    `Failed: ${error instanceof Error ? error.message : error}\n${host.stderr()}\n`,
  )
  process.exitCode = 1
} finally {
  host.kill()
  await worker.stop()
  rmSync(home, { recursive: true, force: true })
}
note(`All of it took ${((performance.now() - begun) / 1000).toFixed(1)} s.`)

/** Token requests that the Worker has answered. */
function tokenRequests() {
  return worker.logs.filter(({ event, path }) => event === 'request' && path === '/oauth/token')
    .length
}
