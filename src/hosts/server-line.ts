import { parseArgs } from 'node:util'
import { BridgeError } from '../errors.ts'
import { readServerOptions, SERVER_OPTIONS, type ServerOptions } from '../options.ts'

const CONFIG = Object.fromEntries(
  SERVER_OPTIONS.map(({ name, value, multiple }) => [
    name,
    {
      type: value === undefined ? ('boolean' as const) : ('string' as const),
      multiple: multiple === true,
    },
  ]),
)

/**
 * Reads the arguments of an entry as the relay will when the host starts it. Throws `BridgeError` for
 * anything that it would refuse.
 */
export function readServerLine(args: readonly string[], env: NodeJS.ProcessEnv): ServerOptions {
  let parsed
  try {
    parsed = parseArgs({ args: [...args], options: CONFIG, allowPositionals: true })
  } catch (cause) {
    const [message] = (cause as Error).message.split('\n', 1)
    throw new BridgeError('usage', message!, { cause })
  }
  const { values, positionals } = parsed
  return readServerOptions({ command: undefined, values, operands: positionals }, env)
}
