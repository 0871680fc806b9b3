// @ts-check
/**
 * A Streamable HTTP server in front of a stdio program, as thin as it can be: the conformance suite
 * speaks HTTP, the bridge is spoken to by a host's stdio. Messages pass as text.
 *
 * One process serves one session, whose requests are all answered with event streams. Since requests
 * stand alone (2026-07-28) one process serves one connection of the suite: its requests come one after
 * the other, so everything the process says belongs to the request that is open; when the connection
 * is gone and owes no answer, the next one takes it over. A process is one host, and a host declares the
 * same capabilities in all its requests: others get another process. A host also goes on with what it
 * has begun: a request with a `requestState` goes to the process that gave it. Nothing is checked here
 * that the specification lets a server find out from HTTP headers (origin, `Mcp-*`): stdio has no
 * headers, and an adapter that did it would pass in the bridge's place.
 */
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { startProgram } from './program.mjs'

/** @typedef {import('node:http').IncomingMessage} Incoming */
/** @typedef {import('node:http').ServerResponse} Outgoing */
/** @typedef {import('./program.mjs').Program} Program */
/** @typedef {import('./program.mjs').Message} Message */

const VERSION = 'io.modelcontextprotocol/protocolVersion'
const META = '_meta'
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities'

/** What an HTTP server of 2026-07-28 says beside a JSON-RPC error of these codes. */
const STATUS = new Map([
  [-32601, 404],
  [-32602, 400],
  [-32020, 400],
  [-32021, 400],
  [-32022, 400],
])

/**
 * One process and the HTTP responses that wait for what it says.
 *
 * @typedef {object} Seat
 * @property {Program} program
 * @property {Map<string, Outgoing>} open Requests by the JSON of their id.
 * @property {Outgoing | undefined} listening The stream that a GET has opened.
 * @property {string[]} unheard What was said while nobody listened.
 * @property {string | undefined} capabilities What the host's requests have declared so far.
 * @property {Set<unknown>} states Every `requestState` that it has given.
 */

/**
 * @param {() => import('node:child_process').ChildProcessWithoutNullStreams} start Starts the program.
 * @returns {Promise<{ url: string, stop(): Promise<void> }>}
 */
export async function startAdapter(start) {
  /** @type {Map<string, Seat>} */
  const sessions = new Map()
  /** @type {WeakMap<import('node:net').Socket, Seat[]>} */
  const connections = new WeakMap()
  /** @type {Set<Seat>} */
  const seats = new Set()
  /** @type {Seat[]} */
  const idle = []

  /** @returns {Seat} */
  function seat() {
    /** @type {Seat} */
    const made = {
      program: startProgram(start, {
        said: (text, message) => pass(made, text, message),
        ended: () => {
          seats.delete(made)
          for (const response of made.open.values()) gone(response)
          made.open.clear()
          made.listening?.end()
        },
      }),
      open: new Map(),
      listening: undefined,
      unheard: [],
      capabilities: undefined,
      states: new Set(),
    }
    seats.add(made)
    return made
  }

  /**
   * @param {import('node:net').Socket} socket
   * @param {Message} message
   */
  function seatOf(socket, { params }) {
    const declared = JSON.stringify(params?.[META]?.[CAPABILITIES])
    /** @param {Seat} one */
    const fits = (one) =>
      seats.has(one) && (declared ?? one.capabilities) === (one.capabilities ?? declared)
    const state = params?.['requestState']
    const begun = [...seats].find(({ states }) => states.has(state))
    if (begun !== undefined) return begun
    const mine = connections.get(socket) ?? []
    let taken = mine.find(fits)
    if (taken === undefined) {
      const at = idle.findIndex(fits)
      taken = at === -1 ? seat() : /** @type {Seat} */ (idle.splice(at, 1)[0])
      // Some scenarios wait half a second for an answer: the next process is started before it is needed.
      if (!idle.some((one) => one.capabilities === undefined)) idle.push(seat())
      if (mine.length === 0) socket.once('close', () => release(mine))
      mine.push(taken)
      connections.set(socket, mine)
    }
    taken.capabilities ??= declared
    return taken
  }

  /** @param {readonly Seat[]} left */
  function release(left) {
    for (const one of left) {
      if (one.open.size > 0) void one.program.end()
      else if (seats.has(one)) idle.push(one)
    }
  }

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
      else post(seatOf(request.socket, message), text, message, response, false)
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
    const made = seat()
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
      await Promise.all([...seats].map(({ program }) => program.end()))
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
  seat.open.set(id, response)
  response.once('close', () => {
    if (seat.open.get(id) !== response) return
    seat.open.delete(id)
    const params = `{"requestId":${id}}`
    const method = 'notifications/cancelled'
    if (!inSession) seat.program.write(`{"jsonrpc":"2.0","method":"${method}","params":${params}}`)
  })
  if (inSession) response.writeHead(200, STREAM_TYPE).flushHeaders()
  seat.program.write(text)
}

/**
 * Hands on what the program said: an answer to its request, everything else to the stream that it
 * most likely belongs to, for stdio does not say.
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
    const response = seat.open.get(id)
    seat.open.delete(id)
    if (response?.headersSent === true) response.end(event(text))
    else response?.writeHead(statusOf(message), JSON_TYPE).end(text)
    return
  }
  const stream = [...seat.open.values()].at(-1) ?? seat.listening
  if (stream === undefined) seat.unheard.push(text)
  else say(stream, text)
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

/**
 * The program has ended without an answer: no JSON-RPC error is made up in its place.
 *
 * @param {Outgoing} response
 */
function gone(response) {
  if (response.headersSent) response.destroy()
  else response.writeHead(502).end()
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
