import { describe, expect, test } from 'vitest'
import { type Bounds, DoesNotApply, type Group, USUAL } from './attack.ts'
import { type Program, startProgram } from './program.ts'

/** Rows that are run; all of them when the variable is not set. */
const only = process.env['ATTACK_ONLY']?.split(',')

/** Makes a test of every attack of a group. */
export function runGroup({ title, attacks }: Group): void {
  describe(`${title}`, () => {
    for (const { name, attack, expectation, bounds = USUAL, run } of attacks) {
      if (only !== undefined && !only.some((part) => name.includes(part))) continue
      const meta = { attack: { group: title, name, attack, expectation } }
      test(`${name}`, { meta, timeout: bounds.seconds * 1_000 }, async ({ task, skip }) => {
        const programs: Program[] = []
        const start = (...args: Parameters<typeof startProgram>): Program => {
          const program = startProgram(...args)
          programs.push(program)
          return program
        }
        try {
          await run({ start })
        } catch (error) {
          if (error instanceof DoesNotApply) skip(error.message)
          throw error
        } finally {
          const peaks = programs.map((program) => program.peakMiB())
          if (task.meta.attack !== undefined) task.meta.attack.memoryMiB = Math.max(0, ...peaks)
        }
        for (const program of programs) expect(problemOf(program, bounds)).toBeUndefined()
      })
    }
  })
}

/** What is wrong with a program in whichever row. */
function problemOf(program: Program, { memoryMiB, stderrKiB }: Bounds): string | undefined {
  const peak = program.peakMiB()
  if (peak > memoryMiB) return `used ${peak} MiB of memory; ${memoryMiB} are allowed`
  const said = Math.round(Buffer.byteLength(program.stderr()) / 1024)
  if (said > stderrKiB) return `wrote ${said} KiB to stderr; ${stderrKiB} are allowed`
  for (const line of program.lines()) {
    const problem = problemOfLine(line)
    if (problem !== undefined) return `stdout: ${problem}: ${line.toString('latin1', 0, 120)}`
  }
  return undefined
}

/** What keeps a line from being a JSON-RPC message, or a batch of them. */
function problemOfLine(line: Buffer): string | undefined {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line))
  } catch {
    return 'no JSON in UTF-8'
  }
  const all: unknown[] = Array.isArray(value) ? value : [value]
  const isMessage = (one: unknown): boolean =>
    typeof one === 'object' && one !== null && 'jsonrpc' in one && one.jsonrpc === '2.0'
  return all.every(isMessage) ? undefined : 'no JSON-RPC message'
}
