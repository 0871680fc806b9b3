import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject, onTestFinished } from 'vitest'
import { hostEnvironment } from './browser.ts'
import { endLeftBehind, removeHome } from './last-signal.ts'
import { until } from './until.ts'

/** A JSON-RPC message as the tests read it. */
export interface Message {
  readonly jsonrpc?: string
  readonly id?: unknown
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: Record<string, unknown>
  readonly error?: { code: number; message: string; data?: Record<string, unknown> }
}

/** The packed bridge as a host runs it. */
export interface BridgeProcess {
  readonly child: ChildProcessWithoutNullStreams
  /** The folder that `BRIDGE_HOME` names, empty at the start unless the test passes one. */
  readonly home: string
  /** Every complete line of stdout so far, as bytes. */
  readonly lines: readonly Buffer[]
  /** Everything on stderr so far. */
  stderr(): string
  /** Writes one line: text as it is, objects as JSON. */
  write(message: string | Buffer | object): void
  /** The parsed lines of stdout so far. */
  messages(): Message[]
  /** The first line that fits, waited for. */
  message(fits: (message: Message) => boolean, ms?: number): Promise<Message>
  /** The answer to a request id, waited for. */
  answer(id: unknown, ms?: number): Promise<Message>
  /** Asks for the state of the link (SIGUSR2) until it holds this text; the last answer, parsed. */
  state(text?: string): Promise<Record<string, unknown>>
  /** Closes stdin. */
  end(): void
  /** Exit code and signal, waited for. */
  exit(ms?: number): Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/** What can be set about a start. */
export interface BridgeOptions {
  readonly args?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly home?: string
  readonly nodeArgs?: readonly string[]
  readonly bin?: string
  /** The network namespace to run in (Linux). */
  readonly namespace?: string
}

/** Starts the packed bridge; it is killed when the test is over. */
export function startBridge(url: string, options: BridgeOptions = {}): BridgeProcess {
  const home = options.home ?? mkdtempSync(join(tmpdir(), 'bridge-home-'))
  const bin = options.bin ?? inject('bin')
  const argv = [...(options.nodeArgs ?? []), bin, url, ...(options.args ?? [])]
  const env = { ...hostEnvironment(), BRIDGE_HOME: home, ...options.env }
  const { namespace } = options
  const child =
    namespace === undefined
      ? spawn(process.execPath, argv, { env, stdio: 'pipe' })
      : spawn('ip', ['netns', 'exec', namespace, process.execPath, ...argv], { env, stdio: 'pipe' })
  const lines: Buffer[] = []
  const errors: Buffer[] = []
  let rest: Buffer[] = []
  let ended: { code: number | null; signal: NodeJS.Signals | null } | undefined
  child.stdout.on('data', (chunk: Buffer) => {
    let start = 0
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, start)) {
      lines.push(Buffer.concat([...rest, chunk.subarray(start, at)]))
      rest = []
      start = at + 1
    }
    if (start < chunk.length) rest.push(chunk.subarray(start))
  })
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
  child.stdin.on('error', () => {}) // the bridge may be gone already
  child.on('close', (code, signal) => {
    ended = { code, signal }
  })
  onTestFinished(async () => {
    await endLeftBehind(child)
    if (options.home === undefined) removeHome(home)
  })

  const stderr = (): string => Buffer.concat(errors).toString('utf8')
  const messages = (): Message[] =>
    lines.map((line) => JSON.parse(line.toString('utf8')) as Message)
  const seen = (): string =>
    `stdout: ${lines.map((line) => line.toString('utf8', 0, 300)).join('\n')}\nstderr: ${stderr()}`
  const message: BridgeProcess['message'] = (fits, ms) =>
    until('a message of the bridge', () => messages().find(fits), { ...(ms && { ms }), seen })

  return {
    child,
    home,
    lines,
    stderr,
    messages,
    message,
    write(line) {
      const raw = typeof line === 'string' || Buffer.isBuffer(line) ? line : JSON.stringify(line)
      child.stdin.write(raw)
      child.stdin.write('\n')
    },
    answer: (id, ms) =>
      message((candidate) => candidate.method === undefined && candidate.id === id, ms),
    async state(text = '') {
      let asked = 0
      const line = await until(
        `a state with ${text}`,
        () => {
          // A process that has not got as far as listening would die of the signal.
          if (Date.now() - asked > 100) child.kill('SIGUSR2')
          if (Date.now() - asked > 100) asked = Date.now()
          const last = stderr()
            .split('\n')
            .findLast((said) => said.startsWith('bridge: {'))
          return last?.includes(text) === true ? last : undefined
        },
        { seen },
      )
      return JSON.parse(line.slice('bridge: '.length)) as Record<string, unknown>
    },
    end: () => {
      child.stdin.end()
    },
    exit: (ms) => until('the exit of the bridge', () => ended, { ...(ms && { ms }), seen }),
  }
}

/** The ids of all answers among the messages, in order. */
export function answerIds(messages: readonly Message[]): unknown[] {
  return messages.filter((message) => message.method === undefined).map((message) => message.id)
}

/** An `initialize` request as hosts send it. */
export function initialize(id: unknown = 0, protocolVersion = '2025-11-25'): object {
  const clientInfo = { name: 'test-host', version: '1.0.0' }
  return {
    jsonrpc: '2.0',
    id,
    method: 'initialize',
    params: { protocolVersion, capabilities: {}, clientInfo },
  }
}
