// @ts-check
/**
 * `npm run profile`: where the time of a relayed call goes, by part of the program. 64 calls of 1 KiB are in
 * flight, as in the suite `pipelined`; the build is not minified, so that its source maps tell the parts.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startHost } from './host.mjs'
import { INITIALIZE, INITIALIZED } from './messages.mjs'
import { tableText } from './report.mjs'
import { startServer } from './servers.mjs'
import { inFlight } from './suite.mjs'

/** So many that what happens at the start does not show. */
const CALLS = 50_000
const DEADLINE_MS = 120_000

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'bridge-profile-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const dist = join(folder, 'dist')
execFileSync('npm', ['run', '--silent', 'build', '--', '--silent', '--out-dir', dist], {
  cwd: root,
  env: { ...process.env, BRIDGE_COVERAGE: '1' },
})
cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true })
cpSync(join(root, 'package.json'), join(folder, 'package.json'))

const server = await startServer(0)
const program = join(folder, 'bin', 'bridge.cjs')
const switches = ['--cpu-prof', `--cpu-prof-dir=${folder}/profile`]
const env = { ...process.env, HOME: folder }
const host = startHost(
  process.execPath,
  [...switches, program, `${server.url}/json`],
  env,
  DEADLINE_MS,
)
host.write(INITIALIZE)
await host.lines(1)
host.write(INITIALIZED)
await inFlight(host, CALLS)
await host.end()
server.stop()

/** @type {Map<string, SourceMap | undefined>} */
const maps = new Map()

/** @param {string} file */
function mapOf(file) {
  if (!maps.has(file)) {
    const path = join(dist, `${file}.map`)
    const exists = readdirSync(dist).includes(`${file}.map`)
    maps.set(file, exists ? new SourceMap(JSON.parse(readFileSync(path, 'utf8'))) : undefined)
  }
  return maps.get(file)
}

/** @param {{ functionName: string, url: string, lineNumber: number, columnNumber: number }} frame */
function partOf({ functionName, url, lineNumber, columnNumber }) {
  if (functionName === '(garbage collector)') return 'garbage collection'
  if (functionName === '(program)') return 'V8 itself'
  if (functionName.startsWith('wasm') && !url.startsWith('file')) return 'undici, its parser'
  if (url.startsWith('node:')) return 'Node’s streams, timers and sockets'
  if (url === '') return 'system calls and other native code'
  const entry = mapOf(url.slice(url.lastIndexOf('/') + 1))?.findEntry(lineNumber, columnNumber)
  const source = entry !== undefined && 'originalSource' in entry ? entry.originalSource : ''
  if (source.includes('node_modules/undici')) return 'undici'
  return /\/(src\/[a-z]+)/.exec(source)?.[1] ?? 'the rest'
}

const [name = ''] = readdirSync(join(folder, 'profile'))
/** @type {import('node:inspector').Profiler.Profile} */
const profile = JSON.parse(readFileSync(join(folder, 'profile', name), 'utf8'))
const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
/** @type {Map<string, number>} */
const spent = new Map()
profile.samples?.forEach((id, index) => {
  const frame = frames.get(id)
  if (frame === undefined || frame.functionName === '(idle)') return
  const part = partOf(frame)
  spent.set(part, (spent.get(part) ?? 0) + (profile.timeDeltas?.[index] ?? 0))
})
const total = [...spent.values()].reduce((sum, time) => sum + time, 0)
const rows = [...spent]
  .sort(([, one], [, other]) => other - one)
  .filter(([, time]) => time / total >= 0.005)
  .map(([part, time]) => [
    part,
    `${((time / total) * 100).toFixed(0)} %`,
    (time / CALLS).toFixed(1),
  ])
process.stdout.write(`${tableText([['part', 'of the CPU', 'µs per call, profiled'], ...rows])}\n`)
