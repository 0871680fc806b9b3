import { spawn } from 'node:child_process'
import { MAX_COMMAND_LINES, MAX_COMMAND_OUTPUT_BYTES, TOKEN_COMMAND_MS } from '../limits.ts'
import type { Log } from '../log.ts'
import { AuthFailure } from './failure.ts'
import { type PrintedToken, printedToken } from './printed-token.ts'

/** What running a program needs to know. */
export interface CommandWorld {
  readonly env: NodeJS.ProcessEnv
  readonly log: Log
  readonly signal: AbortSignal
  readonly now: () => number
}

/**
 * Runs a program for the token that it prints: without a shell, with nothing on its stdin, and not for
 * ever. Its stderr is passed on, its stdout never appears anywhere. Throws `AuthFailure`.
 *
 * @param source the option that names the program
 */
export async function runForToken(
  [program = '', ...args]: readonly string[],
  source: string,
  { env, log, signal, now }: CommandWorld,
): Promise<PrintedToken> {
  const failed = (why: string, hint?: string): AuthFailure =>
    new AuthFailure('refused', `The program of ${source} ${why}.`, { hint })
  const ended = await new Promise<Ended>((resolve) => {
    const child = spawn(program, args, {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: false,
      windowsHide: true,
    })
    const out = collect(child.stdout, () => stop('printed more than any token needs'))
    const err = collect(child.stderr, () => {})
    let why: string | undefined
    const stop = (reason: string): void => {
      why ??= reason
      child.kill('SIGKILL')
      // Whoever has inherited its pipes must not keep us waiting.
      for (const stream of [child.stdout, child.stderr]) stream.destroy()
    }
    const timer = setTimeout(stop, TOKEN_COMMAND_MS, 'did not end in time')
    const onAbort = (): void => stop('was stopped: the bridge is shutting down')
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    const settle = (reason: string | undefined): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      resolve({ why: reason, stdout: out(), stderr: err() })
    }
    child.on('error', ({ code }: NodeJS.ErrnoException) => settle(`could not be run (${code})`))
    child.on('close', (code, by) => {
      settle(why ?? (code === 0 ? undefined : `failed (${code ?? by})`))
    })
  })
  const token = ended.why === undefined ? printedToken(ended.stdout, now()) : undefined
  pass(ended, token, source, log)
  if (ended.why !== undefined) throw failed(ended.why, 'Run it in a terminal to see why.')
  if (token !== undefined) return token
  throw failed('printed no token', 'docs/enterprise.md lists what is understood.')
}

interface Ended {
  /** What went wrong. */
  readonly why: string | undefined
  readonly stdout: string
  readonly stderr: string
}

/** Collects a stream up to a limit. */
function collect(stream: NodeJS.ReadableStream, onOverflow: () => void): () => string {
  const chunks: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > MAX_COMMAND_OUTPUT_BYTES) onOverflow()
    else chunks.push(chunk)
  })
  return () => Buffer.concat(chunks).toString('utf8')
}

/** Passes on what the program says to people; a token that it says there too stays unsaid. */
function pass(
  { stdout, stderr }: Ended,
  token: PrintedToken | undefined,
  source: string,
  log: Log,
): void {
  const secrets = [token?.token, ...stdout.split(/[\s"',:{}[\]]+/).filter(isLong)]
  let text = stderr
  for (const secret of secrets) if (secret) text = text.replaceAll(secret, '…')
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  for (const line of lines.slice(0, MAX_COMMAND_LINES)) log.warn(`${source}: ${line}`)
}

/** Words of this length in its output may be secrets of the program that we do not know. */
function isLong(word: string): boolean {
  return word.length >= 16
}
