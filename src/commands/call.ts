import { BridgeError } from '../errors.ts'
import { valueAt } from '../json/locate.ts'
import { printable } from '../log.ts'
import { nearest } from '../nearest.ts'
import { text } from '../option-values.ts'
import { hasRules } from '../tools/options.ts'
import { withClient } from './client.ts'
import { readPages } from './pages.ts'
import { PROGRESS_TOKEN } from './progress.ts'
import { printToolResult } from './render.ts'
import type { RunCommand } from './table.ts'
import { toolArguments } from './typed.ts'

/** Calls one tool. */
export const runCall: RunCommand = (line, process) => {
  const [, name, ...words] = line.operands
  if (name === undefined) {
    throw new BridgeError('usage', 'No tool.', {
      hint: 'Usage: bridge call <server_url> <tool>; bridge tools <server_url> lists them.',
    })
  }
  return withClient(line, process, async (client) => {
    // The list first: types come from the schema, and the rules know only what was listed.
    const { items } = await readPages(client, 'tools/list', 'tools')
    const tool = items.find((item) => valueAt(item, 'name') === name)
    // What a rule hides is called all the same: the refusal names the rule.
    if (tool === undefined && !hasRules(client.options.tools)) {
      throw unknownTool(name, items, client.options.url.host)
    }
    const given = toolArguments(words, tool)
    const meta =
      process.stderr.isTTY === true ? `,"_meta":{"progressToken":"${PROGRESS_TOKEN}"}` : ''
    const params = `{"name":${JSON.stringify(name)},"arguments":${given}${meta}}`
    const result = await client.request('tools/call', params)
    const { stdout, stderr } = process
    const folder = text(line.values['save'])
    if (line.values['json'] === true) stdout.write(`${result.toString('utf8')}\n`)
    else await printToolResult(result, { stdout, stderr, folder })
    if (valueAt(result, 'isError') !== true) return 0
    throw new BridgeError('server_failed', `The tool ${printable(name)} reports an error.`)
  })
}

function unknownTool(name: string, items: readonly Buffer[], host: string): BridgeError {
  const names = items.map((item) => valueAt(item, 'name')).filter((one) => typeof one === 'string')
  const near = nearest(name, names)
  return new BridgeError('usage', `${host} has no tool ${printable(name)} for you.`, {
    hint:
      near === undefined
        ? 'bridge tools <server_url> lists them.'
        : `Did you mean ${printable(near)}?`,
  })
}
