import { createFrameReader, type Frame } from '../frame.ts'
import { MAX_EVENT_FIELD_BYTES, MAX_FRAME_BYTES } from '../limits.ts'

/** One dispatched event of a stream (WHATWG HTML, server-sent events). */
export interface StreamEvent {
  /** `message` unless the stream names another type. */
  readonly type: string
  /** The data as one JSON text, `undefined` when it is none. */
  readonly frame: Frame | undefined
  /** The data as text; made only when asked for. */
  readonly text: () => string
}

/** What a stream says apart from its events. */
export interface EventHandlers {
  event(event: StreamEvent): Promise<void> | undefined
  /** The id to resume after; also of events without data (MCP 2025-11-25 priming events). */
  id?(id: string): void
  /** The pause in milliseconds that the server wants before a reconnect. */
  retry?(ms: number): void
}

/** Decodes a stream in pieces; throws when a limit is broken. */
export interface EventDecoder {
  /** A returned promise settles when the handlers have room again. */
  push(chunk: Buffer): Promise<void> | undefined
}

const LF = 0x0a
const CR = 0x0d
const COLON = 0x3a
const SPACE = 0x20
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf]
const LINE_BREAK_AS_SPACE = Buffer.from(' ')

/** Longest field name that means something: `event`, `retry`. */
const LONGEST_NAME = 5

/**
 * Decodes `text/event-stream` on bytes. Data goes straight into a frame, without a detour through
 * strings: a result of 128 MiB then costs 128 MiB, and a character split across chunks stays whole.
 * `eventsource-parser` is the reference in the tests (docs/decisions/002).
 */
export function createEventDecoder(handlers: EventHandlers): EventDecoder {
  let name = ''
  let inName = true
  let skipSpace = false
  let skipLf = false
  let value: Buffer[] = []
  let valueBytes = 0
  const data = createFrameReader()
  let hasData = false
  let dataChunks: Buffer[] = []
  let type = ''
  let id: string | undefined
  let start = 0 // of the byte order mark still to be skipped
  let wait: Promise<void> | undefined

  function push(chunk: Buffer): Promise<void> | undefined {
    wait = undefined
    let at = start < 3 ? skipByteOrderMark(chunk) : 0
    let nextCr = chunk.indexOf(CR, at)
    while (at < chunk.length) {
      if (skipLf) {
        skipLf = false
        if (chunk[at] === LF) {
          at++
          continue
        }
      }
      if (nextCr !== -1 && nextCr < at) nextCr = chunk.indexOf(CR, at)
      const lf = chunk.indexOf(LF, at)
      const stop = lf === -1 ? nextCr : nextCr === -1 ? lf : Math.min(lf, nextCr)
      const lineEnd = stop === -1 ? chunk.length : stop
      if (at < lineEnd) readLine(chunk, at, lineEnd)
      if (stop === -1) break
      endLine()
      skipLf = stop === nextCr && stop !== lf
      at = stop + 1
    }
    return wait
  }

  function skipByteOrderMark(chunk: Buffer): number {
    let at = 0
    while (start < 3 && at < chunk.length) {
      if (chunk[at] !== BYTE_ORDER_MARK[start]) {
        start = 3
        break
      }
      start++
      at++
    }
    return at
  }

  /** A part of a line: the name comes first and is short, whatever follows is value. */
  function readLine(chunk: Buffer, from: number, to: number): void {
    let at = from
    while (inName && at < to) {
      const byte = chunk[at++]!
      if (byte === COLON) {
        inName = false
        skipSpace = true
        if (name === 'data') beginData()
      } else if (name.length <= LONGEST_NAME) {
        name += String.fromCharCode(byte)
      }
    }
    if (at < to && skipSpace) {
      skipSpace = false
      if (chunk[at] === SPACE) at++
    }
    if (at < to) takeValue(chunk.subarray(at, to))
  }

  function beginData(): void {
    if (hasData) takeData(LINE_BREAK_AS_SPACE)
    hasData = true
  }

  function takeData(piece: Buffer): void {
    if (data.size() + piece.length > MAX_FRAME_BYTES) throw new RangeError('event too large')
    data.push(piece)
    dataChunks.push(piece)
  }

  function takeValue(piece: Buffer): void {
    if (name === 'data') {
      takeData(piece)
    } else if (name === 'id' || name === 'event' || name === 'retry') {
      valueBytes += piece.length
      if (valueBytes > MAX_EVENT_FIELD_BYTES) throw new RangeError('event field too large')
      value.push(piece)
    }
  }

  function endLine(): void {
    const empty = inName && name === ''
    if (empty) dispatch()
    else endField()
    name = ''
    inName = true
    skipSpace = false
    if (valueBytes > 0) value = []
    valueBytes = 0
  }

  function endField(): void {
    // A line without colon is a field with an empty value.
    if (inName && name === 'data') beginData()
    if (name !== 'id' && name !== 'event' && name !== 'retry') return
    const text = Buffer.concat(value).toString('utf8')
    if (name === 'event') type = text
    else if (name === 'retry') retry(text)
    else if (!text.includes('\0')) id = text
  }

  function retry(text: string): void {
    if (/^\d+$/.test(text)) handlers.retry?.(Number(text))
  }

  function dispatch(): void {
    const chunks = dataChunks
    const event = type === '' ? 'message' : type
    hasData = false
    type = ''
    if (chunks.length > 0) dataChunks = []
    if (data.size() > 0) {
      const text = (): string => Buffer.concat(chunks).toString('utf8')
      wait = handlers.event({ type: event, frame: data.finish(), text }) ?? wait
    }
    // After the event: an id names what has been handed over.
    if (id !== undefined) handlers.id?.(id)
    id = undefined
  }

  return { push }
}
