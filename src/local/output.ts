import { Console } from 'node:console'
import type { Writable } from 'node:stream'
import type { Output } from '../channel.ts'
import {
  HOST_SILENT_MS,
  LAST_WORDS_MS,
  STDOUT_COPY_BYTES,
  STDOUT_HIGH_WATER_BYTES,
} from '../limits.ts'

const NEWLINE = Buffer.from('\n')

/** What the output needs of a stream. */
export type Sink = Pick<
  Writable,
  'on' | 'write' | 'cork' | 'uncork' | 'writableLength' | 'writableNeedDrain'
> & {
  /**
   * Calls back when the reader has taken nothing for so long (`net.Socket`, which counts the bytes
   * inside one write). A file has no such thing, and no need of it: what is written to it is there.
   */
  readonly setTimeout?: ((ms: number, onSilence: () => void) => unknown) | undefined
}

/**
 * Takes stdout away from everybody else: from here on `console.log` and `process.stdout` of any
 * code in the process end on stderr, because one stray line costs the host its session. That goes
 * for code, too, that has kept the stream or the console from before.
 */
export function claimStdout(process: NodeJS.Process): Sink {
  const { stdout } = process
  const write = stdout.write.bind(stdout)
  stdout.write = (...args: unknown[]) => Reflect.apply(process.stderr.write, process.stderr, args)
  Object.defineProperty(process, 'stdout', { get: () => process.stderr, configurable: true })
  // Made when somebody wants it: nobody does in a start where nothing is wrong.
  let console: Console | undefined
  Object.defineProperty(globalThis, 'console', {
    get: () => (console ??= new Console(process.stderr, process.stderr)),
    configurable: true,
  })
  return {
    on: stdout.on.bind(stdout),
    write,
    cork: stdout.cork.bind(stdout),
    uncork: stdout.uncork.bind(stdout),
    setTimeout: 'setTimeout' in stdout ? stdout.setTimeout.bind(stdout) : undefined,
    get writableLength() {
      return stdout.writableLength
    },
    get writableNeedDrain() {
      return stdout.writableNeedDrain
    },
  }
}

/**
 * Writes frames, one line each. All frames of one event-loop turn leave in one write: measured at a
 * third of the CPU per pushed notification.
 */
export function openOutput(stdout: Sink): Output {
  let pending: Buffer[] = []
  let pendingBytes = 0
  let room: Promise<void> | undefined
  let makeRoom = (): void => {}
  let gone = false
  let markBroken = (): void => {}
  const broken = new Promise<void>((resolve) => {
    markBroken = resolve
  })
  const fail = (): void => {
    gone = true
    pending = []
    pendingBytes = 0
    releaseRoom()
    markBroken()
  }
  // EPIPE and everything else that keeps bytes from the host mean the same: it is gone.
  stdout.on('error', fail)
  stdout.on('close', fail)
  stdout.on('drain', () => {
    if (stdout.writableLength + pendingBytes < STDOUT_HIGH_WATER_BYTES) releaseRoom()
  })

  function releaseRoom(): void {
    room = undefined
    makeRoom()
  }

  function write(): void {
    if (gone || pending.length === 0) return
    const buffers = pending
    const bytes = pendingBytes
    pending = []
    pendingBytes = 0
    if (bytes <= STDOUT_COPY_BYTES) {
      stdout.write(Buffer.concat(buffers, bytes))
    } else {
      stdout.cork()
      for (const buffer of buffers) stdout.write(buffer)
      stdout.uncork()
    }
    if (room !== undefined && !stdout.writableNeedDrain) releaseRoom()
  }

  return {
    broken,
    send(frame) {
      if (gone) return undefined
      if (pending.length === 0) setImmediate(write)
      pending.push(...frame.chunks, NEWLINE)
      pendingBytes += frame.size + 1
      if (stdout.writableLength + pendingBytes < STDOUT_HIGH_WATER_BYTES) return undefined
      room ??= new Promise((resolve) => {
        makeRoom = resolve
      })
      return room
    },
    async flush() {
      write()
      if (gone) return
      let limit: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        stdout.write('', () => resolve())
        void broken.then(resolve)
        stdout.setTimeout?.(HOST_SILENT_MS, resolve)
        limit = setTimeout(resolve, LAST_WORDS_MS)
      })
      clearTimeout(limit)
    },
  }
}
