// @ts-check
/**
 * `npm run conformance -- [--role client|server] [--suite S] [--requirements R] [--scenario S]
 * [--bridge 'command with {url}']`: the official conformance suite against the packed bridge, in both
 * roles. As a client, the bridge does transport and OAuth for the host that `host.mjs` plays; as a
 * server, it stands between an HTTP adapter and the companion Worker or `server-everything`, and every
 * scenario is run without it too. Fails when a check fails that `expected.json` gives no reason for,
 * when a reason there has become needless, and when the suite lists a scenario that is not run.
 * `BRIDGE_TARBALL` names a tarball that is packed already.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { startEverything } from '../support/everything.mjs'
import { packAndInstall } from '../support/packed.mjs'
import { startWorker } from '../worker/dev/serve.mjs'
import { startAdapter } from './adapter.mjs'
import { playHost } from './host.mjs'
import { openPlaces } from './places.mjs'
import { forgotten, only, runsOf } from './runs.mjs'
import { findSuite } from './suite.mjs'
import { print } from './table.mjs'
import { judge } from './verdicts.mjs'

/** Client scenarios at once. Each is a bridge and now and then a browser. */
const CLIENT_SCENARIOS = 2

/** Suites of servers at once: each makes one request after the other. */
const SERVER_SUITES = 2

/**
 * Scenarios that are tried once more, alone and with a suite that is more patient: it gives some
 * requests half a second, which a busy machine may not have. More than these are no accident.
 */
const SECOND_TRIES = 8
const PATIENT = ['--import', new URL('patience.mjs', import.meta.url).href]

/** @typedef {import('./runs.mjs').Run} Run */

/** What the suite is sent to in its server role: an endpoint of both eras, or one of the other only. */
const ENDPOINTS = {
  '2025-11-25': { bridge: '/mcp', translated: '/modern/mcp', args: [] },
  // The suite has made up its mind: it does not fall back when its probe is refused.
  '2026-07-28': { bridge: '/mcp', translated: '/legacy/mcp', args: ['--protocol', 'translate'] },
}

const { values: options } = parseArgs({
  options: {
    role: { type: 'string' },
    suite: { type: 'string' },
    requirements: { type: 'string' },
    scenario: { type: 'string' },
    bridge: { type: 'string' },
  },
})

/** @type {import('./verdicts.mjs').Expected} */
const expected = JSON.parse(readFileSync(new URL('expected.json', import.meta.url), 'utf8'))

const began = Date.now()
const folder = mkdtempSync(join(tmpdir(), 'bridge-conformance-'))
const [suite, packed] = await Promise.all([
  findSuite(),
  options.bridge === undefined ? packAndInstall() : undefined,
])
const listed = await suite.list()
const runs = runsOf(options, listed)
const [worker, everything] = runs.some(({ role }) => role === 'server')
  ? await Promise.all([startWorker({ flavour: 'public' }), startEverything('streamableHttp')])
  : []
const bridge = { bin: packed?.bin, command: options.bridge }
const places = await openPlaces(CLIENT_SCENARIOS, (/** @type {import('./host.mjs').Task} */ task) =>
  playHost(task, bridge),
)

/** @type {Map<string, import('./verdicts.mjs').Results>} */
const results = new Map()
const servers = runs.filter(({ role }) => role === 'server')
// One suite of clients at a time: its scenarios all wait for a turn, and have a time limit.
const clients = runs.filter(({ role }) => role === 'client')
await Promise.all([work(clients), ...Array.from({ length: SERVER_SUITES }, () => work(servers))])
let judged = judgeAll()
const failing = judged.flatMap(({ run, cells }) =>
  [...cells].flatMap(([scenario, cell]) => (cell.failed.length > 0 ? [{ run, scenario }] : [])),
)
if (failing.length <= SECOND_TRIES) {
  for (const { run, scenario } of failing) {
    const again = await perform(only(run, scenario), `${run.name} ${scenario} again`, PATIENT)
    for (const [name, checks] of again) results.get(run.name)?.set(name, checks)
    process.stderr.write(`${seconds()} s: ${run.name}: ${scenario} was tried again, alone\n`)
  }
  judged = judgeAll()
}
places.close()
await worker?.stop()
everything?.stop()

const complete = Object.values(options).every(
  (value) => value === undefined || value === options.bridge,
)
const missing = complete ? forgotten(runs, listed) : []
const failed = print(judged, { compare: options.bridge !== undefined, missing })
if (failed === 0) rmSync(folder, { recursive: true, force: true })
else process.stderr.write(`what the suite said: ${folder}\n`)
if (packed !== undefined) rmSync(packed.folder, { recursive: true, force: true })
process.exitCode = failed === 0 ? 0 : 1

/** @param {Run[]} waiting */
async function work(waiting) {
  for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
    const made = await perform(run, run.name)
    // What the suite's own choice for this revision leaves out.
    for (const scenario of run.covers.filter((one) => !made.has(one))) {
      const more = await perform(only(run, scenario), `${run.name} ${scenario}`)
      for (const [name, checks] of more) made.set(name, checks)
    }
    results.set(run.name, made)
    process.stderr.write(`${seconds()} s: ${run.name} is through\n`)
  }
}

function seconds() {
  return Math.round((Date.now() - began) / 1000)
}

function judgeAll() {
  return runs.map((run) => {
    const made = results.get(run.name) ?? new Map()
    const direct = run.way === 'direct' ? undefined : results.get(`${run.group} direct`)
    const { cells, stale } = judge(run, made, direct, expected)
    return { run, cells, stale }
  })
}

/**
 * @param {Run} run
 * @param {string} name
 * @param {readonly string[]} nodeArgs
 */
function perform(run, name, nodeArgs = []) {
  const out = join(folder, name.replaceAll(/[ /]/g, '-'))
  mkdirSync(out)
  return run.role === 'client' ? asClient(run, out) : asServer(run, out, nodeArgs)
}

/**
 * @param {Run} run
 * @param {string} out
 */
function asClient({ args }, out) {
  const env = {
    PATH: dirname(process.execPath) + delimiter + process.env['PATH'],
    CONFORMANCE_PLACES: String(places.port),
  }
  const driver = ['--command', 'node test/conformance/driver.mjs']
  return suite.run('client', [...driver, ...args], { results: out, env })
}

/**
 * @param {Run} run
 * @param {string} out
 * @param {readonly string[]} nodeArgs
 */
async function asServer({ args, way, revision, server }, out, nodeArgs) {
  const endpoint = ENDPOINTS[/** @type {keyof typeof ENDPOINTS} */ (revision)]
  const path = endpoint[way === 'translated' ? 'translated' : 'bridge']
  const url = server === 'worker' ? `${worker?.url}${path}` : `${everything?.url}`
  const how = { results: out, nodeArgs }
  if (way === 'direct') return suite.run('server', ['--url', url, ...args], how)
  const more = way === 'translated' ? endpoint.args : []
  const home = mkdtempSync(join(folder, 'home-'))
  const adapter = await startAdapter(() => startBridge(url, more, home))
  try {
    return await suite.run('server', ['--url', adapter.url, ...args], how)
  } finally {
    await adapter.stop()
  }
}

/**
 * @param {string} url
 * @param {readonly string[]} args
 * @param {string} home
 */
function startBridge(url, args, home) {
  const env = { ...process.env, HOME: home, BRIDGE_HOME: home }
  if (packed !== undefined) return spawn(process.execPath, [packed.bin, url, ...args], { env })
  const command = (options.bridge ?? '').replaceAll('{url}', url)
  return spawn(`exec ${command}`, { shell: true, env })
}
