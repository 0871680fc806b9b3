import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { readCommandLine } from '../../src/arguments.ts'
import type { Check, Context, Finding } from '../../src/doctor/check.ts'
import { type Machine, thisMachine } from '../../src/doctor/machine.ts'
import { runChecks } from '../../src/doctor/run.ts'
import { openServer } from '../../src/doctor/server.ts'
import { CHECKS } from '../../src/doctor/table.ts'
import { BridgeError } from '../../src/errors.ts'
import { DOCTOR_NETWORK_MS } from '../../src/limits.ts'
import { readServerOptions } from '../../src/options.ts'
import { pathsOf } from '../../src/paths.ts'

/** What a test wants otherwise. */
export interface Examination {
  readonly args?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** The folder that `BRIDGE_HOME` names. */
  readonly home?: string
  readonly machine?: Partial<Machine>
  readonly checks?: readonly Check[]
  readonly signal?: AbortSignal
}

/** Every code that a finding has had so far. */
export const provoked = new Set<string>()

/** Runs the checks on a server, and gives the findings by the id of their check. */
export async function examine(
  url: string | undefined,
  examination: Examination = {},
): Promise<Readonly<Record<string, Finding>>> {
  const { args = [], checks = CHECKS } = examination
  const home = examination.home ?? emptyFolder()
  const env: NodeJS.ProcessEnv = {
    PATH: process.env['PATH'],
    BRIDGE_HOME: home,
    ...examination.env,
  }
  const machine = { ...thisMachine(process), env, home, cwd: home, ...examination.machine }
  const paths = pathsOf(env)
  const signal = examination.signal ?? AbortSignal.timeout(DOCTOR_NETWORK_MS)
  let options: Context['options']
  try {
    const line = readCommandLine(['doctor', ...(url === undefined ? [] : [url]), ...args])
    if (url !== undefined) options = readServerOptions(line, env, 'nobody')
  } catch (error) {
    options = error as BridgeError
  }
  const server =
    options === undefined || options instanceof BridgeError
      ? undefined
      : openServer(options, join(paths.data, 'credentials'), env, signal, Date.now)
  const context: Context = { machine, paths, options, store: 'file', server, now: Date.now }
  const results = await runChecks(checks, context, signal)
  await server?.close()
  for (const { finding } of results) provoked.add(finding.code)
  return Object.fromEntries(results.map(({ check, finding }) => [check.id, finding]))
}

/** A folder that is gone after the test. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bridge-doctor-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
