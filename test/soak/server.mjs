// @ts-check
import { createServer } from 'node:http'

/** @typedef {'sessions' | 'stateless' | 'sse'} Kind */
/** @typedef {ReturnType<typeof import('./random.mjs').createRandom>} Random */
/** @typedef {import('node:http').ServerResponse} Response */

/**
 * A server of one kind that fails now and then, and remembers what it has carried out.
 * @param {Kind} kind
 * @param {Random} random
 */
export async function startSoakServer(kind, random) {
  /** How often each call was carried out. @type {Map<string, number>} */
  const carriedOut = new Map()
  /** @type {Set<string>} */
  let sessions = new Set()
  /** The streams for what the server says by itself, by session. @type {Map<string, Response>} */
  let streams = new Map()
  /** Events that can be asked for again, of all streams. @type {{ id: string, of: string, data: string }[]} */
  let log = []
  let opened = 0
  let said = 0
  let events = 0
  let port = 0
  /** How likely a request fails; 0 in times of peace. */
  let trouble = 0
  /** @type {import('node:http').Server} */
  let server

  /** @param {Response} response @param {string} data @param {string} [of] */
  function event(response, data, of) {
    if (of === undefined) {
      response.write(`data: ${data}\n\n`)
      return
    }
    const id = `${of}/${++events}`
    log.push({ id, of, data })
    if (log.length > 2_000) log = log.slice(1_000)
    response.write(`id: ${id}\ndata: ${data}\n\n`)
  }

  /** @param {any} message */
  function resultOf(message) {
    switch (message.method) {
      case 'initialize': {
        const protocolVersion = kind === 'sse' ? '2024-11-05' : '2025-11-25'
        const serverInfo = { name: 'soak', version: '1' }
        return { protocolVersion, capabilities: { tools: { listChanged: true } }, serverInfo }
      }
      case 'tools/call': {
        const nonce = String(message.params.arguments.nonce)
        carriedOut.set(nonce, (carriedOut.get(nonce) ?? 0) + 1)
        return { resultType: 'complete', content: [{ type: 'text', text: nonce }] }
      }
      default:
        return { resultType: 'complete', tools: [], nonce: message.params?.nonce }
    }
  }

  /** @param {any} message @param {Response} response @param {string} session */
  function answer(message, response, session) {
    const text = JSON.stringify({ jsonrpc: '2.0', id: message.id, result: resultOf(message) })
    if (random.chance(trouble / 2)) {
      response.socket?.resetAndDestroy() // carried out, and nobody will know
    } else if (kind === 'sse') {
      response.writeHead(202).end()
      streams.get(session)?.write(`event: message\ndata: ${text}\n\n`)
    } else if (message.method === 'initialize' || random.chance(0.5)) {
      response.setHeader('content-type', 'application/json')
      response.end(text)
    } else {
      const of = kind === 'sessions' && random.chance(0.5) ? `call-${message.id}` : undefined
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      event(response, '', of)
      if (of !== undefined && random.chance(0.3)) {
        // The answer has to be fetched with the id of the first event.
        log.push({ id: `${of}/${++events}`, of, data: text })
        response.end()
        return
      }
      if (random.chance(trouble / 2)) {
        setImmediate(() => response.socket?.resetAndDestroy())
        return
      }
      event(response, text, of)
      response.end()
    }
  }

  /** @param {import('node:http').IncomingMessage} request @param {Response} response */
  function open(request, response) {
    const session = String(request.headers['mcp-session-id'])
    if (kind === 'stateless') {
      response.writeHead(405).end()
      return
    }
    if (kind === 'sessions' && !sessions.has(session)) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const last = request.headers['last-event-id']
    if (kind === 'sse') {
      const id = `s${++opened}-soak-secret`
      sessions.add(id)
      streams.set(id, response)
      response.write(`event: endpoint\ndata: /messages?session=${id}\n\n`)
    } else if (typeof last === 'string' && last.startsWith('call-')) {
      const of = last.slice(0, last.lastIndexOf('/'))
      const from = log.findIndex(({ id }) => id === last)
      for (const old of log.slice(from + 1)) {
        if (old.of === of) response.write(`id: ${old.id}\ndata: ${old.data}\n\n`)
      }
      response.end()
    } else {
      const from = log.findIndex(({ id }) => id === last)
      const missed = from === -1 ? [] : log.slice(from + 1).filter(({ of }) => of === session)
      for (const { id, data } of missed) response.write(`id: ${id}\ndata: ${data}\n\n`)
      response.flushHeaders()
      streams.set(session, response)
    }
  }

  /** @type {import('node:http').RequestListener} */
  function listener(request, response) {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      if (request.method === 'GET') return open(request, response)
      if (request.method === 'DELETE') return void response.writeHead(204).end()
      const message = JSON.parse(body)
      const url = new URL(request.url ?? '', 'http://soak')
      if (kind === 'sse' && url.pathname !== '/messages') return void response.writeHead(405).end()
      let session = String(request.headers['mcp-session-id'])
      if (kind === 'sse') session = url.searchParams.get('session') ?? ''
      const opens = message.method === 'initialize' && kind === 'sessions'
      if (opens) {
        session = `s${++opened}-soak-secret`
        sessions.add(session)
        response.setHeader('mcp-session-id', session)
      } else if (kind !== 'stateless' && !sessions.has(session)) {
        return void response.writeHead(404).end()
      }
      if (message.id === undefined) return void response.writeHead(202).end()
      if (random.chance(trouble / 2)) return void response.socket?.resetAndDestroy()
      if (random.chance(trouble / 2)) {
        const headers = random.chance(0.5) ? { 'retry-after': '1' } : {}
        return void response.writeHead(random.pick([429, 502, 503, 504]), headers).end()
      }
      const thinkMs = random.chance(0.2) ? random.below(300) : 0
      setTimeout(answer, thinkMs, message, response, session)
      return undefined
    })
  }

  async function up() {
    server = createServer({ keepAliveTimeout: random.pick([60, 1_000, 5_000]) }, listener)
    await new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(undefined)))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    port = address.port
  }

  function forget() {
    sessions = new Set()
    for (const stream of streams.values()) stream.end()
    streams = new Map()
  }

  function down() {
    forget()
    return new Promise((resolve) => {
      server.close(resolve)
      server.closeAllConnections()
    })
  }

  await up()
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    carriedOut,
    forget,
    /** Says the next number on every stream. */
    say() {
      const data = JSON.stringify({
        jsonrpc: '2.0',
        method: 'notifications/message',
        params: { level: 'info', data: ++said },
      })
      for (const [session, stream] of streams) {
        event(stream, data, kind === 'sessions' ? session : undefined)
      }
    },
    cutStreams() {
      for (const stream of streams.values()) stream.socket?.resetAndDestroy()
      if (kind === 'sse') forget()
    },
    cutAll: () => server.closeAllConnections(),
    /** @param {number} share */
    trouble(share) {
      trouble = share
    },
    /** @param {number} ms */
    async restart(ms) {
      await down()
      await new Promise((resolve) => setTimeout(resolve, ms))
      await up()
    },
    close: down,
  }
}
