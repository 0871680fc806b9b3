// @ts-check
/**
 * The suite starts all scenarios of a client at once. Their drivers connect here with a task each and
 * wait for one of a few places; who gets one is served, and hears what came of it.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * @template Task
 * @param {number} count How many may run at once.
 * @param {(task: Task) => Promise<object>} serve
 * @returns {Promise<{ port: number, close(): void }>}
 */
export async function openPlaces(count, serve) {
  /** @type {{ socket: import('node:net').Socket, text: string }[]} */
  const waiting = []
  let free = count

  async function next() {
    while (waiting[0]?.socket.destroyed === true) waiting.shift()
    const first = free > 0 ? waiting.shift() : undefined
    if (first === undefined) return
    free--
    const outcome = await serve(JSON.parse(first.text))
    first.socket.end(JSON.stringify(outcome))
    free++
    void next()
  }

  const server = createServer((socket) => {
    let text = ''
    socket.on('error', () => {}) // a driver that was killed
    socket.setEncoding('utf8').on('data', (/** @type {string} */ chunk) => {
      text += chunk
      if (!text.endsWith('\n')) return
      waiting.push({ socket, text })
      void next()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return { port, close: () => void server.close() }
}
