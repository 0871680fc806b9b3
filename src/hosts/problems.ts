import { existsSync } from 'node:fs'
import type { FoundEntry } from './entries.ts'
import { PINNED } from './launch.ts'
import { secretParameters, soundsSecret } from './secrets.ts'

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
}

/** The oldest Node that runs the program: see engines in package.json. */
const OLDEST_NODE = [20, 18, 1]

/** What is wrong with an entry. */
export function problemsOf(
  { launch, recognised, host }: FoundEntry,
  platform: NodeJS.Platform,
  exists: (path: string) => boolean = existsSync,
): Problem[] {
  if (recognised === undefined) {
    return [{ code: 'not-understood', message: 'It starts mcp-remote in a way of its own.' }]
  }
  const problems: Problem[] = []
  const add = (code: Problem['code'], message: string): void => {
    problems.push({ code, message })
  }
  const { program, version, runner, args } = recognised
  if (program === 'mcp-remote') add('mcp-remote', 'bridge migrate replaces mcp-remote.')
  if (runner !== undefined) {
    if (version === undefined || !/^\d+\.\d+\.\d+/.test(version)) {
      add('unpinned', 'Without an exact version npx asks the registry at every start.')
    } else if (program === 'bridge' && PINNED !== `mcp-bridge@${version}`) {
      add('outdated', `It starts ${version}; this is ${PINNED.split('@')[1]!}.`)
    }
  }
  for (const what of secretsIn(args)) {
    add('secret-in-arguments', `${what} can be read by every program on this machine.`)
  }
  if (args.some((word) => /\s/.test(word))) {
    add('space-in-arguments', 'Some hosts cut arguments apart at spaces.')
  }
  node(launch.command)
  if (platform === 'win32' && host.wrapsCommands !== true && /^npx$/i.test(launch.command)) {
    add('needs-cmd', 'npx is a batch file on Windows: some hosts can only start it by cmd /c.')
  }
  const missing = variablesIn(args).filter((variable) => launch.env[variable] === undefined)
  if (host.environment !== 'inherited') {
    for (const variable of missing) add('missing-variable', `${variable} is not set in the entry.`)
  }
  return problems

  function node(command: string): void {
    if (!/[\\/]/.test(command)) return
    if (!exists(command)) {
      add('missing-file', `${command} is not there any more.`)
      return
    }
    // The folders of nvm, fnm, volta and asdf say which version is inside.
    const found = /[\\/]v?(\d+)\.(\d+)\.(\d+)[\\/]/.exec(command)?.slice(1).map(Number)
    if (found !== undefined && isOlder(found, OLDEST_NODE)) {
      add('old-node', `Node ${found.join('.')} is too old: ${OLDEST_NODE.join('.')} is needed.`)
    }
  }
}

function isOlder(found: readonly number[], needed: readonly number[]): boolean {
  const at = needed.findIndex((part, index) => found[index] !== part)
  return at !== -1 && found[at]! < needed[at]!
}

/** What among arguments looks like a secret: headers, clients, parameters of the address. */
function secretsIn(args: readonly string[]): string[] {
  const found = args.flatMap((word) =>
    secretParameters(word).map((name) => `The parameter ${name}`),
  )
  for (const [name, value] of optionsIn(args)) {
    if (name === 'header') {
      const [header, content = ''] = value.split(/:(.*)/s)
      const literal = content.replaceAll(/\$\{[^}]*\}|\bBearer\b|\bBasic\b|\s/gi, '')
      if (soundsSecret(header!) && literal !== '') found.push(`The header ${header!.trim()}`)
    }
    if (name === 'static-oauth-client-info' && /"client_secret"\s*:\s*"(?!\$\{)/.test(value)) {
      found.push('The secret of the client')
    }
  }
  return found
}

/** The variables that arguments name. */
function variablesIn(args: readonly string[]): string[] {
  const placeholders = args.flatMap((word) =>
    [...word.matchAll(/\$\{([A-Za-z_]\w*)\}/g)].map((match) => match[1]!),
  )
  const named = optionsIn(args).flatMap(([name, value]) => (name.endsWith('-env') ? [value] : []))
  return [...new Set([...placeholders, ...named])]
}

function optionsIn(args: readonly string[]): [name: string, value: string][] {
  return args.flatMap((word, index): [string, string][] => {
    const match = /^--([a-z-]+)(?:=(.*))?$/s.exec(word)
    if (match === null) return []
    return [[match[1]!, match[2] ?? args[index + 1] ?? '']]
  })
}
