import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject, onTestFinished } from 'vitest'
import { hostEnvironment } from './browser.ts'
import { endLeftBehind, removeHome } from './last-signal.ts'
import { until } from './until.ts'

/** What a command has said by its end. */
export interface Said {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A command that runs. */
export interface CommandProcess {
  stderr(): string
  signal(signal: NodeJS.Signals): void
  /** Its end, waited for. */
  said(): Promise<Said>
}

/** What can be set about a start. */
export interface CommandSetup {
  readonly home?: string
  readonly env?: NodeJS.ProcessEnv
  /** Node's own options. */
  readonly nodeArgs?: readonly string[]
}

/** Starts the packed program with these words; it is killed when the test is over. */
export function startCommand(
  args: readonly string[],
  { home, env, nodeArgs = [] }: CommandSetup = {},
): CommandProcess {
  const folder = home ?? mkdtempSync(join(tmpdir(), 'bridge-home-'))
  const child = spawn(process.execPath, [...nodeArgs, inject('bin'), ...args], {
    env: { ...hostEnvironment(), BRIDGE_HOME: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  let said: Said | undefined
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.on('close', (code) => {
    said = { code, stdout, stderr }
  })
  onTestFinished(async () => {
    await endLeftBehind(child)
    if (home === undefined) removeHome(folder)
  })
  return {
    stderr: () => stderr,
    signal: (signal) => void child.kill(signal),
    said: () => until(`the end of bridge ${args[0]}`, () => said, { seen: () => stdout + stderr }),
  }
}

/** Runs the packed program to its end. */
export function runCommand(args: readonly string[], setup?: CommandSetup): Promise<Said> {
  return startCommand(args, setup).said()
}
