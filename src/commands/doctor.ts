import { CHECKS } from '../doctor/table.ts'
import type { Context } from '../doctor/check.ts'
import { thisMachine } from '../doctor/machine.ts'
import { asJson, shown } from '../doctor/print.ts'
import { report } from '../doctor/report.ts'
import { runChecks } from '../doctor/run.ts'
import { privateValues } from '../doctor/secrets.ts'
import { openServer } from '../doctor/server.ts'
import { credentialsFolder } from '../doctor/storage.ts'
import { BridgeError } from '../errors.ts'
import { DOCTOR_NETWORK_MS } from '../limits.ts'
import { text } from '../option-values.ts'
import { readServerOptions, type ServerOptions } from '../options.ts'
import { pathsOf } from '../paths.ts'
import { createPaint } from '../terminal.ts'
import { refuseOperands } from './stored.ts'
import type { CommandLine, RunCommand } from './table.ts'

/** Looks at everything that a server needs to be reached, and says what mends it; 1 when something fails. */
export const runDoctor: RunCommand = async (line, process) => {
  refuseOperands(line, 1)
  const { env, stdout } = process
  const machine = thisMachine(process)
  const paths = pathsOf(env)
  const options = optionsOf(line, env)
  const usable = options === undefined || options instanceof BridgeError ? undefined : options
  const signal = AbortSignal.timeout(DOCTOR_NETWORK_MS)
  const credentials = credentialsFolder(paths)
  const server = usable && openServer(usable, credentials, env, signal, Date.now)
  const store = usable?.store ?? storeOf(text(line.values['store']) ?? env['BRIDGE_STORE'])
  const context: Context = { machine, paths, options, store, server, now: Date.now }
  // Without a URL nothing of the network is looked at, and there is nothing to say about it.
  const checks = CHECKS.filter(({ group }) => options !== undefined || !NETWORK.has(group))
  const results = await runChecks(checks, context, signal)
  await server?.close()
  if (line.values['json'] === true) {
    stdout.write(`${JSON.stringify(asJson(results), undefined, 2)}\n`)
  } else if (line.values['report'] === true) {
    const hidden = await privateValues(line, machine, usable, credentials)
    stdout.write(report(results, context, Object.keys(line.values), hidden))
  } else {
    stdout.write(shown(results, createPaint(stdout, env, line.values['no-color'] === true)))
  }
  return results.some(({ finding }) => finding.level === 'fail') ? 1 : 0
}

const NETWORK: ReadonlySet<string> = new Set(['The way to the server', 'The server', 'The sign-in'])

/** What is wrong with the command line is a finding like any other. */
function optionsOf(
  line: CommandLine,
  env: NodeJS.ProcessEnv,
): ServerOptions | BridgeError | undefined {
  if (line.operands.length === 0) return undefined
  try {
    return readServerOptions(line, env, 'nobody')
  } catch (error) {
    if (error instanceof BridgeError) return error
    throw error
  }
}

function storeOf(word: string | undefined): Context['store'] {
  return word === 'keychain' || word === 'keychain-only' ? word : 'file'
}
