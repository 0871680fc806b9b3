// @ts-check
/**
 * The yardstick: the least that moves MCP messages between stdio and HTTP. It splits lines, POSTs the
 * bytes, cuts `data:` out of event streams, and writes to stdout. No errors, no sign-in, no
 * reconnection, no limits: not a bridge, only what the runtime permits.
 *
 * `node floor.mjs <url> [http|sse] [authorization]`. One file, so that nothing else is read at a start.
 */
import { Agent, request } from 'node:http'

const NEWLINE = Buffer.from('\n')

/** Above that, a copy costs more than several writes. */
const COPIED_BYTES = 1024 * 1024

/**
 * The side of HTTP.
 *
 * @param {object} options
 * @param {string} options.address
 * @param {string | undefined} options.mode `sse` for the deprecated transport
 * @param {string | undefined} options.authorization value of the header
 * @param {(pieces: Buffer[]) => void} options.write gets every message of the server
 */
export function connect({ address, mode, authorization, write }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 })
  const common = authorization === undefined ? {} : { authorization }
  let target = new URL(address)
  /** @type {string | undefined} */
  let session
  /** @type {Buffer[]} */
  const early = []
  let open = mode !== 'sse'
  let closed = false

  /**
   * @param {import('node:http').IncomingMessage} response
   * @param {(type: string, data: Buffer) => void} onEvent
   */
  function readEvents(response, onEvent) {
    /** @type {Buffer[]} */
    let rest = []
    response.on('data', (/** @type {Buffer} */ chunk) => {
      let at = chunk.indexOf('\n\n')
      if (at === -1) {
        rest.push(chunk)
        return
      }
      let text = rest.length === 0 ? chunk : Buffer.concat([...rest, chunk])
      rest = []
      for (at = text.indexOf('\n\n'); at !== -1; at = text.indexOf('\n\n')) {
        const event = text.subarray(0, at)
        const data = event.indexOf('data: ')
        const type = event.subarray(0, 6).equals(Buffer.from('event:'))
          ? event.toString('latin1', 7, event.indexOf(10))
          : 'message'
        if (data !== -1) onEvent(type, event.subarray(data + 6))
        text = text.subarray(at + 2)
      }
      if (text.length > 0) rest.push(text)
    })
  }

  /** @param {Buffer} line */
  function post(line) {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'content-length': line.length,
      ...common,
      ...(session === undefined ? {} : { 'mcp-session-id': session }),
    }
    const outgoing = request(target, { method: 'POST', agent, headers }, (response) => {
      session ??= /** @type {string | undefined} */ (response.headers['mcp-session-id'])
      if (mode === 'sse') {
        response.resume()
      } else if (response.headers['content-type']?.startsWith('text/event-stream') === true) {
        readEvents(response, (_, data) => write([data]))
      } else {
        /** @type {Buffer[]} */
        const chunks = []
        response.on('data', (chunk) => chunks.push(chunk))
        response.on('end', () => {
          if (chunks.length > 0) write(chunks)
        })
      }
      if (line.includes('notifications/initialized') && mode !== 'sse') listen()
    })
    // Over HTTP+SSE the last answer may be there before its POST is over, which `close` cuts then.
    outgoing.on('error', (error) => {
      if (!closed) throw error
    })
    outgoing.end(line)
  }

  function listen() {
    const headers = {
      accept: 'text/event-stream',
      ...common,
      ...(session && { 'mcp-session-id': session }),
    }
    const outgoing = request(target, { agent, headers }, (response) => {
      if (response.statusCode !== 200) {
        response.resume()
        return
      }
      readEvents(response, (type, data) => {
        if (type === 'endpoint') {
          target = new URL(data.toString(), target)
          open = true
          early.splice(0).forEach(post)
        } else {
          write([data])
        }
      })
    })
    // `close` cuts it.
    outgoing.on('error', () => {}).end()
  }

  if (mode === 'sse') listen()
  return {
    /** @param {Buffer} line */
    send(line) {
      if (open) post(line)
      else early.push(line)
    },
    close() {
      closed = true
      agent.destroy()
    },
  }
}

/** @param {(line: Buffer) => void} send @returns {(chunk: Buffer) => void} */
export function linesTo(send) {
  /** @type {Buffer[]} */
  let partial = []
  return (chunk) => {
    let from = 0
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      const piece = chunk.subarray(from, at)
      send(partial.length === 0 ? piece : Buffer.concat([...partial, piece]))
      partial = []
      from = at + 1
    }
    if (from < chunk.length) partial.push(chunk.subarray(from))
  }
}

if (process.argv[1]?.endsWith('floor.mjs') === true) {
  const [address = '', mode, authorization] = process.argv.slice(2)
  /** @type {Buffer[]} */
  let pending = []
  let bytes = 0
  const flush = () => {
    // One write for what is small; what is large is not copied.
    if (bytes < COPIED_BYTES) process.stdout.write(Buffer.concat(pending))
    else for (const piece of pending) process.stdout.write(piece)
    pending = []
    bytes = 0
  }
  const server = connect({
    address,
    mode,
    authorization,
    write(pieces) {
      if (pending.length === 0) setImmediate(flush)
      for (const piece of pieces) bytes += piece.length
      pending.push(...pieces, NEWLINE)
    },
  })
  process.stdin.on('data', linesTo(server.send)).on('end', server.close)
}
