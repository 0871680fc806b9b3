// @ts-check
/**
 * The command that the suite calls as its client, `driver.mjs <server_url>`. It hands its task to
 * `run.mjs`, which plays the host when a place is free: the suite starts all scenarios at once, and a
 * process that waits has to cost next to nothing.
 */
import { once } from 'node:events'
import { connect } from 'node:net'

const { env, argv } = process
/** @type {import('./host.mjs').Task} */
const task = {
  url: argv.at(-1) ?? '',
  scenario: env['MCP_CONFORMANCE_SCENARIO'] ?? '',
  version: env['MCP_CONFORMANCE_PROTOCOL_VERSION'] ?? '2025-11-25',
  context: JSON.parse(env['MCP_CONFORMANCE_CONTEXT'] ?? '{}'),
}
const socket = connect(Number(env['CONFORMANCE_PLACES']), '127.0.0.1')
socket.write(`${JSON.stringify(task)}\n`)
let answer = ''
socket.setEncoding('utf8').on('data', (/** @type {string} */ chunk) => (answer += chunk))
await once(socket, 'end')
const { code, said } = JSON.parse(answer)
process.stderr.write(said)
process.exitCode = code
