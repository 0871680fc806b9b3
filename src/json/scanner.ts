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

const OBJECT = 0
const ARRAY = 1

// What the next byte may be.
const VALUE = 0
const VALUE_OR_END = 1
const KEY = 2
const KEY_OR_END = 3
const COLON = 4
const COMMA_OR_END = 5
const DONE = 6
const STRING = 7
const ESCAPE = 8
const HEX = 9
const LITERAL = 10
const BROKEN = 11
// Numbers: the states in which a number may end come last.
const MINUS = 12
const DOT = 13
const EXPONENT = 14
const EXPONENT_SIGN = 15
const ZERO = 16
const INTEGER = 17
const FRACTION = 18
const EXPONENT_DIGITS = 19

/** 1 for the bytes that end the plain run inside a string: quote, backslash, control characters. */
const STOPS_STRING = new Uint8Array(256)
STOPS_STRING.fill(1, 0, 0x20)
STOPS_STRING[0x22] = 1
STOPS_STRING[0x5c] = 1

const LITERALS: Readonly<Record<number, string>> = { 0x74: 'true', 0x66: 'false', 0x6e: 'null' }
const ESCAPES = new Set(Array.from('"\\/bfnrt', (c) => c.charCodeAt(0)))
const MEMBERS: ReadonlySet<string> = new Set(['id', 'method', 'params', 'result', 'error'])

/** No member name that matters is longer, even when every character is a `\u` escape. */
const LONGEST_KEY_BYTES = 6 * 'method'.length

interface OpenMessage {
  start: number
  object: boolean
  members: Partial<Record<MemberName, Span>>
}

/** A scanner for one text. */
export function createScanner(): Scanner {
  let mode = VALUE
  let stack = new Uint8Array(64)
  let depth = 0
  let offset = 0
  let breaks = false
  /** Depth at which members of messages stand: 1, or 2 inside a batch array. */
  let messageDepth = 1
  let batch = false
  const messages: MessageSpans[] = []
  let message: OpenMessage | undefined
  let key = ''
  let keyBytes: number[] | undefined
  let valueStart = 0
  let inKey = false
  let hexLeft = 0
  let literal = ''
  let literalAt = 0

  function push(chunk: Uint8Array): void {
    const length = chunk.length
    let i = 0
    while (i < length) {
      const byte = chunk[i]!
      switch (mode) {
        case STRING: {
          const from = i
          while (i < length && STOPS_STRING[chunk[i]!] === 0) i++
          if (keyBytes !== undefined) keepKey(chunk, from, i)
          if (i === length) break
          const stop = chunk[i]!
          if (stop === 0x22) {
            i++
            if (inKey) endKey()
            else endValue(offset + i)
          } else if (stop === 0x5c) {
            if (keyBytes !== undefined) keepKey(chunk, i, i + 1)
            i++
            mode = ESCAPE
          } else {
            mode = BROKEN
          }
          break
        }
        case ESCAPE:
          if (byte === 0x75) {
            mode = HEX
            hexLeft = 4
          } else {
            mode = ESCAPES.has(byte) ? STRING : BROKEN
          }
          if (keyBytes !== undefined) keepKey(chunk, i, i + 1)
          i++
          break
        case HEX:
          if (!isHex(byte)) mode = BROKEN
          else if (--hexLeft === 0) mode = STRING
          if (keyBytes !== undefined) keepKey(chunk, i, i + 1)
          i++
          break
        case LITERAL:
          if (byte !== literal.charCodeAt(literalAt)) mode = BROKEN
          else if (++literalAt === literal.length) endValue(offset + i + 1)
          i++
          break
        case BROKEN:
          i = length
          break
        case MINUS:
        case DOT:
        case EXPONENT:
        case EXPONENT_SIGN:
        case ZERO:
        case INTEGER:
        case FRACTION:
        case EXPONENT_DIGITS: {
          const next = numberState(mode, byte)
          if (next !== undefined) {
            mode = next
            i++
          } else if (mode >= ZERO) {
            endValue(offset + i) // the byte belongs to what follows
          } else {
            mode = BROKEN
          }
          break
        }
        default: // between tokens
          if (byte === 0x20 || byte === 0x09) {
            i++
          } else if (byte === 0x0a || byte === 0x0d) {
            breaks = true
            i++
          } else {
            structure(byte, offset + i)
            i++
          }
      }
    }
    offset += length
  }

  /** One byte that is neither white space nor inside a scalar. */
  function structure(byte: number, at: number): void {
    switch (mode) {
      case VALUE_OR_END:
        if (byte === 0x5d) close(ARRAY, at)
        else startValue(byte, at)
        return
      case VALUE:
        startValue(byte, at)
        return
      case KEY_OR_END:
      case KEY:
        if (byte === 0x22) {
          inKey = true
          keyBytes = depth === messageDepth ? [] : undefined
          mode = STRING
        } else if (byte === 0x7d && mode === KEY_OR_END) {
          close(OBJECT, at)
        } else {
          mode = BROKEN
        }
        return
      case COLON:
        mode = byte === 0x3a ? VALUE : BROKEN
        return
      case COMMA_OR_END: {
        const container = stack[depth - 1]
        if (byte === 0x2c) mode = container === OBJECT ? KEY : VALUE
        else if (byte === 0x7d && container === OBJECT) close(OBJECT, at)
        else if (byte === 0x5d && container === ARRAY) close(ARRAY, at)
        else mode = BROKEN
        return
      }
      default: // DONE: nothing may follow the text
        mode = BROKEN
    }
  }

  function startValue(byte: number, at: number): void {
    if (depth === messageDepth - 1) {
      if (depth === 0 && byte === 0x5b) {
        batch = true
        messageDepth = 2
      } else {
        message = { start: at, object: byte === 0x7b, members: {} }
      }
    } else if (depth === messageDepth) {
      valueStart = at
    }
    if (byte === 0x22) {
      inKey = false
      mode = STRING
    } else if (byte === 0x7b) {
      open(OBJECT)
    } else if (byte === 0x5b) {
      open(ARRAY)
    } else if (byte === 0x2d) {
      mode = MINUS
    } else if (byte === 0x30) {
      mode = ZERO
    } else if (byte >= 0x31 && byte <= 0x39) {
      mode = INTEGER
    } else {
      const word = LITERALS[byte]
      if (word === undefined) {
        mode = BROKEN
      } else {
        literal = word
        literalAt = 1
        mode = LITERAL
      }
    }
  }

  function open(container: number): void {
    if (depth === stack.length) {
      const larger = new Uint8Array(stack.length * 2)
      larger.set(stack)
      stack = larger
    }
    stack[depth++] = container
    mode = container === OBJECT ? KEY_OR_END : VALUE_OR_END
  }

  function close(container: number, at: number): void {
    if (stack[depth - 1] !== container) {
      mode = BROKEN
      return
    }
    depth--
    endValue(at + 1)
  }

  function endValue(valueEnd: number): void {
    mode = depth === 0 ? DONE : COMMA_OR_END
    if (depth === messageDepth) {
      if (message?.object === true && MEMBERS.has(key)) {
        message.members[key as MemberName] = { start: valueStart, end: valueEnd }
      }
    } else if (depth === messageDepth - 1 && message !== undefined) {
      messages.push({ ...message, end: valueEnd })
      message = undefined
    }
  }

  function endKey(): void {
    mode = COLON
    inKey = false
    if (keyBytes === undefined) return
    const raw = String.fromCharCode(...keyBytes)
    key = raw.includes('\\') ? unescape(raw) : raw
    keyBytes = undefined
  }

  function keepKey(chunk: Uint8Array, from: number, to: number): void {
    if (keyBytes === undefined) return
    // Longer keys are compared with nothing; one byte more than the longest marks them.
    const keepTo = Math.min(to, from + LONGEST_KEY_BYTES + 1 - keyBytes.length)
    for (let i = from; i < keepTo; i++) keyBytes.push(chunk[i]!)
  }

  function end(): Scan | undefined {
    if (depth === 0 && mode >= ZERO) endValue(offset)
    return mode === DONE ? { batch, messages, breaks } : undefined
  }

  return { push, end }
}

/** The state after one more byte of a number, or `undefined` when the byte is not part of it. */
function numberState(mode: number, byte: number): number | undefined {
  const digit = byte >= 0x30 && byte <= 0x39
  switch (mode) {
    case MINUS:
      return byte === 0x30 ? ZERO : digit ? INTEGER : undefined
    case INTEGER:
      if (digit) return INTEGER
      return afterInteger(byte)
    case ZERO:
      return afterInteger(byte)
    case DOT:
    case FRACTION:
      if (digit) return FRACTION
      return mode === FRACTION && isE(byte) ? EXPONENT : undefined
    case EXPONENT:
      if (byte === 0x2b || byte === 0x2d) return EXPONENT_SIGN
      return digit ? EXPONENT_DIGITS : undefined
    default:
      return digit ? EXPONENT_DIGITS : undefined
  }
}

function afterInteger(byte: number): number | undefined {
  if (byte === 0x2e) return DOT
  return isE(byte) ? EXPONENT : undefined
}

function isE(byte: number): boolean {
  return byte === 0x65 || byte === 0x45
}

function isHex(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x41 && byte <= 0x46) ||
    (byte >= 0x61 && byte <= 0x66)
  )
}

/** Resolves escapes in a key; a key cut at the length limit may end inside one and then matches nothing. */
function unescape(raw: string): string {
  try {
    return JSON.parse(`"${raw}"`) as string
  } catch {
    return raw
  }
}
