import { isUtf8 } from 'node:buffer'

const NOTHING: Buffer = Buffer.alloc(0)

/**
 * Whether pieces of a text, cut anywhere, are UTF-8 together (RFC 3629). Messages are (MCP 2025-11-25,
 * basic/transports): hosts that decode strictly end the session with the first other byte.
 */
export function areUtf8(pieces: readonly Buffer[]): boolean {
  if (pieces.length === 1) return isUtf8(pieces[0]!)
  /** What earlier pieces hold of the character that a cut goes through. */
  let begun: Buffer = NOTHING
  for (const piece of pieces) {
    let from = 0
    if (begun.length > 0) {
      const { length } = begun
      const whole = Buffer.concat([begun, piece.subarray(0, lengthOf(begun[0]!) - length)])
      from = whole.length - length
      begun = whole
      if (whole.length < lengthOf(whole[0]!)) continue
      if (!isUtf8(whole)) return false
    }
    const end = wholeEnd(piece, from)
    if (!isUtf8(piece.subarray(from, end))) return false
    begun = piece.subarray(end)
  }
  return begun.length === 0
}

/** Bytes of the character that a byte begins. */
function lengthOf(first: number): number {
  if (first >= 0xf0) return 4
  if (first >= 0xe0) return 3
  return first >= 0xc0 ? 2 : 1
}

/** Where the character begins that the end of a piece cuts; its length when it cuts none. */
function wholeEnd(piece: Buffer, from: number): number {
  for (let back = 1; back <= 3 && piece.length - back >= from; back++) {
    const byte = piece[piece.length - back]!
    if (byte >= 0xc0) return lengthOf(byte) > back ? piece.length - back : piece.length
    if (byte < 0x80) break
  }
  return piece.length
}
