// @ts-check
/** The official suite as a program: what it can run, and what came of a run. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const SUITE = '@modelcontextprotocol/conformance@0.2.0-alpha.12'

/** The suite runs all scenarios of a client at once; the driver limits the time after its turn has come. */
const SCENARIO_MS = '600000'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * One check of a scenario, as the suite reports it.
 *
 * @typedef {{ id: string, status: string, errorMessage?: string }} Check
 */

/**
 * @typedef {'client' | 'server'} Role
 * @typedef {Map<string, string[]>} Scenarios By name, the revisions that they apply to (or `extension`).
 */

/** @typedef {{ results: string, env?: Record<string, string>, nodeArgs?: readonly string[] }} RunOptions */

/**
 * @typedef {object} Suite
 * @property {() => Promise<Record<Role, Scenarios>>} list
 * @property {(role: Role, args: readonly string[], options: RunOptions) => Promise<Map<string, Check[]>>} run
 *   The checks of each scenario; the suite's own words go to `<results>.log`.
 */

/**
 * Fetches the suite and the Node it needs (24), once; npx keeps both.
 *
 * @returns {Promise<Suite>}
 */
export async function findSuite() {
  const where = 'node -p process.execPath && command -v conformance'
  const packages = ['-y', '--prefer-offline', '-p', 'node@24', '-p', SUITE]
  const found = await promisify(execFile)('npx', [...packages, '-c', where], { cwd: root })
  const [node = '', script = ''] = found.stdout.trim().split('\n')

  /** @param {readonly string[]} args */
  async function ask(args) {
    const { stdout } = await promisify(execFile)(node, [script, ...args])
    return stdout
  }

  return {
    async list() {
      const text = await ask(['list'])
      return { client: scenariosOf(text, 'Client'), server: scenariosOf(text, 'Server') }
    },
    async run(role, args, { results, env = {}, nodeArgs = [] }) {
      const options = ['--output-dir', results, '--timeout', SCENARIO_MS]
      const log = createWriteStream(`${results}.log`)
      const child = spawn(node, [...nodeArgs, script, role, ...args, ...options], {
        cwd: root,
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let said = ''
      child.stdout.on('data', (/** @type {Buffer} */ chunk) => (said += chunk.toString()))
      for (const stream of [child.stdout, child.stderr]) stream.pipe(log, { end: false })
      await once(child, 'close')
      log.end()
      return withUnheard(readResults(results, role), said)
    },
  }
}

/**
 * @param {string} text What `list` prints: a section for each role.
 * @param {string} heading
 * @returns {Scenarios}
 */
function scenariosOf(text, heading) {
  const section = text.split(/^(?=\S)/m).find((one) => one.startsWith(`${heading} scenarios`))
  const lines = (section ?? '').matchAll(/^ +- (\S+) \[(.*)\]$/gm)
  return new Map([...lines].map(([, name = '', revisions = '']) => [name, revisions.split(',')]))
}

/**
 * @param {string} results
 * @param {Role} role
 */
function readResults(results, role) {
  /** @type {Map<string, Check[]>} */
  const checks = new Map()
  const file = /^(.+)-\d{4}-\d\d-\d\dT[^/\\]*[/\\]checks\.json$/
  for (const path of readdirSync(results, { recursive: true, encoding: 'utf8' }).sort()) {
    const folder = file.exec(path)?.[1]?.replaceAll('\\', '/')
    if (folder === undefined) continue
    const scenario = role === 'server' ? folder.replace(/^server-/, '') : folder
    checks.set(scenario, JSON.parse(readFileSync(join(results, path), 'utf8')))
  }
  return checks
}

/**
 * A scenario that threw has no file, only a line in the summary.
 *
 * @param {Map<string, Check[]>} checks
 * @param {string} said
 */
function withUnheard(checks, said) {
  for (const [, scenario = ''] of said.matchAll(/^[✓✗] (\S+): \d+ passed, \d+ failed/gm)) {
    const errorMessage = 'the scenario did not run to its end'
    if (!checks.has(scenario))
      checks.set(scenario, [{ id: scenario, status: 'FAILURE', errorMessage }])
  }
  return checks
}
