import packageJson from '../package.json' with { type: 'json' }
import { BridgeError, exitCodeOf } from './errors.ts'
import { FLUSH_MS } from './limits.ts'
import { linksToHost } from './local/parent.ts'
import { type Invocation, readInvocation } from './options.ts'

const links = linksToHost(process)

/** Runs the command that the command line asks for. The only place that sets the exit code. */
async function main(): Promise<void> {
  try {
    process.exitCode = await run(readInvocation(process.argv.slice(2), process.env))
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error
    process.stderr.write(`bridge: ${error.message}\n`)
    if (error.hint !== undefined) process.stderr.write(`  ${error.hint}\n`)
    process.exitCode = exitCodeOf(error.code)
  }
  // Nothing should hold the process now; a host that does not read its pipe must not do so either.
  setTimeout(() => process.exit(), FLUSH_MS).unref()
}

async function run(invocation: Invocation): Promise<number> {
  switch (invocation.command) {
    case 'help': {
      const { helpText } = await import('./commands/help.ts')
      process.stdout.write(helpText())
      return 0
    }
    case 'version':
      process.stdout.write(`${packageJson.version}\n`)
      return 0
    case 'keychain-process': {
      const { serveKeychain } = await import('./commands/keychain-process.ts')
      return serveKeychain(process)
    }
    case 'login': {
      const { runLogin } = await import('./commands/login.ts')
      return runLogin(invocation.options, process)
    }
    case 'relay': {
      const { runBridge } = await import('./bridge.ts')
      return runBridge(invocation.options, process, links)
    }
  }
}

void main()
