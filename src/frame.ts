import { locate } from './json/locate.ts'
import { createScanner, type Members, type MessageSpans, type Span } from './json/scanner.ts'
import { areUtf8 } from './json/utf8.ts'

/**
 * The JSON source of a request id. Ids are compared by source: `1`, `"1"`, `1.0` and
 * `12345678901234567890` are all different, which a parsed number could not keep apart.
 */
export type RawId = string

/** What a JSON-RPC text is; `batch` is an array of the other kinds (MCP 2025-03-26 only). */
export type FrameKind = 'request' | 'notification' | 'response' | 'batch' | 'invalid'

/** One JSON-RPC text as it was received, and what was read off its top level. */
export interface Frame {
  /** The text in order, without line terminator. Never rebuilt from parsed values. */
  readonly chunks: readonly Buffer[]
  /** Bytes in `chunks`. */
  readonly size: number
  readonly kind: FrameKind
  readonly id?: RawId | undefined
  readonly idSpan?: Span | undefined
  readonly method?: string | undefined
  readonly params?: Span | undefined
  readonly result?: Span | undefined
  readonly error?: Span | undefined
  /** The messages of a batch, each a frame of its own. */
  readonly parts?: readonly Frame[] | undefined
}

/** Takes the bytes of one JSON text after the other as they arrive. */
export interface FrameReader {
  /** Bytes of the text that is being read. A function: an object with a getter takes 2.5 µs to make. */
  size(): number
  push(chunk: Buffer): void
  /**
   * The frame, or `undefined` when the bytes are not exactly one JSON text in UTF-8. What is pushed next
   * begins another one.
   */
  finish(): Frame | undefined
}

/**
 * A reader of frames. Raw line breaks in a valid JSON text can only be white space, so they are
 * replaced by spaces in place: lossless, and the text fits on one line of stdio.
 */
export function createFrameReader(): FrameReader {
  const scanner = createScanner()
  let chunks: Buffer[] = []
  let size = 0
  return {
    size: () => size,
    push(chunk) {
      if (chunk.length === 0) return
      scanner.push(chunk)
      chunks.push(chunk)
      size += chunk.length
    },
    finish() {
      const scan = scanner.end()
      const text = chunks
      const bytes = size
      chunks = []
      size = 0
      if (scan === undefined || !areUtf8(text)) return undefined
      if (scan.breaks) text.forEach(blankLineBreaks)
      if (!scan.batch) return messageFrame(text, bytes, scan.messages[0]!)
      const parts = scan.messages.map((spans) => {
        const part = slice(text, spans)
        return messageFrame([part], part.length, shift(spans))
      })
      const kind = parts.length === 0 ? 'invalid' : 'batch'
      return { chunks: text, size: bytes, kind, parts }
    },
  }
}

/** Reads a complete text. */
export function readFrame(text: Buffer | string): Frame | undefined {
  const reader = createFrameReader()
  reader.push(typeof text === 'string' ? Buffer.from(text) : text)
  return reader.finish()
}

/** The bytes of a part of a frame in one piece; without copying when they lie in one chunk. */
export function slice(chunks: readonly Buffer[], span: Span): Buffer {
  const pieces = cut(chunks, span)
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
}

/** The bytes of a part of a frame, without copying. */
function cut(chunks: readonly Buffer[], span: Span): Buffer[] {
  const pieces: Buffer[] = []
  let offset = 0
  for (const chunk of chunks) {
    const from = Math.max(span.start - offset, 0)
    const to = Math.min(span.end - offset, chunk.length)
    if (from < to) pieces.push(chunk.subarray(from, to))
    offset += chunk.length
    if (offset >= span.end) break
  }
  return pieces
}

/** The same message under another id; every other byte stays. A missing id is put first. */
export function withId(frame: Frame, id: RawId): Frame {
  if (frame.idSpan !== undefined) return spliced(frame, frame.idSpan, Buffer.from(id))
  const brace = slice(frame.chunks, { start: 0, end: frame.size }).indexOf(0x7b)
  const first = { start: brace + 1, end: brace + 1 }
  return spliced(frame, first, Buffer.from(`"id":${id},`))
}

/** The same response around another result; every byte outside of it stays. */
export function withResult(frame: Frame, result: Buffer): Frame {
  return spliced(frame, frame.result!, result)
}

function spliced(frame: Frame, { start, end }: Span, piece: Buffer): Frame {
  const before = cut(frame.chunks, { start: 0, end: start })
  const after = cut(frame.chunks, { start: end, end: frame.size })
  const reader = createFrameReader()
  for (const chunk of [...before, piece, ...after]) reader.push(chunk)
  return reader.finish()!
}

const ID_AT = '{"jsonrpc":"2.0","id":'.length

/** A response built around the bytes of a result or an error. */
export function answer(id: RawId, member: 'result' | 'error', value: Buffer): Frame {
  const head = Buffer.from(`{"jsonrpc":"2.0","id":${id},"${member}":`)
  const chunks = [head, value, Buffer.from('}')]
  const span = { start: head.length, end: head.length + value.length }
  const idSpan = { start: ID_AT, end: ID_AT + Buffer.byteLength(id) }
  return { chunks, size: span.end + 1, kind: 'response', id, idSpan, [member]: span }
}

/** JSON-RPC error object (JSON-RPC 2.0 §5.1). */
export interface ErrorObject {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

/** A JSON-RPC error response of our own; `id` is `null` when the request's id could not be read. */
export function errorFrame(id: RawId, error: ErrorObject): Frame {
  return answer(id, 'error', Buffer.from(JSON.stringify(error)))
}

/** One batch array around whole messages. */
export function batchFrame(parts: readonly Frame[]): Frame {
  const chunks: Buffer[] = []
  for (const part of parts) {
    chunks.push(Buffer.from(chunks.length === 0 ? '[' : ','), ...part.chunks)
  }
  chunks.push(Buffer.from(']'))
  const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  return { chunks, size, kind: 'batch', parts }
}

/** The id source of the request that a `notifications/cancelled` names, or `undefined`. */
export function cancelledId(frame: Frame): RawId | undefined {
  if (frame.method !== 'notifications/cancelled' || frame.params === undefined) return undefined
  const params = slice(frame.chunks, frame.params)
  const id = locate(params, 'requestId')
  return id === undefined ? undefined : params.toString('utf8', id.start, id.end)
}

/** A cancellation of the request with this id (MCP 2025-11-25, cancellation). */
export function cancellation(requestId: RawId, reason: string): Frame {
  const params = `{"requestId":${requestId},"reason":${JSON.stringify(reason)}}`
  return readFrame(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":${params}}`)!
}

function messageFrame(chunks: readonly Buffer[], size: number, spans: MessageSpans): Frame {
  const { id: idSpan, method: methodSpan, params, result, error } = spans.members
  const source = idSpan && textOf(chunks, idSpan)
  // An object, an array or a boolean is no id.
  const readable = source === undefined || !'[{tf'.includes(source[0]!)
  const method = methodSpan && methodName(textOf(chunks, methodSpan))
  const named = methodSpan === undefined || method !== undefined
  const kind = spans.object && readable && named ? kindOf(source, method, spans.members) : 'invalid'
  return {
    chunks,
    size,
    kind,
    id: readable ? source : undefined,
    idSpan,
    method: kind === 'invalid' ? undefined : method,
    params,
    result,
    error,
  }
}

function kindOf(
  id: RawId | undefined,
  method: string | undefined,
  { result, error }: Members,
): FrameKind {
  if (method !== undefined) return id === undefined ? 'notification' : 'request'
  return result === undefined && error === undefined ? 'invalid' : 'response'
}

function textOf(chunks: readonly Buffer[], span: Span): string {
  // Nearly always in one piece, and then without an object for the part.
  return chunks.length === 1
    ? chunks[0]!.toString('utf8', span.start, span.end)
    : slice(chunks, span).toString('utf8')
}

/** The value of a JSON string, or `undefined` for any other value. */
function methodName(text: string): string | undefined {
  if (!text.startsWith('"')) return undefined
  return text.includes('\\') ? (JSON.parse(text) as string) : text.slice(1, -1)
}

function shift(spans: MessageSpans): MessageSpans {
  const move = (span: Span): Span => ({
    start: span.start - spans.start,
    end: span.end - spans.start,
  })
  const members = Object.fromEntries(
    Object.entries(spans.members).map(([name, span]) => [name, move(span)]),
  )
  return { ...move(spans), object: spans.object, members }
}

function blankLineBreaks(chunk: Buffer): void {
  for (const lineBreak of [0x0a, 0x0d]) {
    for (let i = chunk.indexOf(lineBreak); i !== -1; i = chunk.indexOf(lineBreak, i + 1)) {
      chunk[i] = 0x20
    }
  }
}
