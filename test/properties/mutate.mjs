// @ts-check
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MUTATIONS } from './mutations.mjs'

/** What a copy needs to run its own properties. */
const COPIED = ['src', 'test/properties', 'test/support', 'package.json']

/** Whoever notices does so in the first seconds of cases; the rest is for a busy machine. */
const SECONDS = 20

/** What runs longer hangs. */
const MOST_MS = 120_000

/**
 * Breaks a copy of the source with one mutation after the other, and runs the property that must notice.
 *
 * @param {string} only a part of the names of the properties
 * @returns whether all of them did, and none without reason
 */
export async function mutate(only) {
  // Where what is not bundled is found.
  mkdirSync('node_modules/.cache', { recursive: true })
  const copy = mkdtempSync(join(process.cwd(), 'node_modules', '.cache', 'mutations-'))
  const count = { passed: 0, failed: 0 }
  /** @param {string} what @param {string | undefined} problem */
  const tell = (what, problem) => {
    count[problem === undefined ? 'passed' : 'failed']++
    process.stdout.write(`${problem === undefined ? 'passed' : 'FAILED'}  ${what}\n`)
    if (problem !== undefined) process.stdout.write(`        ${problem}\n`)
  }
  try {
    for (const path of COPIED) cpSync(path, join(copy, path), { recursive: true })
    for (const [name, mutations] of Object.entries(MUTATIONS)) {
      if (!name.includes(only)) continue
      const whole = await verdict(copy, name, 1)
      tell(`${name}: holds`, whole === 'passed' ? undefined : `without a fault it ${whole}`)
      for (const [file, text, broken] of mutations) {
        tell(`${name}: ${file}: ${text}`, await survival(copy, name, file, text, broken))
      }
    }
  } finally {
    rmSync(copy, { recursive: true })
  }
  process.stdout.write(`${count.passed} passed, ${count.failed} failed\n`)
  return count.failed === 0 && count.passed > 0
}

/**
 * Why a mutation was not noticed; `undefined` when it was.
 *
 * @param {string} copy @param {string} name @param {string} file @param {string} text
 * @param {string} broken
 */
async function survival(copy, name, file, text, broken) {
  const path = join(copy, 'src', file)
  const source = readFileSync(path, 'utf8')
  const times = source.split(text).length - 1
  if (times !== 1) return `the text stands there ${times} times`
  writeFileSync(
    path,
    source.replace(text, () => broken),
  )
  const found = await verdict(copy, name, SECONDS)
  writeFileSync(path, source)
  return found === 'FAILED' ? undefined : `with the fault it ${found}`
}

/**
 * What a run of one property in a process of its own, which may hang, comes to.
 *
 * @param {string} copy @param {string} name @param {number} seconds
 * @returns {Promise<string>}
 */
function verdict(copy, name, seconds) {
  const program = join(copy, 'test', 'properties', 'fuzz.mjs')
  const args = ['--only', name, '--seconds', String(seconds), '--seed', '1', '--no-shrink']
  const child = spawn(process.execPath, [program, ...args], {
    cwd: copy, // where esbuild looks
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const clock = setTimeout(() => child.kill('SIGKILL'), MOST_MS)
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ piece) => (output += piece))
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(clock)
      const line = output.split('\n').find((text) => text.endsWith(` runs  ${name}`))
      resolve(line?.split(' ')[0] ?? `ends with ${code ?? signal}`)
    })
  })
}
