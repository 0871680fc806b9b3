// @ts-check
/**
 * The host that the client scenarios of the official conformance suite need: the SDK's client, which
 * starts the packed bridge and speaks MCP with it over stdio, as a real host would. Transport and
 * OAuth are the bridge's; the person with the browser is a program that follows redirects.
 *
 * Called by the suite as `driver.mjs <server_url>`. From the environment: the scenario and its
 * context (`MCP_CONFORMANCE_*`, set by the suite), the packed bridge or another program in its place
 * (`BRIDGE_BIN`, `BRIDGE_COMMAND` with `{url}`) and where to wait for a turn (`CONFORMANCE_SLOTS`), set
 * by `run.mjs`.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listSkills, loadSkills } from './skills.mjs'
import { takeSlot } from './slots.mjs'

/** @typedef {import('@modelcontextprotocol/client').Client} Client */

/** The URL that the suite's authorization server knows as a client id metadata document. */
const CLIENT_METADATA_URL = 'https://conformance-test.local/client-metadata.json'

/** Revision from which requests carry their version themselves. */
const FIRST_MODERN_VERSION = '2026-07-28'

/** Longest time for one scenario once it has its turn; then the suite sees what was done until then. */
const TURN_MS = 60_000

await takeSlot(Number(process.env['CONFORMANCE_SLOTS']))
setTimeout(() => process.exit(1), TURN_MS).unref()
// Loaded now: a driver that waits for its turn costs next to nothing.
const { Client } = await import('@modelcontextprotocol/client')
const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio')

const url = process.argv.at(-1) ?? ''
const scenario = process.env['MCP_CONFORMANCE_SCENARIO'] ?? ''
const version = process.env['MCP_CONFORMANCE_PROTOCOL_VERSION'] ?? '2025-11-25'
/** @type {{ client_id?: string, client_secret?: string, private_key_pem?: string, valid_jwt?: string, idp_client_id?: string, idp_id_token?: string, idp_issuer?: string, toolCalls?: { name: string, arguments: Record<string, unknown> }[] }} */
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}')

const home = mkdtempSync(join(tmpdir(), 'bridge-conformance-'))
const keyFile = join(home, 'key.pem')
writeFileSync(keyFile, context.private_key_pem ?? '', { mode: 0o600 })

/** Bridge arguments of the scenarios whose client is registered beforehand. */
const registered = ['--client-id', context.client_id ?? '', '--client-secret-env', 'CLIENT_SECRET']
/** @type {Record<string, string[]>} */
const IDENTITY = {
  'auth/client-credentials-jwt': [
    '--client-id',
    context.client_id ?? '',
    '--client-key-file',
    keyFile,
    '--client-credentials',
  ],
  'auth/wif-jwt-bearer': [
    '--client-id',
    context.client_id ?? '',
    '--workload-token-env',
    'WORKLOAD_TOKEN',
  ],
  'auth/enterprise-managed-authorization': [
    ...registered,
    '--idp-issuer',
    context.idp_issuer ?? '',
    '--idp-client-id',
    context.idp_client_id ?? '',
    '--id-token-env',
    'ID_TOKEN',
  ],
  'auth/pre-registration': registered,
  'auth/client-credentials-basic': [...registered, '--client-credentials'],
}

/**
 * What the host does where listing the tools and calling each of them is not it.
 *
 * @type {Record<string, (client: Client, tools: Tool[]) => Promise<unknown>>}
 */
const SCRIPTS = {
  initialize: async () => {},
  tools_call: async (client, [tool]) => call(client, tool?.name, { a: 2, b: 3 }),
  'json-schema-ref-no-deref': async () => {},
  'json-schema-2020-12-preservation': async (client, tools) => {
    const observed = tools.find((tool) => tool.name === 'json_schema_2020_12_tool')
    await call(client, 'json_schema_echo', { schema: observed?.inputSchema })
  },
  'sep-2640-client-no-prefetch': listSkills,
  'sep-2640-client-verify-digest': loadSkills,
  'sep-2640-client-verify-size': loadSkills,
  'sep-2640-client-verify-frontmatter': loadSkills,
}

/** Scenarios whose servers have no tools. */
const TOOLLESS = /^initialize$|^sep-2640-/

/** @typedef {{ name: string, inputSchema: object }} Tool */

/**
 * @param {Client} client
 * @param {string | undefined} name
 * @param {Record<string, unknown>} args
 */
async function call(client, name, args) {
  if (name !== undefined) await client.callTool({ name, arguments: args })
}

/**
 * @param {Client} client
 * @param {Tool[]} tools
 */
async function callAll(client, tools) {
  for (const { name, arguments: args } of context.toolCalls ?? []) await call(client, name, args)
  if (context.toolCalls === undefined) for (const { name } of tools) await call(client, name, {})
}

// The person's browser: the suite's authorization server agrees at once. Not read off stderr, which
// the SDK closes for the process that it starts to find out the era.
const browser = 'fetch(process.argv[2]).catch(() => {})'
writeFileSync(join(home, 'xdg-open'), `#!${process.execPath}\n${browser}\n`, { mode: 0o755 })
const identity = scenario.startsWith('auth/')
  ? ['--client-metadata-url', CLIENT_METADATA_URL, ...(IDENTITY[scenario] ?? [])]
  : []
const other = process.env['BRIDGE_COMMAND']?.replaceAll('{url}', url)
const transport = new StdioClientTransport({
  ...(other === undefined || other === ''
    ? { command: process.execPath, args: [process.env['BRIDGE_BIN'] ?? '', url, ...identity] }
    : { command: 'sh', args: ['-c', `exec ${other}`] }),
  env: {
    PATH: `${home}:${process.env['PATH'] ?? ''}`,
    HOME: home,
    DISPLAY: ':0',
    BRIDGE_HOME: home,
    // Set by npx; another program may be fetched by it too.
    npm_config_cache: process.env['npm_config_cache'] ?? '',
    CLIENT_ID: context.client_id ?? '',
    CLIENT_SECRET: context.client_secret ?? '',
    WORKLOAD_TOKEN: context.valid_jwt ?? '',
    ID_TOKEN: context.idp_id_token ?? '',
  },
})
const mode = version >= FIRST_MODERN_VERSION ? { pin: version } : 'legacy'
const client = new Client(
  { name: 'conformance-host', version: '1.0.0' },
  {
    capabilities: { elicitation: { form: { applyDefaults: true } } },
    versionNegotiation: { mode },
  },
)
client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: {} }))
try {
  await client.connect(transport)
  const { tools } = TOOLLESS.test(scenario) ? { tools: [] } : await client.listTools()
  await (SCRIPTS[scenario] ?? callAll)(client, tools)
} catch (error) {
  process.stderr.write(`${error}\n`)
  process.exitCode = 1
} finally {
  await client.close()
  rmSync(home, { recursive: true, force: true })
}
