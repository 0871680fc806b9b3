// @ts-check
/**
 * The suite starts all scenarios of a client at once, each with a driver and a bridge. Here they wait
 * for one of a few slots: a connection is a place in the queue, its first byte is the turn, its end
 * frees the slot.
 */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

/**
 * @param {number} count How many may run at once.
 * @returns {Promise<{ port: number, close(): void }>}
 */
export async function openSlots(count) {
  /** @type {import('node:net').Socket[]} */
  const waiting = []
  let free = count

  function next() {
    while (waiting[0]?.destroyed === true) waiting.shift()
    const socket = free > 0 ? waiting.shift() : undefined
    if (socket === undefined) return
    free--
    socket.once('close', () => {
      free++
      next()
    })
    socket.write('.')
  }

  const server = createServer((socket) => {
    socket.on('error', () => {}) // a driver that was killed
    socket.resume()
    waiting.push(socket)
    next()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return { port, close: () => void server.close() }
}

/**
 * Waits for a slot; it is held until the process ends.
 *
 * @param {number} port
 */
export async function takeSlot(port) {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'data')
  socket.unref()
}
