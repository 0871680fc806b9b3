// @ts-check
/**
 * `npm run bench [-- --suite echo-json,pipelined] [--rounds N] [--no-peers] [--json FILE] [--smoke]`
 *
 * Compares the packed bridge with the floor (floor.mjs), mcp-remote and supergateway, in one run, the
 * candidates taking turns. Prints medians and ratios. `--smoke` runs everything in small and fails
 * only when something does not work or a message is lost: it judges no time.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { prepareCandidates } from './candidates.mjs'
import { startHost } from './host.mjs'
import { SUITES } from './suites.mjs'

const { values } = parseArgs({
  options: {
    suite: { type: 'string' },
    rounds: { type: 'string' },
    'no-peers': { type: 'boolean', default: false },
    json: { type: 'string' },
    smoke: { type: 'boolean', default: false },
  },
})

/** What a smoke run does of a full one. */
const SMOKE_SCALE = 0.02

const names = values.suite?.split(',')
const suites = SUITES.filter(({ name }) => names === undefined || names.includes(name))
if (suites.length === 0)
  throw new Error(`no such suite; there are ${SUITES.map(({ name }) => name).join(', ')}`)

const near = await startServer(0)
const far = await startServer(40)
const { candidates, folder } = await prepareCandidates(!values.smoke && !values['no-peers'])
const home = mkdtempSync(join(tmpdir(), 'bridge-bench-'))
/** @type {NodeJS.ProcessEnv} */
const env = { ...process.env, BRIDGE_HOME: home, MCP_REMOTE_CONFIG_DIR: home }
// Reading extra certificates costs 50 ms at every start of Node 20, whatever the program.
delete env['NODE_EXTRA_CA_CERTS']

/** @type {{ suite: string, figure: string, unit: string, values: Record<string, number[]> }[]} */
const results = []
const problems = []
process.stdout.write(`Node ${process.version}, ${process.platform} ${process.arch}\n`)

try {
  for (const suite of suites) {
    const figures = Object.entries(suite.units).map(([figure, unit]) => {
      /** @type {Record<string, number[]>} */
      const measured = Object.fromEntries(candidates.map(({ name }) => [name, []]))
      return { suite: suite.name, figure, unit, values: measured }
    })
    /** @type {Set<string>} */
    const failed = new Set()
    const rounds = values.smoke ? 1 : Number(values.rounds ?? suite.rounds)
    for (let round = 0; round < rounds; round++) {
      for (const candidate of candidates) {
        // A peer that has failed once waits for its deadline each time: minutes of a run for nothing.
        if (failed.has(candidate.name)) continue
        try {
          const measured = await suite.run(benchOf(candidate))
          for (const entry of figures)
            entry.values[candidate.name]?.push(measured[entry.figure] ?? NaN)
        } catch (error) {
          const problem = `${suite.name}, ${candidate.name}: ${/** @type {Error} */ (error).message}`
          if (candidate.optional) failed.add(candidate.name)
          else problems.push(problem)
          process.stderr.write(`${problem.split('\n', 1)[0]}\n`)
        }
      }
    }
    results.push(...figures)
    print(suite, figures)
  }
} finally {
  near.stop()
  far.stop()
  rmSync(home, { recursive: true, force: true })
  rmSync(folder, { recursive: true, force: true })
}
for (const { suite, figure, values: measured } of results) {
  if (figure !== 'lost' && figure !== 'disorder') continue
  if (measured['bridge']?.some((count) => count !== 0)) problems.push(`${suite}: ${figure}`)
}
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(results, null, 2))
if (values.smoke) {
  process.stdout.write(`${suites.length - problems.length} passed, ${problems.length} failed\n`)
}
for (const problem of problems) process.stderr.write(`${problem}\n`)
process.exitCode = problems.length === 0 ? 0 : 1

/** @param {number} delayMs */
async function startServer(delayMs) {
  const script = fileURLToPath(new URL('server.mjs', import.meta.url))
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, BENCH_DELAY_MS: String(delayMs) },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [port] = await once(child.stdout, 'data')
  return {
    url: `http://127.0.0.1:${String(port).trim()}`,
    stop: () => void child.stdin.end(),
  }
}

/** @param {import('./candidates.mjs').Candidate} candidate */
function benchOf({ argv }) {
  let { url } = near
  return {
    scale: values.smoke ? SMOKE_SCALE : 1,
    requests: async () => Number(await (await fetch(`${url}/requests`)).text()),
    /** @param {string} path */
    start(path) {
      url = path.startsWith('/far') ? far.url : near.url
      const target = `${url}${path.replace('/far', '')}`
      const transport = path === '/legacy' ? 'sse' : 'http'
      return startHost(process.execPath, argv(target, transport), env)
    },
  }
}

/**
 * @param {import('./suites.mjs').Suite} suite
 * @param {typeof results} figures
 */
function print({ title }, figures) {
  const heads = candidates.map(({ name }) => name)
  process.stdout.write(
    `\n${title}\n\n| | ${heads.join(' | ')} |\n|---|${heads.map(() => '---').join('|')}|\n`,
  )
  for (const { figure, unit, values: measured } of figures) {
    const medians = heads.map((name) => median(measured[name] ?? []))
    const [floor] = medians
    const cells = medians.map((value, index) => {
      if (Number.isNaN(value)) return 'fails'
      const text = `${value < 10 ? value.toFixed(2) : Math.round(value).toLocaleString('en')}`
      const ratio = index === 0 || !floor ? '' : ` (${(value / floor).toFixed(2)} ×)`
      return text + ratio
    })
    process.stdout.write(`| ${figure}${unit === '' ? '' : `, ${unit}`} | ${cells.join(' | ')} |\n`)
  }
}

/** @param {number[]} numbers */
function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? NaN
}
