import {
  AFTER_VALUE,
  BREAKS_LINE,
  BROKEN,
  CLOSES_ARRAY,
  CLOSES_OBJECT,
  CONTINUES,
  DONE,
  ENDED,
  ENDS,
  ENDS_KEY,
  IN_STRING,
  KEY,
  MEANING_SHIFT,
  OPENS_ARRAY,
  OPENS_OBJECT,
  SEPARATES,
  STARTS,
  STARTS_KEY,
  STATE_MASK,
  STEPS,
  VALUE,
} from './grammar.ts'

/**
 * Reads JSON texts byte by byte without building values: says whether the text is JSON (RFC 8259),
 * and where the members of a JSON-RPC message stand in it. Building values would cost 25 % more CPU
 * per message and lose integers beyond 2^53, `1.0`, key order and duplicate keys.
 */

/** A part of a text: byte offsets, end exclusive. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** The top-level members of a JSON-RPC message that a relay looks at. */
export type MemberName = 'id' | 'method' | 'params' | 'result' | 'error'

/** One element of the text: the text itself, or one entry of a batch array. */
export interface MessageSpans extends Span {
  /** False for numbers, strings, nested arrays and the like, which are no JSON-RPC message. */
  readonly object: boolean
  /** The last occurrence of each member, as JSON parsers resolve duplicate keys. */
  readonly members: Partial<Record<MemberName, Span>>
}

/** What a complete text contains; `batch` when its root is an array. */
export interface Scan {
  readonly batch: boolean
  readonly messages: readonly MessageSpans[]
  /** Whether raw CR or LF bytes stand between tokens (they cannot stand anywhere else). */
  readonly breaks: boolean
}

/** Takes one JSON text in pieces. */
export interface Scanner {
  push(chunk: Uint8Array): void
  /** The index of the text, or `undefined` when what was pushed is not exactly one JSON text. */
  end(): Scan | undefined
}

const SPACE = Uint8Array.of(0x20)

/** 1 for the bytes that end the plain run inside a string: quote, backslash, control characters. */
const STOPS_STRING = new Uint8Array(256)
STOPS_STRING.fill(1, 0, 0x20)
STOPS_STRING[0x22] = 1
STOPS_STRING[0x5c] = 1

const MEMBERS: ReadonlySet<string> = new Set(['id', 'method', 'params', 'result', 'error'])

/** No member name that matters is longer, even when every character is a `\u` escape. */
const LONGEST_KEY_BYTES = 6 * 'method'.length

interface OpenMessage {
  readonly start: number
  readonly object: boolean
  readonly members: Partial<Record<MemberName, Span>>
}

/** A scanner for one text. */
export function createScanner(): Scanner {
  let mode = VALUE
  /** What each open container is: the byte that opened it. */
  let stack = new Uint8Array(64)
  let depth = 0
  let offset = 0
  let breaks = false
  /** Depth at which members of messages stand: 1, or 2 inside a batch array. */
  let memberDepth = 1
  let batch = false
  const messages: MessageSpans[] = []
  let message: OpenMessage | undefined
  let key = ''
  let keyHead = ''
  let valueStart = 0

  function push(chunk: Uint8Array): void {
    const { length } = chunk
    // Locals, because a closure's variables cost a memory access each, for every byte.
    let state = mode
    let level = depth
    let keyFrom = 0
    let i = 0
    while (i < length) {
      const byte = chunk[i]!
      const step = STEPS[(state << 8) | byte]!
      state = step & STATE_MASK
      switch (step >> MEANING_SHIFT) {
        case CONTINUES:
          if (state === IN_STRING) while (STOPS_STRING[chunk[i + 1]!] === 0) i++
          break
        case STARTS:
          if (level <= memberDepth) startValue(level, offset + i, false)
          break
        case ENDED:
          i--
          if (level <= memberDepth) endValue(level, offset + i + 1)
          if (level === 0) state = DONE
          break
        case ENDS:
          if (level <= memberDepth) endValue(level, offset + i + 1)
          if (level === 0) state = DONE
          break
        case SEPARATES:
          if (level === 0)...
      }
      i++
    }
  }
