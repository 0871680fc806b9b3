import {
  AFTER_VALUE,
  BREAKS_LINE,
  BROKEN,
  CLOSES_ARRAY,
  CLOSES_OBJECT,
  DONE,
  ENDED,
  ENDS,
  ENDS_KEY,
  IN_ARRAY,
  IN_OBJECT,
  IN_STRING,
  KEY,
  MEANING_SHIFT,
  NEAR,
  OPENS_ARRAY,
  OPENS_OBJECT,
  SEPARATES,
  STARTS,
  STARTS_KEY,
  STATE_MASK,
  type Steps,
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
type MemberName = 'id' | 'method' | 'params' | 'result' | 'error'

/** One element of the text: the text itself, or one entry of a batch array. */
export interface MessageSpans extends Span {
  /** False for numbers, strings, nested arrays and the like, which are no JSON-RPC message. */
  readonly object: boolean
  /** The last occurrence of each member, as JSON parsers resolve duplicate keys. */
  readonly members: Members
}

/** Where the members stand. */
export type Members = Readonly<Partial<Record<MemberName, Span>>>

/** What a complete text contains; `batch` when its root is an array. */
export interface Scan {
  readonly batch: boolean
  readonly messages: readonly MessageSpans[]
  /** Whether raw CR or LF bytes stand between tokens (they cannot stand anywhere else). */
  readonly breaks: boolean
}

/** Takes one JSON text after the other, each in pieces. */
export interface Scanner {
  push(chunk: Uint8Array): void
  /**
   * The index of the text, or `undefined` when what was pushed is not exactly one JSON text. What is
   * pushed next begins another text.
   */
  end(): Scan | undefined
}

const SPACE = Buffer.from(' ')

/** 1 for the bytes that end the plain run inside a string: quote, backslash, control characters. */
const STOPS_STRING = new Uint8Array(256)
STOPS_STRING.fill(1, 0, 0x20)
STOPS_STRING[0x22] = 1
STOPS_STRING[0x5c] = 1

/** What must have opened the container that a byte closes. */
const OPENER: Readonly<Record<number, number>> = {
  [CLOSES_OBJECT]: OPENS_OBJECT,
  [CLOSES_ARRAY]: OPENS_ARRAY,
}

/** No member name that matters is longer, even when every character is a `\u` escape. */
const LONGEST_KEY_BYTES = 6 * 'method'.length

/** Room for so many open containers is kept for the next text. */
const MAX_KEPT_DEPTH = 1024

interface OpenMessage {
  readonly start: number
  end: number
  readonly object: boolean
  readonly members: Partial<Record<MemberName, Span>>
}

/** A scanner; one is enough for a whole stream of texts, and making one costs more than a short text. */
export function createScanner(): Scanner {
  let mode = VALUE
  /** What opened each open container: `OPENS_OBJECT` or `OPENS_ARRAY`. */
  let stack = new Uint8Array(32)
  let depth = 0
  let offset = 0
  let breaks = false
  /** Depth at which the members of messages stand: 1, or 2 inside a batch array. */
  let memberDepth = 1
  let messages: MessageSpans[] = []
  let message: OpenMessage | undefined
  let key = ''
  /** What earlier chunks hold of the key being read; `undefined` between the keys of messages. */
  let keyHead: string | undefined
  let valueStart = 0

  function push(chunk: Uint8Array): void {
    const { length } = chunk
    // Locals: a closure's variable costs a memory access for every byte.
    let state = mode
    let level = depth
    let steps = stepsAt(level)
    let keyFrom = 0
    for (let i = 0; i < length; i++) {
      const step = steps[(state << 8) | chunk[i]!]!
      state = step & STATE_MASK
      if (step <= STATE_MASK) {
        if (state === IN_STRING) i = plainEnd(chunk, i + 1) - 1
        continue
      }
      const meaning = step >> MEANING_SHIFT
      switch (meaning) {
        case STARTS:
          if (level <= memberDepth) startValue(level, offset + i, meaning)
          break
        case ENDS:
          if (level <= memberDepth) state = endValue(level, offset + i + 1)
          break
        case ENDED:
          if (level <= memberDepth) state = endValue(level, offset + i)
          i--
          break
        case OPENS_OBJECT:
        case OPENS_ARRAY:
          if (level <= memberDepth) startValue(level, offset + i, meaning)
          if (level === stack.length) stack = twice(stack)
          stack[level++] = meaning
          steps = stepsAt(level)
          break
        case CLOSES_OBJECT:
        case CLOSES_ARRAY:
          level--
          if (stack[level] !== OPENER[meaning]) state = BROKEN
          else if (level <= memberDepth) state = endValue(level, offset + i + 1)
          steps = stepsAt(level)
          break
        case SEPARATES:
          if (stack[level - 1] === OPENS_OBJECT) state = KEY
          break
        case STARTS_KEY:
          if (level !== memberDepth) break
          keyHead = ''
          keyFrom = i + 1
          break
        case ENDS_KEY:
          if (level !== memberDepth) break
          key = keyName(keyHead + keyPart(chunk, keyFrom, i))
          keyHead = undefined
          break
        case BREAKS_LINE:
          breaks = true
      }
    }
    if (keyHead !== undefined && keyHead.length <= LONGEST_KEY_BYTES) {
      keyHead += keyPart(chunk, keyFrom, length)
    }
    mode = state
    depth = level
    offset += length
  }

  /** The grammar inside the innermost of `level` open containers. */
  function stepsAt(level: number): Steps {
    if (level <= memberDepth) return NEAR
    return stack[level - 1] === OPENS_OBJECT ? IN_OBJECT : IN_ARRAY
  }

  /** A value starts that is a batch, a message, or a member of a message. */
  function startValue(level: number, at: number, meaning: number): void {
    if (level === 0 && meaning === OPENS_ARRAY) memberDepth = 2
    else if (level === memberDepth) valueStart = at
    else message = { start: at, end: at, object: meaning === OPENS_OBJECT, members: {} }
  }

  /** Such a value has ended; returns the state after it. */
  function endValue(level: number, valueEnd: number): number {
    if (level === memberDepth) {
      if (message?.object === true) note(message.members, valueEnd)
    } else if (level === memberDepth - 1 && message !== undefined) {
      message.end = valueEnd
      messages.push(message)
      message = undefined
    }
    return level === 0 ? DONE : AFTER_VALUE
  }

  /** The value of the last key has ended. */
  function note(members: OpenMessage['members'], valueEnd: number): void {
    switch (key) {
      case 'id':
      case 'method':
      case 'params':
      case 'result':
      case 'error':
        members[key] = { start: valueStart, end: valueEnd }
    }
  }

  function end(): Scan | undefined {
    // Only what follows a number ends it.
    push(SPACE)
    const scan = mode === DONE ? { batch: memberDepth === 2, messages, breaks } : undefined
    mode = VALUE
    // Nobody nests so deep twice, but in an attack.
    if (stack.length > MAX_KEPT_DEPTH) stack = new Uint8Array(32)
    depth = offset = 0
    breaks = false
    memberDepth = 1
    messages = []
    message = keyHead = undefined
    return scan
  }

  return { push, end }
}

/** Where the plain run inside a string ends. */
function plainEnd(chunk: Uint8Array, from: number): number {
  let at = from
  while (at < chunk.length && STOPS_STRING[chunk[at]!] === 0) at++
  return at
}

function twice(stack: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(stack.length * 2)
  larger.set(stack)
  return larger
}

/** The bytes of a key as characters; of a long key only as much as shows that it is long. */
function keyPart(chunk: Uint8Array, from: number, to: number): string {
  const end = Math.min(to, from + LONGEST_KEY_BYTES + 1)
  let text = ''
  for (let i = from; i < end; i++) text += String.fromCharCode(chunk[i]!)
  return text
}

/** Resolves the escapes in a key; a long key may have been cut inside one and matches nothing. */
function keyName(raw: string): string {
  if (!raw.includes('\\')) return raw
  try {
    return JSON.parse(`"${raw}"`) as string
  } catch {
    return raw
  }
}
