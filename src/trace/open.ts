import { createHash } from 'node:crypto'
import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import packageJson from '../../package.json' with { type: 'json' }
import type { AuthFetch } from '../auth/fetch.ts'
import type { Local, RemoteEvents, ServerTap } from '../channel.ts'
import type { HttpSend } from '../http/client.ts'
import { TRACE_FILE_BYTES, TRACE_FILES, TRACE_FOLDER_FILES } from '../limits.ts'
import type { Log } from '../log.ts'
import { pathsOf } from '../paths.ts'
import { secrets } from '../secrets.ts'
import { createExchangeRecorder, learnCredential } from './exchanges.ts'
import { openTraceFile } from './file.ts'
import type { TraceOptions } from './options.ts'
import { tracesIn } from './folder.ts'
import { createRecorder, createStamp, members } from './recorder.ts'
import { createRedactor } from './redact.ts'
import { createSink } from './sink.ts'

/** Puts itself around the ways that traffic takes, and records it. */
export interface Trace {
  readonly path: string
  local(local: Local): Local
  events(events: RemoteEvents): RemoteEvents
  readonly server: ServerTap
  log(log: Log): Log
  send(next: HttpSend): HttpSend
  fetch(next: AuthFetch): AuthFetch
  /** Settles when everything is on disk. */
  close(): Promise<void>
}

/** What a trace is of. */
export interface TraceSubject {
  readonly options: TraceOptions
  readonly server: URL
  /** The user's headers, whose values are secrets. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Begins a trace and says on stderr where. Throws `BridgeError` when the file cannot be written: who
 * asks for a trace does not want to find out later that there is none.
 */
export async function openTrace(
  { options, server, headers }: TraceSubject,
  process: NodeJS.Process,
): Promise<Trace> {
  for (const [name, value] of Object.entries(headers)) {
    if (name === 'authorization') learnCredential(value)
    else secrets.learn('header', value)
  }
  const path = options.file ?? (await newPath(pathsOf(process.env).log, server, process.pid))
  const file = await openTraceFile(path, TRACE_FILES - 1)
  process.stderr.write(`bridge: debug trace: ${path}\n`)

  const now = (): number => performance.now()
  const stamp = createStamp(now, Date.now)
  const redact = createRedactor(secrets.known)
  const start = (part?: number): string =>
    stamp.next('start').head +
    members({
      v: 1,
      version: packageJson.version,
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      pid: process.pid,
      server: server.href,
      argv: maskedArguments(process.argv.slice(2)),
      trace: { level: options.level, capBytes: options.capBytes, payloads: options.payloads },
      part,
    })
  const sink = createSink({
    file,
    redact,
    fileBytes: TRACE_FILE_BYTES,
    continued: start,
    dropped: (dropped) => stamp.next('dropped').head + members({ dropped }),
    failed(error) {
      process.stderr.write(`bridge: the debug trace ends here: ${error.message}\n`)
    },
  })
  sink.write(start())
  const { capBytes, payloads } = options
  const states = options.level === 'debug'
  const recorder = createRecorder(sink, stamp, redact, { capBytes, payloads, states })
  const exchanges = createExchangeRecorder(sink, stamp, recorder.requestOf, now, states)
  return {
    path,
    local: recorder.local,
    events: recorder.events,
    server: recorder.server,
    log: recorder.log,
    send: exchanges.send,
    fetch: exchanges.fetch,
    close: sink.close,
  }
}

/** A name that sorts by server and time; nothing of the URL can be read in it. */
async function newPath(folder: string, server: URL, pid: number): Promise<string> {
  await removeOldest(folder)
  const hash = createHash('sha256').update(server.href).digest('hex').slice(0, 12)
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
  return join(folder, `${hash}-${time}-${pid}.jsonl`)
}

async function removeOldest(folder: string): Promise<void> {
  const old = (await tracesIn(folder)).slice(TRACE_FOLDER_FILES - 1)
  await Promise.all(old.map((path) => unlink(path).catch(() => {})))
}

/** Options whose values are secrets, or hold them; all other secrets in arguments are known by value. */
const SECRET_OPTIONS = /^--(header|static-oauth-client-info|authorize-param)(?:=|$)/

/** The command line as it may be shown to others. */
function maskedArguments(argv: readonly string[]): string[] {
  return argv.map((word, index) => {
    const [option] = SECRET_OPTIONS.exec(word) ?? []
    if (option?.endsWith('=') === true) return `${option}${maskedValue(word.slice(option.length))}`
    const before = argv[index - 1] ?? ''
    return SECRET_OPTIONS.exec(before)?.[0] === before && before !== '' ? maskedValue(word) : word
  })
}

/** A header keeps its name; of anything else nothing is left. */
function maskedValue(word: string): string {
  const name = /^[\w-]+(?=[:=])/.exec(word)?.[0]
  return name === undefined ? '‹masked›' : `${name}: ‹header›`
}
