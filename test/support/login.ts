import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject, onTestFinished } from 'vitest'
import { hostEnvironment } from './browser.ts'
import { endLeftBehind, removeHome } from './last-signal.ts'
import { until } from './until.ts'

/** `bridge login` in a terminal, as far as a test can be one. */
export interface LoginProcess {
  /** The folder that `BRIDGE_HOME` names. */
  readonly home: string
  readonly pid: number
  stdout(): string
  stderr(): string
  /** A line on stderr, waited for. */
  says(what: RegExp): Promise<RegExpExecArray>
  /** The address to open, waited for. */
  link(): Promise<string>
  /** Types a line. */
  type(line: string): void
  /** Closes stdin. */
  end(): void
  signal(signal: NodeJS.Signals): void
  /** The exit code, waited for. */
  exit(): Promise<number | null>
}

/** What can be set about a start. */
export interface LoginSetup {
  readonly args?: readonly string[]
  readonly home?: string
  readonly env?: NodeJS.ProcessEnv
}

/** Starts the packed `bridge login`; it is killed when the test is over. */
export function startLogin(url: string, setup: LoginSetup = {}): LoginProcess {
  const { args = [], env } = setup
  const home = setup.home ?? mkdtempSync(join(tmpdir(), 'bridge-home-'))
  const all = { ...hostEnvironment(), BRIDGE_HOME: home, ...env }
  const argv = [inject('bin'), 'login', url, ...args]
  const child = spawn(process.execPath, argv, { env: all, stdio: 'pipe' })
  const output = { stdout: '', stderr: '' }
  let code: number | null | undefined
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  child.stdin.on('error', () => {}) // it may be gone already
  child.on('close', (value) => {
    code = value
  })
  onTestFinished(async () => {
    await endLeftBehind(child)
    if (setup.home === undefined) removeHome(home)
  })
  const seen = (): string => output.stderr
  const says: LoginProcess['says'] = (what) =>
    until(`${what} on stderr`, () => what.exec(output.stderr) ?? undefined, { seen })
  return {
    home,
    pid: child.pid!,
    stdout: () => output.stdout,
    stderr: seen,
    says,
    link: async () => (await says(/^ +(https?:\/\/\S+)\n/m))[1]!,
    type: (line) => void child.stdin.write(`${line}\n`),
    end: () => void child.stdin.end(),
    signal: (signal) => void child.kill(signal),
    exit: () => until('the exit of bridge login', () => code, { seen }),
  }
}
