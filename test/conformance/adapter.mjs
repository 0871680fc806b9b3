// @ts-check
/**
 * A Streamable HTTP server in front of a stdio program, as thin as it can be: the conformance suite
 * speaks HTTP, the bridge is spoken to by a host's stdio. Messages pass as text.
 *
 * One process serves one session, whose requests are all answered with event streams. Since requests
 * stand alone (2026-07-28) one process serves one host, whatever its connections: a host declares the
 * same capabilities in all its requests, so others get another process, and so does a request whose id
 * is still open there. A host also goes on with what it has begun: a request with a `requestState` goes
 * to the process that gave it. Nothing is checked here that the specification lets a server find out
 * from HTTP headers (origin, `Mcp-*`): stdio has no headers, and an adapter that did it would pass in
 * the bridge's place.
 */
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { openSeats, streamOf } from './seats.mjs'

/** @typedef {import('node:http').IncomingMessage} Incoming */
/** @typedef {import('node:http').ServerResponse} Outgoing */
/** @typedef {import('./program.mjs').Message} Message */
/** @typedef {import('./seats.mjs').Seat} Seat */

const VERSION = 'io.modelcontextprotocol/protocolVersion'
const META = '_meta'

/** What an HTTP server of 2026-07-28 says beside a JSON-RPC error of these codes. */
const STATUS = new Map([
  [-32601, 404],
  [-32602, 400],
  [-32020, 400],
  [-32021, 400],
  [-32022, 400],
])

/**
 * @param {() => import('node:child_process').ChildProcessWithoutNullStreams} start Starts the program.
 * @returns {Promise<{ url: string, stop(): Promise<void> }>}
 */
export async function startAdapter(start) {
  /** @type {Map<string, Seat>} */
  const sessions = new Map()
  const seats = openSeats(start, { said: pass, ended: leave })

  const server = createServer(async (request, response) => {
    const named = request.headers['mcp-session-id']
    const session = typeof named === 'string' ? sessions.get(named) : undefined
    if (named !== undefined && (session === undefined || !seats.has(session))) {
      response.writeHead(404).end()
    } else if (request.method === 'GET' && session !== undefined) {
      listen(session, response)
    } else if (request.method === 'DELETE' && session !== undefined) {
      sessions.delete(String(named))
      await session.program.end()
      response.writeHead(200).end()
    } else if (request.method === 'POST') {
      const text = await bodyOf(request)
      const message = parsed(text)
      if (message === undefined) response.writeHead(400).end()
      else if (session !== undefined) post(session, text, message, response, true)
      else if (opensSession(message)) open(text, message, response)
      else post(seats.of(message), text, message, response, false)
    } else {
      response.writeHead(405, { allow: 'POST' }).end()
    }
  })

  /**
   * @param {string} text
   * @param {Message} message
   * @param {Outgoing} response
   */
  function open(text, message, response) {
    const id = randomUUID()
    const made = seats.take()
    sessions.set(id, made)
    response.setHeader('mcp-session-id', id)
    post(made, text, message, response, true)
  }

  await /** @type {Promise<void>} */ (
    new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  )
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    async stop() {
      server.close()
      server.closeAllConnections()
      await seats.end()
    },
  }
}

/**
 * Hands a message of the suite to the program; the response waits in `seat.open` when it is a request.
 *
 * @param {Seat} seat
 * @param {string} text
 * @param {Message} message
 * @param {Outgoing} response
 * @param {boolean} inSession Without a session the end of a connection is the request's cancellation,
 *   and the status of an answer says something.
 */
function post(seat, text, message, response, inSession) {
  if (message.method === undefined || message.id === undefined) {
    seat.program.write(text)
    response.writeHead(202).end()
    return
  }
  const id = JSON.stringify(message.id)
  seat.open.set(id, { response, request: message })
  response.once('close', () => {
    if (seat.open.get(id)?.response !== response) return
    seat.open.delete(id)
    const params = `{"requestId":${id}}`
    const method = 'notifications/cancelled'
    if (!inSession) seat.program.write(`{"jsonrpc":"2.0","method":"${method}","params":${params}}`)
  })
  if (inSession) response.writeHead(200, STREAM_TYPE).flushHeaders()
  seat.program.write(text)
}

/**
 * Hands on what the program said: an answer to its request, everything else to its stream.
 *
 * @param {Seat} seat
 * @param {string} text
 * @param {Message} message
 */
function pass(seat, text, message) {
  if (message.method === undefined) {
    const id = JSON.stringify(message.id)
    const state = message.result?.['requestState']
    if (state !== undefined) seat.states.add(state)
    const response = seat.open.get(id)?.response
    seat.open.delete(id)
    if (response?.headersSent === true) response.end(event(text))
    else response?.writeHead(statusOf(message), JSON_TYPE).end(text)
    return
  }
  const stream = streamOf(seat, message)
  if (stream === undefined) seat.unheard.push(text)
  else say(stream, text)
}

/**
 * The program has ended: no JSON-RPC error is made up in its place.
 *
 * @param {Seat} seat
 */
function leave(seat) {
  for (const { response } of seat.open.values()) {
    if (response.headersSent) response.destroy()
    else response.writeHead(502).end()
  }
  seat.open.clear()
  seat.listening?.end()
}

/**
 * @param {Seat} seat
 * @param {Outgoing} response
 */
function listen(seat, response) {
  seat.listening?.end()
  seat.listening = response
  response.once('close', () => {
    if (seat.listening === response) seat.listening = undefined
  })
  response.writeHead(200, STREAM_TYPE).flushHeaders()
  for (const text of seat.unheard.splice(0)) say(response, text)
}

const JSON_TYPE = { 'content-type': 'application/json' }
const STREAM_TYPE = { 'content-type': 'text/event-stream' }

/**
 * @param {Outgoing} response
 * @param {string} text
 */
function say(response, text) {
  if (!response.headersSent) response.writeHead(200, STREAM_TYPE)
  response.write(event(text))
}

/** @param {string} text */
function event(text) {
  return `event: message\ndata: ${text}\n\n`
}

/** @param {Message} message */
function statusOf({ error }) {
  return error === undefined ? 200 : (STATUS.get(error.code) ?? 200)
}

/** @param {Message} message */
function opensSession({ method, params }) {
  return method === 'initialize' && params?.[META]?.[VERSION] === undefined
}

/**
 * @param {string} text
 * @returns {Message | undefined}
 */
function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * @param {Incoming} request
 * @returns {Promise<string>} Its body on one line: a line break in a JSON text is white space.
 */
async function bodyOf(request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
    .toString()
    .replaceAll(/[\r\n]+/g, ' ')
}
