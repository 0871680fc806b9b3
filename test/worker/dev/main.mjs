import { parseArgs } from 'node:util'
import { startWorker } from './serve.mjs'

const { values } = parseArgs({
  options: { oauth: { type: 'boolean' }, port: { type: 'string', default: '8787' } },
})

const started = Date.now()
const worker = await startWorker({
  flavour: values.oauth === true ? 'oauth' : 'public',
  port: Number(values.port),
})
process.stdout.write(`${worker.url} is ready after ${Date.now() - started} ms\n`)
// miniflare ends workerd when this process is told to stop.
process.stdout.write('MCP endpoints: /mcp and /sse. State is in memory. Stop with Ctrl+C.\n')
