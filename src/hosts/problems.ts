import { existsSync } from 'node:fs'
import type { FoundEntry } from './entries.ts'
import { exposedIn, optionsIn } from './exposed.ts'
import { PINNED } from './launch.ts'
import type { Recognised } from './recognise.ts'

/** Something about an entry that will not work, or not everywhere, or not for long. */
export interface Problem {
  readonly code:
    | 'mcp-remote'
    | 'not-understood'
    | 'unpinned'
    | 'outdated'
    | 'secret-in-arguments'
    | 'space-in-arguments'
    | 'old-node'
    | 'missing-file'
    | 'missing-variable'
    | 'needs-cmd'
  readonly message: string
  /** What mends it, for people: a command, or what belongs into the entry. */
  readonly fix: string
}

/** The oldest Node that runs the program: see engines in package.json. */
const OLDEST_NODE = [20, 18, 1]

/** What is wrong with an entry. */
export function problemsOf(
  { name, launch, recognised, host }: FoundEntry,
  platform: NodeJS.Platform,
  exists: (path: string) => boolean = existsSync,
): Problem[] {
  if (recognised === undefined) {
    const message = 'It starts mcp-remote in a way of its own.'
    return [{ code: 'not-understood', message, fix: `bridge install ${host.id} <server_url>` }]
  }
  const problems: Problem[] = []
  const add = (code: Problem['code'], message: string, fix: string): void => {
    problems.push({ code, message, fix })
  }
  const { program, version, runner, args } = recognised
  for (const { what, fix } of exposedIn(name, args)) {
    add('secret-in-arguments', `${what} can be read by every program on this machine.`, fix)
  }
  node(launch.command)
  if (args.some((word) => /\s/.test(word))) {
    add(
      'space-in-arguments',
      'Some hosts cut arguments apart at spaces.',
      'Put the value into "env", and ${NAME} into the argument, as in "--header", "Authorization:${NAME}".',
    )
  }
  if (host.environment !== 'inherited') {
    for (const variable of variablesIn(args)) {
      if (launch.env[variable] !== undefined) continue
      const fix = `"env": { "${variable}": "<its value>" }`
      add('missing-variable', `${variable} is not set in the entry.`, fix)
    }
  }
  if (platform === 'win32' && host.wrapsCommands !== true && /^npx$/i.test(launch.command)) {
    add(
      'needs-cmd',
      'npx is a batch file on Windows: some hosts can only start it by cmd /c.',
      '"command": "cmd", and "/c", "npx" before the other arguments',
    )
  }
  if (program === 'mcp-remote') {
    add('mcp-remote', 'bridge migrate replaces mcp-remote.', `bridge migrate ${host.id}`)
  }
  if (runner !== undefined) {
    if (version === undefined || !/^\d+\.\d+\.\d+/.test(version)) {
      const message = 'Without an exact version npx asks the registry at every start.'
      add('unpinned', message, pinnedWords(recognised))
    } else if (program === 'bridge' && isOlder(numbers(version), numbers(CURRENT))) {
      add('outdated', `It starts ${version}; this is ${CURRENT}.`, pinnedWords(recognised))
    }
  }
  return problems

  function node(command: string): void {
    if (!/[\\/]/.test(command)) return
    const fix = `"command": "npx", "args": ["-y", "${PINNED}", …]`
    if (!exists(command)) {
      add('missing-file', `${command} is not there any more.`, fix)
      return
    }
    // The folders of nvm, fnm, volta and asdf say which version is inside.
    const found = /[\\/]v?(\d+)\.(\d+)\.(\d+)[\\/]/.exec(command)?.slice(1).map(Number)
    if (found !== undefined && isOlder(found, OLDEST_NODE)) {
      const message = `Node ${found.join('.')} is too old: ${OLDEST_NODE.join('.')} is needed.`
      add('old-node', message, fix)
    }
  }
}

const CURRENT = PINNED.split('@')[1]!

function numbers(version: string): number[] {
  return version.split(/[.-]/, 3).map(Number)
}

function isOlder(found: readonly number[], needed: readonly number[]): boolean {
  const at = needed.findIndex((part, index) => found[index] !== part)
  return at !== -1 && found[at]! < needed[at]!
}

/** The arguments with this version in them; the version alone where they may hold a secret. */
function pinnedWords({ runner = [], args }: Recognised): string {
  const open = args.every(
    (word) => !word.includes('?') && !/^--(header|.*secret|.*client-info|proxy)/.test(word),
  )
  const words = [...runner.slice(1).map((word) => word ?? PINNED), ...args]
  return open ? `"args": ${JSON.stringify(words)}` : PINNED
}

/** The variables that arguments name. */
function variablesIn(args: readonly string[]): string[] {
  const placeholders = args.flatMap((word) =>
    [...word.matchAll(/\$\{([A-Za-z_]\w*)\}/g)].map((match) => match[1]!),
  )
  const named = optionsIn(args).flatMap(([name, value]) => (name.endsWith('-env') ? [value] : []))
  return [...new Set([...placeholders, ...named])]
}
