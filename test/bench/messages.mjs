// @ts-check
// What the host of the benchmarks says.

/** A host of 2026-07-28 says in every request who asks (MCP 2026-07-28, basic: `_meta`). */
const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
}

/** @param {object} message */
export function line(message) {
  return `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`
}

export const INITIALIZE = line({
  id: 0,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1' },
  },
})

export const INITIALIZED = line({ method: 'notifications/initialized' })

export const DISCOVER = line({ id: 0, method: 'server/discover', params: { _meta: META } })

const echo = { name: 'echo', arguments: { text: 'y'.repeat(900) } }

/** A call of about 1 KiB. @param {number} id */
export function call(id) {
  return line({ id, method: 'tools/call', params: echo })
}

/** The same from a host of 2026-07-28. @param {number} id */
export function modernCall(id) {
  return line({ id, method: 'tools/call', params: { ...echo, _meta: META } })
}
