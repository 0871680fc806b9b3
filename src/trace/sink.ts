import { TRACE_QUEUE_BYTES, TRACE_WRITE_BYTES, TRACE_WRITE_MS } from '../limits.ts'
import type { TraceFile } from './file.ts'
import type { Redact } from './redact.ts'

/** Where records go. Never waits, never throws. */
export interface Sink {
  /**
   * Takes one record: `head` is ASCII and begins a JSON object; `raw`, when there is one, is a JSON text of
   * `rawBytes` that becomes its last member. False when there was no room for it.
   */
  write(head: string, raw?: readonly Buffer[], rawBytes?: number): boolean
  /** Settles when all that was taken is on disk. */
  close(): Promise<void>
}

/** What a sink needs. */
export interface SinkSetup {
  readonly file: Pick<TraceFile, 'append' | 'rotate' | 'close' | 'size'>
  readonly redact: Redact
  /** A file that has grown to this is followed by a new one. */
  readonly fileBytes: number
  /** The head of the first record of every further file. */
  readonly continued: (part: number) => string
  /** The head of the record that says how many records were dropped. */
  readonly dropped: (count: number) => string
  /** Called once when the disk fails: nothing is recorded from then on. */
  readonly failed: (error: Error) => void
  readonly queueBytes?: number
}

const RAW = ',"raw":'
const END = '}\n'
const FIRST_BYTES = 64 * 1024

/**
 * Collects records in one buffer and writes it while the next one fills: on the relay's way a record
 * costs one copy. All that is written goes through `redact`, a buffer at a time.
 */
export function createSink(setup: SinkSetup): Sink {
  const { file, redact, fileBytes, continued, dropped, failed } = setup
  const queueBytes = setup.queueBytes ?? TRACE_QUEUE_BYTES
  let batch = Buffer.allocUnsafe(FIRST_BYTES)
  let used = 0
  /** Bytes on their way to the disk. */
  let underway = 0
  let lost = 0
  let part = 1
  let broken = false
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined

  function reserve(bytes: number): boolean {
    if (used + bytes <= batch.length) return true
    if (used + underway + bytes > queueBytes) return false
    const larger = Buffer.allocUnsafe(
      Math.max(Math.min(batch.length * 2, queueBytes), used + bytes),
    )
    batch.copy(larger, 0, 0, used)
    batch = larger
    return true
  }

  function put(text: string): void {
    used += batch.write(text, used, 'latin1')
  }

  function add(head: string, raw: readonly Buffer[] | undefined, rawBytes: number): boolean {
    const bytes = head.length + (raw === undefined ? 0 : RAW.length + rawBytes) + END.length
    if (!reserve(bytes)) return false
    put(head)
    if (raw !== undefined) {
      put(RAW)
      for (const chunk of raw) used += chunk.copy(batch, used)
    }
    put(END)
    return true
  }

  function schedule(): void {
    if (writing !== undefined) return
    if (used >= TRACE_WRITE_BYTES) {
      begin()
    } else {
      timer ??= setTimeout(begin, TRACE_WRITE_MS)
      timer.unref()
    }
  }

  function begin(): void {
    clearTimeout(timer)
    timer = undefined
    if (writing !== undefined || used === 0) return
    writing = drain().finally(() => {
      writing = undefined
      if (used > 0 && !broken) schedule()
    })
  }

  async function drain(): Promise<void> {
    const taken = batch
    const bytes = used
    batch = Buffer.allocUnsafe(FIRST_BYTES)
    used = 0
    underway = bytes
    try {
      for (let from = 0; from < bytes;) {
        const to = pieceEnd(taken, from, bytes)
        await append(taken.toString('latin1', from, to))
        from = to
      }
    } catch (error) {
      broken = true
      failed(error as Error)
    } finally {
      underway = 0
    }
  }

  async function append(text: string): Promise<void> {
    const masked = redact(text)
    if (file.size() > 0 && file.size() + masked.length > fileBytes) {
      await file.rotate()
      part++
      await file.append(Buffer.from(redact(`${continued(part)}${END}`), 'latin1'))
    }
    await file.append(Buffer.from(masked, 'latin1'))
  }

  /** Whole records, and not much more than one write: masking a full queue at once would hold the relay. */
  function pieceEnd(bytes: Buffer, from: number, end: number): number {
    const line = bytes.indexOf(0x0a, from + TRACE_WRITE_BYTES)
    return line === -1 || line >= end ? end : line + 1
  }

  return {
    write(head, raw, rawBytes = 0) {
      if (broken) return false
      if (lost > 0 && add(dropped(lost), undefined, 0)) lost = 0
      if (lost > 0 || !add(head, raw, rawBytes)) {
        lost++
        return false
      }
      schedule()
      return true
    },
    async close() {
      while ((writing !== undefined || used > 0) && !broken) {
        begin()
        await writing
      }
      if (lost > 0 && !broken && add(dropped(lost), undefined, 0)) {
        begin()
        await writing
      }
      broken = true
      await file.close().catch(() => {})
    },
  }
}
