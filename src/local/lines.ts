import type { HostLine } from '../channel.ts'
import { createFrameReader } from '../frame.ts'

/** Cuts a byte stream into lines. */
export interface LineSplitter {
  push(chunk: Buffer): void
  /** The stream has ended; a last line without terminator counts. */
  end(): void
}

const LF = 0x0a
const CR = 0x0d
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/**
 * Cuts at LF and nothing else: U+2028 is legal inside JSON strings, and `node:readline` of Node 22
 * also splits there. Works on bytes, so a character split across chunks stays whole. A CR before the
 * LF, empty lines and a byte order mark are tolerated.
 */
export function createLineSplitter(
  maxBytes: number,
  onLine: (line: HostLine, bytes: number) => void,
): LineSplitter {
  const reader = createFrameReader()
  let blank = true
  let skipping = false
  let marked = 0 // bytes of a byte order mark seen so far
  let heldCr = false // the last chunk ended with a CR, which may belong to an LF

  function take(piece: Buffer): void {
    if (skipping || piece.length === 0) return
    if (reader.size() + piece.length > maxBytes) {
      skipping = true
      reader.finish()
      onLine({ kind: 'too-long' }, 0)
      return
    }
    blank &&= isBlank(piece)
    reader.push(piece)
  }

  function finishLine(): void {
    if (!skipping && !blank) {
      const size = reader.size()
      const frame = reader.finish()
      onLine(frame === undefined ? { kind: 'unparsable' } : { kind: 'frame', frame }, size)
    } else {
      reader.finish() // blank, and to be forgotten
    }
    blank = true
    skipping = false
  }

  function withoutByteOrderMark(chunk: Buffer): Buffer {
    let at = 0
    while (marked < 3 && at < chunk.length) {
      if (chunk[at] !== BYTE_ORDER_MARK[marked]) {
        take(BYTE_ORDER_MARK.subarray(0, marked)) // it was none
        marked = 3
        break
      }
      marked++
      at++
    }
    return chunk.subarray(at)
  }

  return {
    push(chunk) {
      let rest = marked < 3 ? withoutByteOrderMark(chunk) : chunk
      if (rest.length === 0) return
      if (heldCr && rest[0] !== LF) take(Buffer.of(CR))
      heldCr = rest.at(-1) === CR
      if (heldCr) rest = rest.subarray(0, -1)
      let start = 0
      for (let at = rest.indexOf(LF); at !== -1; at = rest.indexOf(LF, start)) {
        take(rest.subarray(start, rest[at - 1] === CR && at > start ? at - 1 : at))
        finishLine()
        start = at + 1
      }
      if (start < rest.length) take(rest.subarray(start))
    },
    end() {
      if (marked < 3) take(BYTE_ORDER_MARK.subarray(0, marked)) // it was none
      if (heldCr) take(Buffer.of(CR))
      finishLine()
    },
  }
}

function isBlank(piece: Buffer): boolean {
  for (const byte of piece) if (byte !== 0x20 && byte !== 0x09 && byte !== CR) return false
  return true
}
