// @ts-check
/**
 * `npm test [-- part...]`: everything that the project promises about itself. The parts run side by
 * side in lanes; the tarball is packed once for all of them. Prints a line when a part ends, the output
 * of those that failed, one table, what this system has left out, and `N passed, N failed` as the last
 * line. `npm run check` is the same with the quick parts only.
 */
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { npm } from '../support/npm.mjs'
import { pack } from '../support/packed.mjs'
import { filesLeftOut, LANES, leftOutText, partsLeftOut } from './parts.mjs'

/** Three times what the longest part takes on two cores: what runs longer hangs. */
const PART_MS = 30 * 60_000

/** Where the files of a part are that vitest names as it ends them. */
const FOLDERS = /** @type {Readonly<Record<string, string>>} */ ({ e2e: 'test/e2e' })

/** What is shown of a part that failed, from its end. */
const SHOWN_CHARS = 60_000

/** Failures of one part that are named again at the end. */
const SHOWN_FAILURES = 20

/** @typedef {{ name: string, code: number | null, passed: number, failed: number, seconds: number, output: string }} Outcome */

const { platform } = process

const chosen = process.argv.slice(2)
const known = Object.values(LANES).flat()
const unknown = chosen.filter((name) => !known.includes(name))
if (unknown.length > 0)
  throw new Error(`no part ${unknown.join(', ')}; there are ${known.join(', ')}`)

const folder = mkdtempSync(join(tmpdir(), 'bridge-gate-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const env = { ...process.env, NO_COLOR: '1', BRIDGE_TARBALL: await pack(folder) }

const started = performance.now()
const outcomes = (await Promise.all(Object.values(LANES).map(lane))).flat()
report(outcomes)

/** @param {readonly string[]} names */
async function lane(names) {
  const done = []
  for (const name of names) {
    if (chosen.length > 0 && !chosen.includes(name)) continue
    if (partsLeftOut(platform).includes(name)) continue
    const outcome = await run(name)
    const { passed, failed, seconds } = outcome
    process.stdout.write(`${name}: ${passed} passed, ${failed} failed, ${seconds} s\n`)
    done.push(outcome)
  }
  return done
}

/** @param {string} name @returns {Promise<Outcome>} */
function run(name) {
  return new Promise((resolve, reject) => {
    const begun = performance.now()
    const [program, args] = npm(['run', '--silent', name])
    // A group of its own, so that a part that hangs ends with everything it started.
    const child = spawn(program, args, { env, detached: platform !== 'win32' })
    const end = () => {
      if (child.pid === undefined) return
      if (platform !== 'win32') process.kill(-child.pid, 'SIGKILL')
      // There are no groups there, but whose child each process is.
      else spawn('taskkill', ['/pid', String(child.pid), '/t', '/f'], { stdio: 'ignore' })
    }
    const hangs = setTimeout(async () => {
      output += await whatHangs(name, child.pid ?? 0, output)
      end()
    }, PART_MS)
    process.once('SIGINT', end)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => (output += text))
    }
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(hangs)
      process.off('SIGINT', end)
      const seconds = Math.round((performance.now() - begun) / 1000)
      resolve({ name, code, seconds, output, ...counted(output, code) })
    })
  })
}

/**
 * What a part was busy with when its time was over: its files that had not ended, and its processes.
 *
 * @param {string} name @param {number} group @param {string} output
 */
async function whatHangs(name, group, output) {
  const tests = FOLDERS[name]
  const files = tests === undefined ? [] : readdirSync(tests).map((file) => `${tests}/${file}`)
  const never = filesLeftOut(platform)
  const open = files.filter(
    (file) => file.endsWith('.test.ts') && !never.includes(file) && !output.includes(`${file} (`),
  )
  const columns = ['-eo', 'pgid,pid,etimes,pcpu,stat,args']
  const { stdout } = await promisify(execFile)('ps', columns).catch(() => ({ stdout: '' }))
  const processes = stdout.split('\n').filter((text) => text.trim().startsWith(`${group} `))
  const what = [`ended after ${PART_MS / 60_000} min`, ...open, ...processes]
  return what.map((text) => `\n FAIL ${text.slice(0, 200)}`).join('')
}

/**
 * vitest closes each run with a line such as "Tests  1 failed | 41 passed (42)", our own suites with
 * "41 passed, 1 failed". A check that counts nothing is one check.
 *
 * @param {string} output @param {number | null} code
 */
function counted(output, code) {
  const lines = output
    .split('\n')
    .filter((text) => /^ *Tests .*\(\d+\)|^\d+ passed, \d+ failed$/.test(text))
  const sum = (/** @type {RegExp} */ pattern) =>
    lines.reduce((total, text) => total + Number(pattern.exec(text)?.[1] ?? 0), 0)
  const passed = sum(/(\d+) passed/)
  const failed = sum(/(\d+) failed/)
  // What ends badly never counts as "0 failed", whatever it printed.
  if (code !== 0) return { passed, failed: Math.max(failed, 1) }
  return { passed: lines.length === 0 ? 1 : passed, failed }
}

/** @param {readonly Outcome[]} all */
function report(all) {
  for (const { name, failed, output } of all) {
    if (failed > 0) process.stdout.write(`\n--- ${name}\n${output.slice(-SHOWN_CHARS)}\n`)
  }
  const total = { passed: 0, failed: 0 }
  process.stdout.write('\n| part | passed | failed | seconds |\n|---|---|---|---|\n')
  for (const { name, passed, failed, seconds } of all) {
    process.stdout.write(`| ${name} | ${passed} | ${failed} | ${seconds} |\n`)
    total.passed += passed
    total.failed += failed
  }
  // Once more, short and last: what keeps only the end of a log still says what failed.
  for (const { name, failed, output } of all) {
    if (failed === 0) continue
    const lines = output.split('\n').filter((text) => /^ *(FAIL|×|not ok) /.test(text))
    process.stdout.write(`\n${name}:\n${[...new Set(lines)].slice(0, SHOWN_FAILURES).join('\n')}\n`)
  }
  process.stdout.write(`\n${leftOutText(platform)}`)
  const minutes = ((performance.now() - started) / 60_000).toFixed(1)
  process.stdout.write(`${minutes} min\n${total.passed} passed, ${total.failed} failed\n`)
  if (total.failed > 0 || total.passed === 0) process.exitCode = 1
}
