import packageJson from '../package.json' with { type: 'json' }
import { readCommandLine } from './arguments.ts'
import { COMMANDS, type CommandLine } from './commands/table.ts'
import { BridgeError, exitCodeOf } from './errors.ts'
import { FLUSH_MS } from './limits.ts'
import { linksToHost } from './local/parent.ts'
import { isOn } from './option-values.ts'
import { readServerOptions } from './options.ts'

const links = linksToHost(process)

let markWarm = (): void => {}

/** Settles when the relay has had its first answer (src/boot.ts). */
export const warm = new Promise<void>((resolve) => {
  markWarm = resolve
})

/** Runs the command that the command line asks for. The only place that sets the exit code. */
async function main(): Promise<void> {
  const argv = process.argv.slice(2)
  // Whatever it is, it takes one line and not a page.
  process.on('uncaughtException', dieOf)
  try {
    process.exitCode = await run(argv)
  } catch (error) {
    process.exitCode = await complain(error, argv)
  }
  // Nothing should hold the process now; a host that does not read its pipe must not do so either.
  setTimeout(() => process.exit(), FLUSH_MS).unref()
}

/** The end of a process whose state nobody knows any more. */
async function dieOf(error: unknown): Promise<void> {
  process.exit(await complain(error, process.argv.slice(2)))
}

/** Says what failed; gives the exit code for it. */
async function complain(error: unknown, argv: readonly string[]): Promise<number> {
  const { complaint } = await import('./complaint.ts')
  const { createPaint } = await import('./terminal.ts')
  const json = argv.includes('--json')
  const debug = argv.includes('--debug') || /^(debug|frames)$/.test(process.env['BRIDGE_LOG'] ?? '')
  const { dim } = createPaint(process.stderr, process.env, argv.includes('--no-color'))
  process.stderr.write(complaint(error, { json, debug, dim }))
  return error instanceof BridgeError ? exitCodeOf(error.code) : 1
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
  if (line.values['version'] === true) return version(line)
  if (line.values['silent'] !== true && !isOn(process.env['BRIDGE_SILENT'])) {
    for (const note of line.notes) process.stderr.write(`bridge: ${note}\n`)
  }
  const command = COMMANDS.find(({ name }) => name === line.command)
  if (command !== undefined) return (await command.load())(line, process)
  const options = readServerOptions(line, process.env)
  const { runBridge } = await import('./bridge.ts')
  return runBridge(options, process, links, markWarm)
}

async function help(command: string | undefined): Promise<number> {
  const { helpText } = await import('./commands/help.ts')
  process.stdout.write(helpText(command))
  return 0
}

function version({ values }: CommandLine): number {
  const { name, version: ours } = packageJson
  const { platform, arch, versions } = process
  const all = { name, version: ours, node: versions.node, platform, arch }
  process.stdout.write(values['json'] === true ? `${JSON.stringify(all)}\n` : `${ours}\n`)
  return 0
}

void main()
