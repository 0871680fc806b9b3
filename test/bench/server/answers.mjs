// @ts-check
// What the server of the benchmarks says: as text that is put together, so that it costs next to nothing.

const padding = 'x'.repeat(1024)

const INITIALIZED =
  '{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"logging":{}},"serverInfo":{"name":"bench","version":"1"}}'

/** A DiscoverResult (MCP 2026-07-28, versioning). */
const DISCOVERED =
  '{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"ttlMs":0,"cacheScope":"private"}'

/** What many servers say to a message of another era. */
export const NO_SESSION =
  '{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request: Mcp-Session-Id header is required"}}'

/** More of a body is not looked at but at its ends: what matters stands there. */
const LOOKED_AT_BYTES = 64 * 1024
const END_BYTES = 1024

/**
 * @typedef {object} Asked
 * @property {string | undefined} id as JSON source
 * @property {string | undefined} method
 * @property {number} bytes
 * @property {{ large: number, push: number, size: number }} sizes what the message orders, 0 for nothing
 * @property {boolean} onGet whether what is pushed is to come on the standalone stream
 */

/** @param {Buffer} body @returns {Asked} */
export function read(body) {
  const bytes = body.length
  const text =
    bytes <= LOOKED_AT_BYTES
      ? body.toString('latin1')
      : body.toString('latin1', 0, END_BYTES) + body.toString('latin1', bytes - END_BYTES)
  const number = (/** @type {string} */ name) =>
    text.includes(`"${name}":`) ? Number(new RegExp(`"${name}":(\\d+)`).exec(text)?.[1] ?? 0) : 0
  return {
    id: /"id":("[^"]*"|\d+)/.exec(text)?.[1],
    method: /"method":"([^"]*)"/.exec(text)?.[1],
    bytes,
    sizes: { large: number('large'), push: number('push'), size: number('size') },
    onGet: text.includes('"onGet"'),
  }
}

/** @param {string} id @param {string} result */
const answer = (id, result) => `{"jsonrpc":"2.0","id":${id},"result":${result}}`

/** @param {string} id @param {number} code */
export function refusal(id, code) {
  return `{"jsonrpc":"2.0","id":${id},"error":{"code":${code},"message":"No","data":{"supported":["2026-07-28"]}}}`
}

/**
 * The answer of a server with an `initialize`.
 *
 * @param {Asked & { id: string }} asked
 */
export function legacyAnswer({ id, method, bytes, sizes }) {
  if (method === 'initialize') return answer(id, INITIALIZED)
  if (method === 'server/discover') return refusal(id, -32_601)
  if (method === 'tools/list') return answer(id, '{"tools":[]}')
  if (sizes.large > 0) {
    return answer(id, `{"content":[{"type":"text","text":"${'x'.repeat(sizes.large)}"}]}`)
  }
  if (bytes > LOOKED_AT_BYTES) return answer(id, `{"size":${bytes}}`)
  return answer(id, `{"content":[{"type":"text","text":"${padding}"}]}`)
}

/**
 * The answer of a server of 2026-07-28.
 *
 * @param {Asked & { id: string }} asked
 */
export function modernAnswer({ id, method }) {
  if (method === 'server/discover') return answer(id, DISCOVERED)
  if (method === 'tools/list') {
    return answer(id, '{"resultType":"complete","tools":[],"ttlMs":0,"cacheScope":"private"}')
  }
  return answer(id, `{"resultType":"complete","content":[{"type":"text","text":"${padding}"}]}`)
}

/** What opens the stream of a subscription (MCP 2026-07-28, subscriptions). @param {string} id */
export function acknowledgement(id) {
  return `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":{},"_meta":{"io.modelcontextprotocol/subscriptionId":${id}}}}`
}

/** @param {string} message */
export const event = (message) => `event: message\ndata: ${message}\n\n`

/**
 * Numbered notifications, as fast as they are taken.
 *
 * @param {{ push: number, size: number }} sizes how many, and characters in each
 * @param {import('node:http').ServerResponse} stream
 */
export async function push({ push: count, size }, stream) {
  const pad = 'x'.repeat(size === 0 ? 200 : size)
  for (let n = 0; n < count; n++) {
    const note = `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":{"n":${n},"pad":"${pad}"}}}`
    if (!stream.write(event(note))) {
      await new Promise((resolve) => stream.once('drain', () => resolve(undefined)))
    }
  }
}
