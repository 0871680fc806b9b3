import { BridgeError } from '../errors.ts'
import { text } from '../option-values.ts'
import { withClient } from './client.ts'
import { printContents } from './render.ts'
import { refuseOperands } from './stored.ts'
import type { RunCommand } from './table.ts'

/** Reads one resource. */
export const runRead: RunCommand = (line, process) => {
  const [, uri] = line.operands
  if (uri === undefined) {
    throw new BridgeError('usage', 'No resource.', {
      hint: 'Usage: bridge read <server_url> <uri>; bridge resources <server_url> lists them.',
    })
  }
  refuseOperands(line, 2)
  return withClient(line, process, async ({ request }) => {
    const result = await request('resources/read', JSON.stringify({ uri }))
    const { stdout, stderr } = process
    const folder = text(line.values['save'])
    if (line.values['json'] === true) stdout.write(`${result.toString('utf8')}\n`)
    else await printContents(result, { stdout, stderr, folder })
    return 0
  })
}
