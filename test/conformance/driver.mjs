// @ts-check
/**
 * The host that the client scenarios of the official conformance suite need: it spawns the packed
 * bridge and speaks MCP with it over stdio, as Claude Desktop would. Transport and OAuth are the
 * bridge's; the person with the browser is a `fetch` that follows redirects.
 *
 * Called by the suite as `driver.mjs <server_url>`. From the environment: the scenario and its
 * context (`MCP_CONFORMANCE_*`, set by the suite), the packed bridge and the Node that runs it
 * (`BRIDGE_BIN`, `BRIDGE_NODE`, set by `run.mjs`).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startHost } from '../demo/host.mjs'

/** The URL that the suite's authorization server knows as a client id metadata document. */
const CLIENT_METADATA_URL = 'https://conformance-test.local/client-metadata.json'

/** Revision from which requests carry their version themselves. */
const FIRST_MODERN_VERSION = '2026-07-28'

const url = process.argv.at(-1) ?? ''
const scenario = process.env['MCP_CONFORMANCE_SCENARIO'] ?? ''
const version = process.env['MCP_CONFORMANCE_PROTOCOL_VERSION'] ?? '2025-11-25'
/** @type {Record<string, string>} */
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}')

/** Bridge arguments of the scenarios whose client is registered beforehand. */
const registered = [
  '--client-id',
  context['client_id'] ?? '',
  '--client-secret-env',
  'CLIENT_SECRET',
]
/** @type {Record<string, string[]>} */
const ARGS = {
  'auth/pre-registration': registered,
  'auth/client-credentials-basic': [...registered, '--client-credentials'],
}

const clientInfo = { name: 'conformance-host', version: '1.0.0' }
const capabilities = { elicitation: { form: { applyDefaults: true } } }
const modern = version >= FIRST_MODERN_VERSION
const meta = {
  'io.modelcontextprotocol/protocolVersion': version,
  'io.modelcontextprotocol/clientInfo': clientInfo,
  'io.modelcontextprotocol/clientCapabilities': capabilities,
}

/** What a host does in a scenario, beyond connecting. */
/** @type {Record<string, (host: Host) => Promise<void>>} */
const SCRIPTS = {
  initialize: async () => {},
  tools_call: async (host) => {
    const tools = await list(host)
    await call(host, tools[0], { a: 2, b: 3 })
  },
}

/** @typedef {ReturnType<typeof startHost>} Host */

/** @param {Host} host */
async function listAndCall(host) {
  const tools = await list(host)
  if (tools.length > 0) await call(host, tools[0], {})
}

/**
 * @param {Host} host
 * @returns {Promise<string[]>}
 */
async function list(host) {
  const { result } = await host.request('tools/list', modern ? { _meta: meta } : {})
  return result.tools.map((/** @type {{ name: string }} */ tool) => tool.name)
}

/**
 * @param {Host} host
 * @param {string | undefined} name
 * @param {object} args
 */
async function call(host, name, args) {
  const params = { name, arguments: args, ...(modern ? { _meta: meta } : {}) }
  await host.request('tools/call', params)
}

/**
 * Opens the sign-in page as a browser would; the suite's authorization server agrees at once.
 *
 * @param {string} line
 */
function browse(line) {
  const link = /https?:\/\/\S+[?&]response_type=code\S*/.exec(line)?.[0]
  if (link !== undefined) void fetch(link).catch(() => {})
}

const home = mkdtempSync(join(tmpdir(), 'bridge-conformance-'))
const bin = process.env['BRIDGE_BIN'] ?? ''
const identity = scenario.startsWith('auth/') ? ['--client-metadata-url', CLIENT_METADATA_URL] : []
const args = [bin, url, ...identity, ...(ARGS[scenario] ?? [])]
const env = {
  ...process.env,
  BRIDGE_HOME: home,
  BRIDGE_NO_BROWSER: '1',
  CLIENT_SECRET: context['client_secret'],
}
const host = startHost(process.env['BRIDGE_NODE'] ?? process.execPath, args, env, browse)
try {
  if (!modern) {
    await host.request('initialize', { protocolVersion: version, capabilities, clientInfo })
    host.notify('notifications/initialized')
  }
  await (SCRIPTS[scenario] ?? listAndCall)(host)
  process.exitCode = (await host.end()) ?? 1
} catch (error) {
  process.stderr.write(`${error}\n${host.stderr()}\n`)
  process.exitCode = 1
} finally {
  host.kill()
  rmSync(home, { recursive: true, force: true })
}
