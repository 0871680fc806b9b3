// @ts-check
/**
 * The host that the client scenarios of the official conformance suite need: the SDK's client, which
 * starts the packed bridge and speaks MCP with it over stdio, as a real host would. Transport and
 * OAuth are the bridge's; the person with the browser is a program that follows redirects.
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { listSkills, loadSkills } from './skills.mjs'

/**
 * What the suite hands to the command that it calls.
 *
 * @typedef {object} Task
 * @property {string} url
 * @property {string} scenario
 * @property {string} version Revision of the specification.
 * @property {Context} context
 */

/** @typedef {{ client_id?: string, client_secret?: string, private_key_pem?: string, valid_jwt?: string, idp_client_id?: string, idp_id_token?: string, idp_issuer?: string, toolCalls?: { name: string, arguments: Record<string, unknown> }[] }} Context */

/** The URL that the suite's authorization server knows as a client id metadata document. */
const CLIENT_METADATA_URL = 'https://conformance-test.local/client-metadata.json'

/** Revision from which requests carry their version themselves. */
const FIRST_MODERN_VERSION = '2026-07-28'

/** Longest time for one scenario; then the suite sees what was done until then. */
const TURN_MS = 60_000

/** How often to look whether the person has signed in. */
const SIGN_IN_POLL_MS = 250

/**
 * Bridge arguments of the scenarios whose client is registered beforehand.
 *
 * @param {Task} task
 * @param {string} keyFile
 * @returns {string[]}
 */
function identity({ scenario, context }, keyFile) {
  if (!scenario.startsWith('auth/')) return []
  const id = ['--client-id', context.client_id ?? '']
  const registered = [...id, '--client-secret-env', 'CLIENT_SECRET']
  /** @type {Record<string, string[]>} */
  const args = {
    'auth/client-credentials-jwt': [...id, '--client-key-file', keyFile, '--client-credentials'],
    'auth/wif-jwt-bearer': [...id, '--workload-token-env', 'WORKLOAD_TOKEN'],
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
  return ['--client-metadata-url', CLIENT_METADATA_URL, ...(args[scenario] ?? [])]
}

/**
 * What the host does where listing the tools and calling each of them is not it.
 *
 * @type {Record<string, (client: Client, tools: Tool[], context: Context) => Promise<unknown>>}
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
 * @param {Context} context
 */
async function callAll(client, tools, { toolCalls }) {
  for (const { name, arguments: args } of toolCalls ?? []) await call(client, name, args)
  if (toolCalls === undefined) for (const { name } of tools) await call(client, name, {})
}

/**
 * Plays the host of one scenario.
 *
 * @param {Task} task
 * @param {{ bin: string | undefined, command: string | undefined }} bridge The packed bridge, or another
 *   program: a command with `{url}`.
 * @returns {Promise<{ code: number, said: string }>} How the suite is to see its client end, and what
 *   was said on stderr.
 */
export async function playHost(task, bridge) {
  const home = mkdtempSync(join(tmpdir(), 'bridge-conformance-'))
  const said = join(home, 'stderr')
  const stderr = openSync(said, 'a')
  const client = clientOf(task)
  const transport = transportOf(task, bridge, home, stderr)
  const over = new AbortController()
  void setTimeout(TURN_MS, undefined, { signal: over.signal, ref: false }).then(
    () => client.close(),
    () => {},
  )
  let failure = ''
  try {
    await client.connect(transport)
    const tools = TOOLLESS.test(task.scenario) ? [] : await toolsOf(client)
    await (SCRIPTS[task.scenario] ?? callAll)(client, tools, task.context)
  } catch (error) {
    failure = `${error}\n`
  } finally {
    over.abort()
    await client.close()
    closeSync(stderr)
  }
  const text = readFileSync(said, 'utf8') + failure
  rmSync(home, { recursive: true, force: true })
  return { code: failure === '' ? 0 : 1, said: text }
}

/**
 * What the server has. As long as a person signs in the bridge has one tool of its own; on a busy
 * machine that may still be so.
 *
 * @param {Client} client
 */
async function toolsOf(client) {
  for (;;) {
    const { tools } = await client.listTools()
    if (tools.length !== 1 || tools[0]?.name !== 'sign_in') return tools
    await setTimeout(SIGN_IN_POLL_MS)
  }
}

/** @param {Task} task */
function clientOf({ version }) {
  const mode = version >= FIRST_MODERN_VERSION ? { pin: version } : 'legacy'
  const client = new Client(
    { name: 'conformance-host', version: '1.0.0' },
    {
      capabilities: { elicitation: { form: { applyDefaults: true } } },
      versionNegotiation: { mode },
    },
  )
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: {} }))
  return client
}

/**
 * @param {Task} task
 * @param {{ bin: string | undefined, command: string | undefined }} bridge
 * @param {string} home Its own, with the person's browser in it.
 * @param {number} stderr A file.
 * @returns {StdioClientTransport}
 */
function transportOf(task, { bin, command }, home, stderr) {
  const { url, context } = task
  const keyFile = join(home, 'key.pem')
  writeFileSync(keyFile, context.private_key_pem ?? '', { mode: 0o600 })
  // The suite's authorization server agrees at once.
  const browser = 'fetch(process.argv[2]).catch(() => {})'
  const opener = join(home, process.platform === 'darwin' ? 'open' : 'xdg-open')
  writeFileSync(opener, `#!${process.execPath}\n${browser}\n`, { mode: 0o755 })
  const transport = new StdioClientTransport({
    ...(command === undefined
      ? { command: process.execPath, args: [bin ?? '', url, ...identity(task, keyFile)] }
      : { command: 'sh', args: ['-c', `exec ${command.replaceAll('{url}', url)}`] }),
    stderr,
    env: {
      PATH: `${home}:${process.env['PATH'] ?? ''}`,
      HOME: home,
      DISPLAY: ':0',
      // A program's own xdg-open starts what is installed for http, and this where nothing is.
      BROWSER: opener,
      XDG_DATA_DIRS: home,
      BRIDGE_HOME: home,
      // Another program may be fetched by npx.
      npm_config_cache: process.env['npm_config_cache'] ?? join(homedir(), '.npm'),
      CLIENT_ID: context.client_id ?? '',
      CLIENT_SECRET: context.client_secret ?? '',
      WORKLOAD_TOKEN: context.valid_jwt ?? '',
      ID_TOKEN: context.idp_id_token ?? '',
    },
  })
  // The SDK asks a second process for the era, which it stops at the answer, also in the middle of a
  // sign-in. A transport of another kind is asked itself: one process is one host.
  return Object.setPrototypeOf(transport, Object.create(StdioClientTransport.prototype))
}
