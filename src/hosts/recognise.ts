import type { Launch } from './record.ts'

/** An entry that starts this program or mcp-remote. */
export interface Recognised {
  readonly program: 'bridge' | 'mcp-remote'
  /** The words before the arguments, with `undefined` where the package is named; without it a file is started. */
  readonly runner: readonly (string | undefined)[] | undefined
  /** What follows the `@` of the package. */
  readonly version: string | undefined
  /** The arguments of the program. */
  readonly args: readonly string[]
}

/** Packages, and what they are. */
const PACKAGES: Readonly<Record<string, Recognised['program']>> = {
  'mcp-bridge': 'bridge',
  'mcp-remote': 'mcp-remote',
}

/** Runners that take a package: the words that belong to their name, and their options with a value. */
const RUNNERS: readonly {
  readonly words: readonly string[]
  readonly valued: readonly string[]
}[] = [
  { words: ['npx'], valued: ['-p', '--package', '--registry', '--node-options'] },
  { words: ['npm', 'exec'], valued: ['-p', '--package', '--registry'] },
  { words: ['npm', 'x'], valued: ['-p', '--package', '--registry'] },
  { words: ['bunx'], valued: ['-p', '--package'] },
  { words: ['bun', 'x'], valued: ['-p', '--package'] },
  { words: ['pnpm', 'dlx'], valued: ['--package'] },
  { words: ['pnpx'], valued: ['--package'] },
  { words: ['yarn', 'dlx'], valued: ['-p', '--package'] },
]

/** Finds out what an entry starts; `undefined` when it is something else, or hidden in a shell's text. */
export function recognise({ command, args }: Launch): Recognised | undefined {
  const words = [command, ...args]
  const start = shellWords(words)
  return byRunner(words, start) ?? byNode(words, start) ?? byName(words, start)
}

/** Whether an entry names mcp-remote at all, in whatever way. */
export function mentionsMcpRemote({ command, args }: Launch): boolean {
  return [command, ...args].some((word) => /\bmcp-remote\b/.test(word))
}

/** `cmd /d /s /c` before the command. */
function shellWords(words: readonly string[]): number {
  if (baseOf(words[0]!) !== 'cmd') return 0
  let at = 1
  while (/^\/[a-z]$/i.test(words[at] ?? '')) at++
  return at
}

function byRunner(words: readonly string[], start: number): Recognised | undefined {
  // npx by its file, as `--pin-node` writes it.
  const byFile =
    baseOf(words[start] ?? '') === 'node' && words[start + 1]?.endsWith('npx-cli.js') === true
  const first = byFile ? start + 1 : start
  const runner = byFile
    ? RUNNERS[0]!
    : RUNNERS.find(({ words: names }) =>
        names.every((name, index) => baseOf(words[first + index] ?? '') === name),
      )
  if (runner === undefined) return undefined
  let at = first + runner.words.length
  let named: number | undefined
  for (; at < words.length; at++) {
    const word = words[at]!
    if (word === '--') continue
    if (/^(?:-p|--package)$/.test(word)) named = at + 1
    else if (word.startsWith('--package=')) named = at
    if (runner.valued.includes(word)) at++
    else if (!word.startsWith('-')) break
  }
  const bin = words[at]
  if (bin === undefined) return undefined
  const spec = words[named ?? at]!.replace(/^--package=/, '')
  const [, name, version] = /^([\w-]+)(?:@(.+))?$/.exec(spec) ?? []
  const program = Object.hasOwn(PACKAGES, name ?? '') ? PACKAGES[name!] : undefined
  // A package has other commands too: mcp-remote-client is none of ours.
  if (program === undefined) return undefined
  if (named !== undefined && bin !== name && !(program === 'bridge' && bin === 'bridge')) {
    return undefined
  }
  // The package alone is enough: its command has the same name.
  const before = words.slice(0, at).filter((_, index) => {
    return named === undefined || (index !== named && !/^(?:-p|--package)$/.test(words[index]!))
  })
  return { program, runner: [...before, undefined], version, args: words.slice(at + 1) }
}

function byNode(words: readonly string[], start: number): Recognised | undefined {
  if (baseOf(words[start] ?? '') !== 'node') return undefined
  let at = start + 1
  while (words[at]?.startsWith('-') === true) at++
  const script = (words[at] ?? '').replaceAll('\\', '/')
  const args = words.slice(at + 1)
  if (script.endsWith('/mcp-remote/dist/proxy.js')) return file('mcp-remote', args)
  if (script.endsWith('/.bin/mcp-remote')) return file('mcp-remote', args)
  // Also where a checkout, not a package, holds it.
  if (script.endsWith('/bin/bridge.cjs')) return file('bridge', args)
  return undefined
}

function byName(words: readonly string[], start: number): Recognised | undefined {
  const name = baseOf(words[start] ?? '')
  const args = words.slice(start + 1)
  if (name === 'mcp-remote') return file('mcp-remote', args)
  if (name === 'mcp-bridge') return file('bridge', args)
  // Other programs are called so, too.
  const relays = args.some((word) => /^https?:\/\//.test(word))
  return name === 'bridge' && relays ? file('bridge', args) : undefined
}

function file(program: Recognised['program'], args: readonly string[]): Recognised {
  return { program, runner: undefined, version: undefined, args }
}

/** The name of a program without its folder and the endings of Windows. */
function baseOf(word: string): string {
  const name = word.split(/[\\/]/).at(-1)!
  return name.toLowerCase().replace(/\.(?:cmd|exe|bat|ps1)$/, '')
}
