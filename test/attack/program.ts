import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject, onTestFinished } from 'vitest'
import { type BrowserStub, stubBrowser } from '../auth/browser-stub.ts'
import { LAUNCHERS } from '../support/browser.ts'
import type { Message } from '../support/bridge.ts'
import { endLeftBehind, removeHome } from '../support/last-signal.ts'
import { until } from '../support/until.ts'

/** How often the memory of the processes is looked at; their peaks are kept by the kernel meanwhile. */
const LOOK_MS = 100

/** How a program is started. */
export interface StartOptions {
  /** Behind the command; `--header 'Name: value'` is the only option that rows may use. */
  readonly args?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** `HOME`; an empty folder that is removed afterwards unless the row has one. */
  readonly home?: string
  readonly cwd?: string
  /** A file that Node.js loads first; programs on other platforms do not. */
  readonly preload?: string
  /** Run first by the shell that starts the program, e.g. `umask 000`. */
  readonly before?: string
}

/** A stdio bridge, whichever it is, as its host sees it. */
export interface Program {
  readonly home: string
  readonly browser: BrowserStub
  /** Writes one line: text as it is, objects as JSON. */
  write(message: string | Buffer | object): void
  /** Closes stdin. */
  end(): void
  /** Stops reading stdout, and reads again. */
  pause(): void
  resume(): void
  signal(signal: NodeJS.Signals): void
  /** The complete lines of stdout so far. */
  lines(): readonly Buffer[]
  /** Those that are JSON, parsed. */
  messages(): Message[]
  stderr(): string
  /** The answers to an id so far. */
  answers(id: unknown): Message[]
  /** The first answer to an id, waited for. */
  answer(id: unknown, ms?: number): Promise<Message>
  /** How a request ends: with which answer, or with the end of the program. */
  ending(id: unknown, ms?: number): Promise<'result' | 'error' | 'exit'>
  /** The end of the program, waited for. */
  exit(ms?: number): Promise<void>
  hasEnded(): boolean
  /** The address that the person is sent to, in a browser or by stderr; the `nth` one, waited for. */
  link(nth?: number): Promise<string>
  /** All of them so far. */
  links(): string[]
  /** The command lines of all its processes. */
  commandLines(): string
  /** Most memory that one of its processes has had so far, in MiB. */
  peakMiB(): number
  kill(): Promise<void>
}

/** Starts the program under attack with an environment that is the row's alone. */
export function startProgram(url: string, options: StartOptions = {}): Program {
  const { args = [], before = ':', cwd, preload } = options
  const home = options.home ?? mkdtempSync(join(tmpdir(), 'attack-home-'))
  const browser = stubBrowser()
  const { LOGNAME, SHELL, TERM, USER } = process.env
  const env: NodeJS.ProcessEnv = {
    ...browser.env,
    // A program's own `xdg-open` starts what is installed for http, and this where nothing is.
    BROWSER: join(LAUNCHERS, 'xdg-open'),
    XDG_DATA_DIRS: LAUNCHERS,
    HOME: home,
    LOGNAME,
    SHELL,
    TERM,
    USER,
    // npx looks for what it has installed here, not in the row's home.
    npm_config_cache: inject('npmCache'),
    ...(preload !== undefined && { NODE_OPTIONS: `--require ${preload}` }),
    ...options.env,
  }
  const command = inject('command').replaceAll('{url}', '"$url"')
  const script = `${before}; url="$1"; shift; exec ${command} "$@"`
  const child = spawn('/bin/sh', ['-c', script, 'sh', url, ...args], {
    env,
    ...(cwd !== undefined && { cwd }),
    detached: true,
  })
  const lines: Buffer[] = []
  const errors: Buffer[] = []
  let rest: Buffer[] = []
  let ended = false
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
  child.stdin.on('error', () => {}) // the program may be gone already
  child.on('close', () => (ended = true))
  const memory = watchMemory(child)
  const kill = (): Promise<void> => {
    memory.stop()
    return endLeftBehind(child, true)
  }
  onTestFinished(async () => {
    await kill()
    if (options.home === undefined) removeHome(home)
  })

  const stderr = (): string => Buffer.concat(errors).toString('utf8')
  const read: Message[] = []
  let next = 0
  const messages = (): Message[] => {
    for (; next < lines.length; next++) {
      const message = parsed(lines[next]!)
      if (message !== undefined) read.push(message)
    }
    return read
  }
  const answers = (id: unknown): Message[] =>
    messages().filter((message) => message.method === undefined && message.id === id)
  const seen = (): string =>
    `stdout: ${lines.map((line) => line.toString('utf8', 0, 200)).join('\n')}\nstderr: ${stderr().slice(-2_000)}`
  const links = (): string[] => {
    const opened = browser.calls().map((call) => call.at(-1) ?? '')
    const printed = [...stderr().matchAll(/https?:\/\/[^\s"'<>]+/g)].map(([address]) => address)
    const isSignIn = (address: string): boolean => /[?&]response_type=code/.test(address)
    return [...new Set([...opened, ...printed].filter(isSignIn))]
  }
  return {
    home,
    browser,
    stderr,
    messages,
    answers,
    links,
    kill,
    lines: () => lines,
    write(message) {
      const raw = typeof message === 'string' || Buffer.isBuffer(message)
      child.stdin.write(raw ? message : JSON.stringify(message))
      child.stdin.write('\n')
    },
    end: () => void child.stdin.end(),
    pause: () => void child.stdout.pause(),
    resume: () => void child.stdout.resume(),
    signal: (signal) => void child.kill(signal),
    answer: (id, ms = 15_000) =>
      until(`an answer to ${JSON.stringify(id)}`, () => answers(id)[0], { ms, seen }),
    ending: (id, ms = 15_000) =>
      until(
        `an answer to ${JSON.stringify(id)} or the end of the program`,
        () => {
          const [answer] = answers(id)
          if (answer !== undefined) return 'result' in answer ? 'result' : 'error'
          return ended ? 'exit' : undefined
        },
        { ms, seen },
      ),
    exit: async (ms = 5_000) => {
      await until('the end of the program', () => ended, { ms, seen })
    },
    hasEnded: () => ended,
    link: (nth = 0) => until('an address for the person', () => links()[nth], { ms: 15_000, seen }),
    commandLines: () => processesOf(child.pid!).map(commandLine).join('\n'),
    peakMiB: memory.peakMiB,
  }
}

function watchMemory(child: ChildProcess): { peakMiB: () => number; stop: () => void } {
  let peak = 0
  const look = (): void => {
    for (const pid of processesOf(child.pid!)) peak = Math.max(peak, peakOf(pid))
  }
  const timer = setInterval(look, LOOK_MS)
  child.on('close', () => clearInterval(timer))
  return {
    peakMiB() {
      look()
      return Math.round(peak)
    },
    stop: () => clearInterval(timer),
  }
}

/** A process and everything that it has started and that still runs. */
function processesOf(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    const children = threads.flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' '),
    )
    return [
      pid,
      ...children
        .filter((text) => text !== '')
        .map(Number)
        .flatMap(processesOf),
    ]
  } catch {
    return [] // it ended meanwhile
  }
}

function peakOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024
  } catch {
    return 0 // it ended meanwhile
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return '' // it ended meanwhile
  }
}

function parsed(line: Buffer): Message | undefined {
  try {
    return JSON.parse(line.toString('utf8')) as Message
  } catch {
    return undefined
  }
}
