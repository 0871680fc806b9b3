// @ts-check
// The server of the benchmarks, in a process of its own: it does as little as it can.
// /json, /sse and /legacy echo; `push` sends notifications; `large` a result of the size asked for.
import { createServer } from 'node:http'

const delayMs = Number(process.env['BENCH_DELAY_MS'] ?? 0)
let requests = 0
/** The standalone streams, and those of the deprecated transport, by session. @type {Map<string, import('node:http').ServerResponse>} */
const streams = new Map()
let sessions = 0
const padding = 'x'.repeat(1024)

/** @param {string} id @param {string} result */
const answer = (id, result) => `{"jsonrpc":"2.0","id":${id},"result":${result}}`

/** @param {number} count @param {(text: string) => boolean} write @param {() => Promise<void>} drained */
async function push(count, write, drained) {
  for (let n = 0; n < count; n++) {
    const note = `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":{"n":${n},"pad":"${padding.slice(0, 200)}"}}}`
    if (!write(`event: message\ndata: ${note}\n\n`)) await drained()
  }
}

/** @param {import('node:http').ServerResponse} response */
const drained = (response) => () =>
  new Promise((/** @type {(value: void) => void} */ resolve) =>
    response.once('drain', () => resolve()),
  )

const INITIALIZE_RESULT =
  '{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"logging":{}},"serverInfo":{"name":"bench","version":"1"}}'

/**
 * @param {string} body
 * @param {string} id
 * @returns {string | undefined} the result, `undefined` for what is done otherwise
 */
function resultOf(body, id) {
  if (body.includes('"method":"initialize"')) return answer(id, INITIALIZE_RESULT)
  const large = /"large":(\d+)/.exec(body)?.[1]
  if (large !== undefined) {
    return answer(id, `{"content":[{"type":"text","text":"${'x'.repeat(Number(large))}"}]}`)
  }
  if (body.length > 100_000) return answer(id, `{"size":${body.length}}`)
  return answer(id, `{"content":[{"type":"text","text":"${padding}"}]}`)
}

const server = createServer((request, response) => {
  requests++
  const url = new URL(request.url ?? '/', 'http://bench')
  if (url.pathname === '/requests') {
    response.end(String(requests - 1))
    requests = 0
    return
  }
  const session = url.searchParams.get('s') ?? String(request.headers['mcp-session-id'] ?? '')
  if (request.method === 'GET') {
    if (url.pathname === '/legacy') {
      const name = `s${++sessions}`
      streams.set(name, response)
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`event: endpoint\ndata: /legacy?s=${name}\n\n`)
    } else if (session !== '') {
      streams.set(session, response)
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
    } else response.writeHead(405).end()
    return
  }
  if (request.method !== 'POST') {
    response.writeHead(200).end()
    return
  }
  /** @type {Buffer[]} */
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString('latin1')
    if (delayMs > 0) setTimeout(reply, delayMs, url.pathname, session, body, response)
    else reply(url.pathname, session, body, response)
  })
})

/**
 * @param {string} path
 * @param {string} session
 * @param {string} body
 * @param {import('node:http').ServerResponse} response
 */
function reply(path, session, body, response) {
  const id = /"id":("[^"]*"|\d+)/.exec(body)?.[1]
  const legacy = path === '/legacy' ? streams.get(session) : undefined
  if (id === undefined) {
    response.writeHead(202).end()
    return
  }
  const pushed = /"push":(\d+)/.exec(body)?.[1]
  const result = resultOf(body, id) ?? ''
  if (legacy !== undefined) {
    response.writeHead(202).end()
    const end = () => legacy.write(`event: message\ndata: ${result}\n\n`)
    if (pushed === undefined) end()
    else void push(Number(pushed), (text) => legacy.write(text), drained(legacy)).then(end)
    return
  }
  const opens = body.includes('"method":"initialize"')
  const head = opens ? { 'mcp-session-id': `s${++sessions}` } : {}
  const stream = body.includes('"onGet"') ? streams.get(session) : response
  if (stream === undefined) {
    // The client opens its stream behind the answer to `initialize`.
    setTimeout(reply, 5, path, session, body, response)
    return
  }
  if (pushed !== undefined) {
    if (stream === response) response.writeHead(200, { 'content-type': 'text/event-stream' })
    void push(Number(pushed), (text) => stream.write(text), drained(stream)).then(() => {
      if (stream === response) response.end(`event: message\ndata: ${result}\n\n`)
      else response.writeHead(200, { 'content-type': 'application/json' }).end(result)
    })
    return
  }
  if (path === '/sse') {
    response.writeHead(200, { 'content-type': 'text/event-stream', ...head })
    response.end(`event: message\ndata: ${result}\n\n`)
  } else {
    response.writeHead(200, { 'content-type': 'application/json', ...head }).end(result)
  }
}

// No connection is closed between two rounds.
server.keepAliveTimeout = 120_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address !== 'string') process.stdout.write(`${address.port}\n`)
})
process.stdin.resume().on('end', () => process.exit())
