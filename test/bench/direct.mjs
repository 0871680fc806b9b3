// @ts-check
// No bridge at all: the load generator speaks HTTP itself, as a host with remote support would.
import { connect, linesTo } from './floor.mjs'
import { createTally } from './tally.mjs'
import { UNKNOWN_USAGE } from './usage.mjs'

/**
 * @param {{ url: string, transport: 'http' | 'sse' }} target
 * @param {number} deadlineMs
 * @returns {import('./host.mjs').Host}
 */
export function startDirect({ url, transport }, deadlineMs) {
  const tally = createTally(deadlineMs, () => 'without a bridge')
  /** @type {((text: string) => void) | undefined} */
  let onLine
  const server = connect({
    address: url,
    mode: transport,
    authorization: undefined,
    write(pieces) {
      onLine?.(Buffer.concat(pieces).toString('latin1'))
      tally.add(1)
    },
  })
  const take = linesTo(server.send)
  const close = () => server.close()
  return {
    write: (text) => take(Buffer.from(text)),
    lines: tally.reach,
    count: tally.count,
    pause() {},
    resume() {},
    listen(handler) {
      onLine = handler
    },
    usage: () => UNKNOWN_USAGE,
    end: async () => close(),
    kill: close,
  }
}
