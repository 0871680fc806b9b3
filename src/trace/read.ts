import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { BridgeError } from '../errors.ts'
import { TRACE_FILES, TRACE_FOLLOW_MS } from '../limits.ts'
import { pause } from '../pause.ts'
import { type Entry, readEntry } from './record.ts'

const LF = 0x0a
const READ_BYTES = 256 * 1024

/** A line of a trace as it stands in the file, and what it says. */
export interface TraceLine {
  readonly text: string
  readonly entry: Entry
}

/** Reads a trace from its beginning, which may be in files that were put aside while it grew. */
export async function* readTrace(path: string): AsyncGenerator<TraceLine> {
  for (const file of await filesOf(path)) yield* linesOf(file)
}

/** The same, and then what comes until `signal` aborts. */
export async function* followTrace(path: string, signal: AbortSignal): AsyncGenerator<TraceLine> {
  for (const file of (await filesOf(path)).slice(0, -1)) yield* linesOf(file)
  let splitter = createSplitter()
  let offset = 0
  let inode: number | undefined
  while (!signal.aborted) {
    const file = await open(path).catch(() => undefined)
    let bytesRead = 0
    try {
      const { ino } = (await file?.stat()) ?? {}
      if (ino !== undefined && ino !== inode) {
        // The trace goes on in a new file.
        splitter = createSplitter()
        inode = ino
        offset = 0
      }
      const bytes = Buffer.alloc(READ_BYTES)
      bytesRead = (await file?.read(bytes, 0, READ_BYTES, offset))?.bytesRead ?? 0
      offset += bytesRead
      yield* splitter(bytes.subarray(0, bytesRead))
    } finally {
      await file?.close()
    }
    if (bytesRead === 0) await pause(TRACE_FOLLOW_MS, signal)
  }
}

/** The files of one trace, oldest first. Throws `BridgeError` when there is none to read. */
async function filesOf(path: string): Promise<string[]> {
  let first: TraceLine | undefined
  for await (const line of linesOf(path)) {
    first = line
    break
  }
  const record = first?.entry.record
  if (record === undefined) {
    const hint = 'bridge <server_url> --debug makes one.'
    throw new BridgeError('usage', `${path} is no trace, or an empty one.`, { hint })
  }
  const earlier = record.type === 'start' ? Math.min((record.part ?? 1) - 1, TRACE_FILES - 1) : 0
  const files = [path]
  for (let number = 1; number <= earlier; number++) files.unshift(`${path}.${number}`)
  const present = await Promise.all(
    files.map((file) =>
      stat(file).then(
        () => true,
        () => false,
      ),
    ),
  )
  return files.filter((_, index) => present[index])
}

async function* linesOf(path: string): AsyncGenerator<TraceLine> {
  const splitter = createSplitter()
  try {
    for await (const chunk of createReadStream(path)) yield* splitter(chunk as Buffer)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new BridgeError('usage', `Cannot read ${path} (${code}).`, { cause })
  }
}

/** Cuts at LF and nothing else: messages may contain U+2028. What is no record is passed over. */
function createSplitter(): (chunk: Buffer) => Generator<TraceLine> {
  let rest: Buffer[] = []
  return function* split(chunk) {
    let start = 0
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, start)) {
      const text = Buffer.concat([...rest, chunk.subarray(start, at)]).toString('utf8')
      rest = []
      start = at + 1
      const entry = readEntry(text)
      if (entry !== undefined) yield { text, entry }
    }
    if (start < chunk.length) rest.push(chunk.subarray(start))
  }
}
