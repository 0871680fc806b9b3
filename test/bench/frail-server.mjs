// @ts-check
import { createServer } from 'node:http'
import { connect, createServer as createTcpServer } from 'node:net'

/**
 * A Streamable HTTP server with sessions whose faults are switched on from outside, behind a TCP
 * relay that can forget its connections.
 */
export async function startFrailServer() {
  const faults = {
    /** Status for sessions that are not known. */
    unknown: 404,
    /** Requests that are answered with 503 and `Retry-After: 1`. */
    busy: 0,
    /** Milliseconds of silence after which a connection is closed. */
    idleMs: 0,
  }
  /** @type {Set<string>} */
  let known = new Set()
  /** @type {Set<import('node:http').ServerResponse>} */
  const streams = new Set()
  /** @type {import('node:http').Server} */
  let server
  let sessions = 0
  let port = 0
  /** @type {Set<readonly [import('node:net').Socket, import('node:net').Socket]>} */
  const pairs = new Set()

  /** @type {import('node:http').RequestListener} */
  function answer(request, response) {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      const message = body === '' ? {} : JSON.parse(body)
      const session = String(request.headers['mcp-session-id'])
      /** @param {object} value */
      const reply = (value) => {
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, ...value }))
      }
      if (request.method === 'DELETE') {
        response.writeHead(204).end()
      } else if (message.method === 'initialize') {
        const id = `s${++sessions}`
        known.add(id)
        response.setHeader('mcp-session-id', id)
        const capabilities = { tools: { listChanged: true } }
        const serverInfo = { name: 'frail', version: '1' }
        reply({ result: { protocolVersion: '2025-11-25', capabilities, serverInfo } })
      } else if (!known.has(session)) {
        response.statusCode = faults.unknown
        reply({ error: { code: -32000, message: 'Bad Request: No valid session ID provided' } })
      } else if (request.method === 'GET') {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n')
        streams.add(response)
        response.on('close', () => streams.delete(response))
      } else if (message.id === undefined) {
        response.writeHead(202).end()
      } else if (faults.busy > 0) {
        faults.busy--
        response.writeHead(503, { 'retry-after': '1' }).end()
      } else {
        const { socket } = response
        if (faults.idleMs > 0) {
          response.once('finish', () => {
            const timer = setTimeout(() => socket?.destroy(), faults.idleMs)
            socket?.once('data', () => clearTimeout(timer))
          })
        }
        reply({ result: message.method === 'tools/list' ? { tools: [] } : { content: [] } })
      }
    })
  }

  /** Starts, or starts again, on the same port. */
  async function up() {
    server = createServer({ keepAliveTimeout: 0 }, answer)
    await new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(undefined)))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    port = address.port
  }

  const relay = createTcpServer((inside) => {
    const outside = connect(port, '127.0.0.1')
    const pair = /** @type {const} */ ([inside, outside])
    pairs.add(pair)
    inside.pipe(outside)
    outside.pipe(inside)
    for (const socket of pair) {
      socket.on('error', () => {})
      socket.on('close', () => {
        pairs.delete(pair)
        for (const other of pair) other.destroy()
      })
    }
  })
  await up()
  await new Promise((resolve) => relay.listen(0, '127.0.0.1', () => resolve(undefined)))
  const address = relay.address()
  if (address === null || typeof address === 'string') throw new Error('no port')

  return {
    faults,
    streams,
    url: () => `http://127.0.0.1:${port}/mcp`,
    relayUrl: `http://127.0.0.1:${address.port}/mcp`,
    up,
    down() {
      known = new Set()
      return new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      })
    },
    forgetSessions() {
      known = new Set()
    },
    /** Nothing goes through the connections that there are any more, and nobody is told. */
    forgetConnections() {
      for (const [inside, outside] of pairs) {
        inside.unpipe(outside).resume()
        outside.unpipe(inside).resume()
      }
    },
    /** Says something on every stream. */
    say() {
      const note = '{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"news"}}'
      for (const stream of streams) stream.write(`data: ${note}\n\n`)
    },
    close() {
      relay.close()
      for (const pair of pairs) for (const socket of pair) socket.destroy()
      server.close()
      server.closeAllConnections()
    },
  }
}
