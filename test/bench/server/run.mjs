// @ts-check
/**
 * The server of the benchmarks, in a process of its own: it does as little as it can.
 *
 * `/json`, `/sse` and `/legacy` answer in these ways, `/guarded` asks for a token, `/modern` is of
 * 2026-07-28, `/sessions` refuses what has no session. A message can order what is sent (answers.mjs).
 * `BENCH_DELAY_MS` puts the server so far away: a connection takes that long, and each answer. Below
 * `/control` it is asked itself.
 */
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  NO_SESSION,
  acknowledgement,
  event,
  legacyAnswer,
  modernAnswer,
  push,
  read,
  refusal,
} from './answers.mjs'
import { createAuthority } from './authority.mjs'

const delayMs = Number(process.env['BENCH_DELAY_MS'] ?? 0)
let origin = ''
let sessions = 0
/** The standalone streams, and those of the deprecated transport, by session. @type {Map<string, import('node:http').ServerResponse>} */
const streams = new Map()
/** When each request came, and what it was, since the last question. @type {[number, string][]} */
let requests = []
const authority = createAuthority(() => origin)
const MCP_PATHS = ['/json', '/sse', '/legacy', '/guarded', '/modern', '/sessions']
const PATHS = new Set([...MCP_PATHS, authority.tokenPath])

/** @typedef {import('node:http').IncomingMessage} Request */
/** @typedef {import('node:http').ServerResponse} Response */
/** @typedef {import('./answers.mjs').Asked & { id: string }} Question */

/** @param {Request} request @param {Response} response */
function serve(request, response) {
  const url = new URL(request.url ?? '/', 'http://bench')
  const { pathname } = url
  if (pathname.startsWith('/control/')) return control(pathname, response)
  requests.push([performance.timeOrigin + performance.now(), `${request.method} ${pathname}`])
  if (delayMs === 0) return answer(request, url, response)
  setTimeout(answer, delayMs, request, url, response)
}

/** @param {string} path @param {Response} response */
function control(path, response) {
  if (path === '/control/requests') {
    response.end(JSON.stringify(requests))
    requests = []
  } else if (path === '/control/sign-in') {
    response.end(JSON.stringify(authority.signIn()))
  } else {
    authority.revoke()
    response.end()
  }
}

/** @param {Request} request @param {URL} url @param {Response} response */
function answer(request, { pathname, searchParams }, response) {
  const document = authority.documentAt(pathname)
  if (document !== undefined) return json(response, 200, JSON.stringify(document))
  const session = searchParams.get('s') ?? String(request.headers['mcp-session-id'] ?? '')
  if (!PATHS.has(pathname)) {
    request.resume()
    response.writeHead(404).end()
  } else if (authority.refuses(pathname, request)) {
    request.resume()
    response.writeHead(401, { 'www-authenticate': authority.challenge() }).end()
  } else if (request.method === 'GET') {
    openStream(pathname, session, response)
  } else if (request.method === 'POST') {
    /** @type {Buffer[]} */
    const chunks = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => void take(pathname, session, Buffer.concat(chunks), response))
  } else {
    response.end()
  }
}

/** @param {string} path @param {string} session @param {Response} response */
function openStream(path, session, response) {
  if (path === '/modern') return response.writeHead(405).end()
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  if (path !== '/legacy') {
    streams.set(session, response)
    return response.flushHeaders()
  }
  const name = `s${++sessions}`
  streams.set(name, response)
  return response.write(`event: endpoint\ndata: /legacy?s=${name}\n\n`)
}

/** @param {string} path @param {string} session @param {Buffer} body @param {Response} response */
async function take(path, session, body, response) {
  if (path === authority.tokenPath) {
    const { status, body: tokens } = authority.refresh(body.toString('latin1'))
    return json(response, status, JSON.stringify(tokens))
  }
  const asked = read(body)
  if (path === '/sessions') return json(response, 400, NO_SESSION)
  if (asked.id === undefined) return response.writeHead(202).end()
  const question = { ...asked, id: asked.id }
  if (path === '/modern') return modern(question, response)
  if (path === '/legacy') return legacy(question, session, response)
  return streamable(question, path, session, response)
}

/** @param {Question} question @param {string} session @param {Response} response */
async function legacy(question, session, response) {
  const stream = streams.get(session)
  response.writeHead(202).end()
  if (stream === undefined) return
  await push(question.sizes, stream)
  stream.write(event(legacyAnswer(question)))
}

/** @param {Question} question @param {Response} response */
function modern(question, response) {
  const { id, method } = question
  if (method === 'initialize') return json(response, 400, refusal(id, -32_022))
  if (method !== 'subscriptions/listen') return json(response, 200, modernAnswer(question))
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  return response.write(event(acknowledgement(id)))
}

/** @param {Question} question @param {string} path @param {string} session @param {Response} response */
async function streamable(question, path, session, response) {
  const opens = question.method === 'initialize'
  const head = opens ? { 'mcp-session-id': `s${++sessions}` } : {}
  const text = legacyAnswer(question)
  if (question.onGet) {
    // The client opens its stream behind the answer to `initialize`.
    while (!streams.has(session)) await sleep(5)
    await push(question.sizes, /** @type {Response} */ (streams.get(session)))
    return json(response, 200, text)
  }
  if (path !== '/sse' && question.sizes.push === 0) return json(response, 200, text, head)
  response.writeHead(200, { 'content-type': 'text/event-stream', ...head })
  await push(question.sizes, response)
  return response.end(event(text))
}

/** @param {Response} response @param {number} status @param {string} text */
function json(response, status, text, head = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...head }).end(text)
}

const server = createServer({ keepAliveTimeout: 120_000 }, serve)
const listener = delayMs === 0 ? server : createTcpServer({ pauseOnConnect: true }, far)
listener.listen(0, '127.0.0.1', () => {
  const address = listener.address()
  if (address === null || typeof address === 'string') return
  origin = `http://127.0.0.1:${address.port}`
  process.stdout.write(`${origin}\n`)
})
process.stdin.resume().on('end', () => process.exit())

/** @param {import('node:net').Socket} socket */
function far(socket) {
  setTimeout(() => {
    server.emit('connection', socket)
    socket.resume()
  }, delayMs)
}
