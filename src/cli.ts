import packageJson from '../package.json' with { type: 'json' }
import { readCommandLine } from './arguments.ts'
import { COMMANDS } from './commands/table.ts'
import { BridgeError, exitCodeOf } from './errors.ts'
import { FLUSH_MS } from './limits.ts'
import { linksToHost } from './local/parent.ts'
import { readServerOptions } from './options.ts'

const links = linksToHost(process)

/** Runs the command that the command line asks for. The only place that sets the exit code. */
async function main(): Promise<void> {
  try {
    process.exitCode = await run(process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error
    process.stderr.write(`bridge: ${error.message}\n`)
    if (error.hint !== undefined) process.stderr.write(`  ${error.hint}\n`)
    process.exitCode = exitCodeOf(error.code)
  }
  // Nothing should hold the process now; a host that does not read its pipe must not do so either.
  setTimeout(() => process.exit(), FLUSH_MS).unref()
}

async function run(argv: readonly string[]): Promise<number> {
  // How this program starts itself (src/store/keychain-link.ts); nobody else needs it.
  if (argv[0] === 'keychain-process') {
    const { serveKeychain } = await import('./commands/keychain-process.ts')
    return serveKeychain(process)
  }
  if (argv[0] === 'help') return help(argv[1])
  const line = readCommandLine(argv)
  if (line.values['help'] === true) return help(line.command)
  if (line.values['version'] === true) {
    process.stdout.write(`${packageJson.version}\n`)
    return 0
  }
  const command = COMMANDS.find(({ name }) => name === line.command)
  if (command !== undefined) return (await command.load())(line, process)
  const options = readServerOptions(line, process.env)
  const { runBridge } = await import('./bridge.ts')
  return runBridge(options, process, links)
}

async function help(command: string | undefined): Promise<number> {
  const { helpText } = await import('./commands/help.ts')
  process.stdout.write(helpText(command))
  return 0
}

void main()
