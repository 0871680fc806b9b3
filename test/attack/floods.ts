import type { ServerResponse } from 'node:http'
import { createBrotliCompress, createGzip, constants } from 'node:zlib'

const MIB = 1024 * 1024

/** What has been handed over of a flood so far. */
export interface Flood {
  readonly sentMiB: () => number
  readonly stopped: () => boolean
}

/** Writes the same piece until the other side leaves, or so much is sent; then ends. */
export function pump(to: NodeJS.WritableStream, piece: Buffer, mostMiB: number): Flood {
  let sent = 0
  let stopped = false
  const more = (): void => {
    while (!stopped && !gone(to) && sent < mostMiB * MIB) {
      sent += piece.length
      if (!to.write(piece)) {
        to.once('drain', more)
        return
      }
    }
    if (!stopped && !gone(to)) to.end()
  }
  to.on('error', () => (stopped = true))
  to.on('close', () => (stopped = true))
  more()
  return { sentMiB: () => sent / MIB, stopped: () => stopped }
}

/** A destroyed stream takes everything that is written to it, and says so later. */
function gone(stream: NodeJS.WritableStream): boolean {
  return 'destroyed' in stream && stream.destroyed === true
}

/** Blanks, packed to a thousandth, until the other side leaves. */
export function bomb(
  response: ServerResponse,
  encoding: 'gzip' | 'br',
  type: string,
  mostMiB: number,
): Flood {
  response.writeHead(200, { 'content-type': type, 'content-encoding': encoding })
  const packer =
    encoding === 'gzip'
      ? createGzip({ level: 1 })
      : createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })
  packer.pipe(response)
  response.on('close', () => packer.destroy())
  return pump(packer, Buffer.alloc(MIB, ' '), mostMiB)
}

/** One byte at a time, without an end. */
export function drip(write: () => void, closed: (listener: () => void) => unknown): void {
  const timer = setInterval(write, 100)
  closed(() => clearInterval(timer))
}
