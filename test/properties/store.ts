import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import * as fc from 'fast-check'
import type { Property } from './property.ts'
import type { Step } from './store-process.ts'

/** A process, and whether and when somebody kills it. */
interface Plan {
  readonly steps: readonly Step[]
  readonly killedAfterMs: number | undefined
}

/** The program of the processes; made once. */
let program: Promise<string> | undefined

async function makeProgram(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: ['test/properties/store-process.ts'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: 'store-process.mjs',
    write: false,
  })
  return outputFiles[0]!.text
}

/** Runs the program until it ends; whether it was killed by us. */
async function run(args: readonly string[], killedAfterMs: number | undefined): Promise<number> {
  const source = await (program ??= makeProgram())
  const child = spawn(process.execPath, ['--input-type=module', '-', ...args], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  child.stdin.on('error', () => {}) // killed while it still reads
  child.stdin.end(source)
  const timer =
    killedAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killedAfterMs)
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  clearTimeout(timer)
  // On Windows who kills itself ends with 1 (TerminateProcess in libuv).
  const killed = signal === 'SIGKILL' || (process.platform === 'win32' && code === 1)
  assert.ok(code === 0 || killed, `ended with ${code}`)
  return child.pid!
}

async function check(plans: readonly Plan[]): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'bridge-properties-'))
  const folder = join(home, 'credentials')
  const journal = join(home, 'journal')
  const start = ({ steps, killedAfterMs }: Plan): Promise<number> =>
    run([folder, journal, JSON.stringify(steps)], killedAfterMs)
  try {
    await Promise.all(plans.map(start))
    // Whoever comes last finds a store that works, whoever died in it.
    await start({ steps: ['refresh', 'refresh', 'read'], killedAfterMs: undefined })
    const lines = readFileSync(journal, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split(' '))
    judge(
      lines,
      plans.some(({ killedAfterMs }) => killedAfterMs !== undefined),
    )
    const left = readdirSync(folder).filter((name) => !/\.(json|tmp|clearing)$/.test(name))
    assert.deepEqual(left, [], 'a lock of the dead, or a file that was set aside')
  } finally {
    rmSync(home, { recursive: true })
  }
}

/** What the processes wrote down, in the order in which they did. */
function judge(lines: readonly string[][], wereKilled: boolean): void {
  const seen = new Map<string, number>()
  let inUse: { pid: string; number: number } | undefined
  let saved = 0
  for (const [pid = '', what, text = ''] of lines) {
    const number = Number(text)
    switch (what) {
      case 'use':
        // Only a process that was killed before it could save leaves a token that was used.
        if (inUse !== undefined) assert.ok(wereKilled, `${text} is used while ${inUse.number} is`)
        assert.ok(number === saved || (wereKilled && number === saved + 1), `${text} is used twice`)
        saved = number
        inUse = { pid, number }
        break
      case 'saved':
        assert.deepEqual(inUse, { pid, number: number - 1 })
        inUse = undefined
        saved = number
        break
      case 'read':
        assert.ok(number >= (seen.get(pid) ?? 0), `${text} is older than what was there before`)
        seen.set(pid, number)
        break
      default:
        assert.fail(`${what} ${text}`)
    }
  }
  assert.deepEqual(lines.at(-1)?.slice(1), ['read', String(saved)], 'an update is lost')
}

const steps = fc
  .tuple(
    fc.array(fc.constantFrom<Step[]>('read', 'refresh', 'refresh'), { minLength: 1, maxLength: 6 }),
    fc.option(fc.constantFrom<Step[]>('die with the lock', 'die after saving'), {
      nil: undefined,
      freq: 2,
    }),
  )
  .map(([list, end]) => (end === undefined ? list : list.concat(end)))
const plan: fc.Arbitrary<Plan> = fc.record({
  steps,
  killedAfterMs: fc.option(fc.integer({ min: 100, max: 600 }), { nil: undefined, freq: 4 }),
})

export const store: Property = {
  name: 'store: processes that share a sign-in lose no update, tear no file and use no token twice',
  runs: 1,
  property: fc.asyncProperty(fc.array(plan, { minLength: 2, maxLength: 5 }), check),
}
