import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import packageJson from '../../package.json' with { type: 'json' }
import type { Launch } from './record.ts'

/** The name and the version that an entry names: npx looks only an exact version up in its own cache. */
export const PINNED = `${packageJson.name}@${packageJson.version}`

/** This program as it is installed. */
export interface Program {
  readonly platform: NodeJS.Platform
  /** The Node that runs now. */
  readonly node: string
  /** The file that was started. */
  readonly script: string
  /** npm's `npx-cli.js` of this Node. */
  readonly npx: string | undefined
}

/** What a launch has besides the arguments. */
export interface LaunchOptions {
  readonly program: Program
  /** Name Node and the program by their paths instead of looking for them. */
  readonly pinNode: boolean
  /** The host starts commands by `cmd.exe` itself. */
  readonly wrapsCommands: boolean
}

/** Finds this program on the disk. */
export function thisProgram(process: NodeJS.Process): Program {
  const { platform, execPath: node, argv } = process
  const started = argv[1] ?? ''
  const script = existsSync(started) ? realpathSync(started) : started
  const lib = platform === 'win32' ? ['node_modules'] : ['..', 'lib', 'node_modules']
  const npx = join(dirname(node), ...lib, 'npm', 'bin', 'npx-cli.js')
  return { platform, node, script, npx: existsSync(npx) ? npx : undefined }
}

/** The command and arguments that start this version of the program. */
export function launchOf(
  args: readonly string[],
  env: Launch['env'],
  { program, pinNode, wrapsCommands }: LaunchOptions,
): Launch {
  // What cmd.exe would read as its own cannot be quoted for it: batch files read it twice.
  const risky = program.platform === 'win32' && args.some((word) => /[&|<>^%"!()]/.test(word))
  if (pinNode || risky) return { ...pinned(program), env, args: [...pinned(program).args, ...args] }
  const words = ['-y', PINNED, ...args]
  if (program.platform !== 'win32' || wrapsCommands) return { command: 'npx', args: words, env }
  // npx is a batch file there, which cannot be started without a shell.
  return { command: 'cmd', args: ['/c', 'npx', ...words], env }
}

/** The files of npx's cache go when it is cleaned: then it is npx itself that is pinned. */
function pinned({ node, script, npx }: Program): Pick<Launch, 'command' | 'args'> {
  const cached = /[\\/]_npx[\\/]/.test(script)
  if (!cached || npx === undefined) return { command: node, args: [script] }
  return { command: node, args: [npx, '-y', PINNED] }
}
