import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import worker from '../worker/package.json' with { type: 'json' }
import { readCommandLine } from '../../src/arguments.ts'
import { COMMANDS } from '../../src/commands/table.ts'
import { TOPICS } from '../../src/commands/topics.ts'
import { ADOPTED_OPTIONS } from '../../src/mcp-remote.ts'
import { GENERAL_OPTIONS, SERVER_OPTIONS } from '../../src/options.ts'
import { argumentsOf, commandsOf, isShell } from './commands.ts'
import { blocksOf, codeSpansOf, type Document, DOCUMENTS, readText, ROOT } from './documents.ts'
import { NEEDS } from './markers.ts'

/** Options of scripts of this repository and of other programs that stand alone in a document. */
const FOREIGN: ReadonlySet<string> = new Set([
  '--bridge',
  '--markdown',
  '--mutations',
  '--network',
  '--no-hosts',
  '--only',
  '--pairs',
  '--requirements',
  '--role',
  '--scenario',
  '--seed',
  '--suite',
  '--unit',
])

const KNOWN: ReadonlySet<string> = new Set(
  [
    ...SERVER_OPTIONS,
    ...GENERAL_OPTIONS,
    ...ADOPTED_OPTIONS,
    ...COMMANDS.flatMap(({ options }) => options),
  ].map(({ name }) => `--${name}`),
)

/** Scripts of the repository and of the Worker. */
const SCRIPTS: ReadonlySet<string> = new Set([
  ...Object.keys(packageJson.scripts),
  ...Object.keys(worker.scripts),
])

/** What `bridge help` explains; it is taken before commands are. */
const HELP: ReadonlySet<string> = new Set([...COMMANDS, ...TOPICS].map(({ name }) => name))

/** What a document writes as code that is about this program: lines and spans of others are not. */
function codeOf(document: Document): string {
  // What stands between quotes is meant for another program.
  const blocks = blocksOf(document).map(({ text }) => text.replaceAll(/'[^'\n]*'/g, ''))
  return [...codeSpansOf(document), ...blocks.flatMap((text) => text.split('\n'))]
    .filter((code) => !OTHERS.test(code))
    .join('\n')
}

/** What begins as a command of somebody else, or as a script of ours. */
const OTHERS =
  /^\s*(?:\$ )?(?:npm|node|docker|kubectl|wrangler|claude|code|codex|curl|npx (?!-y (?:-p \S+ )*(?:mcp-bridge|bridge)\b))/

/** Every line that a document wants to be typed, and every span that begins as one. */
function linesOf(document: Document): string[] {
  const typed = blocksOf(document)
    .filter(isShell)
    .flatMap((block) => commandsOf(block).map(({ line }) => line))
  const spans = codeSpansOf(document).filter((span) => /^(?:npx|bridge|mcp-bridge) /.test(span))
  return [...typed, ...spans.map((span) => span.replaceAll('…', ''))]
}

describe.each([...DOCUMENTS])('$path', (document) => {
  test('names options that there are', () => {
    const named = [...codeOf(document).matchAll(/(?<![\w-])--[a-z][\w-]*(?![\w-]|…)/g)].map(
      ([name]) => name,
    )
    const unknown = named.filter((name) => !KNOWN.has(name) && !FOREIGN.has(name))
    expect([...new Set(unknown)]).toEqual([])
  })

  test('shows command lines that are understood', () => {
    const refused = linesOf(document).flatMap((line) => {
      const args = argumentsOf(line)
      if (args === undefined || (args[0] === 'help' && HELP.has(args[1]!))) return []
      try {
        readCommandLine(args)
        return []
      } catch (error) {
        return [`${line}: ${(error as Error).message}`]
      }
    })
    expect(refused).toEqual([])
  })

  test('names scripts that there are', () => {
    const runs = [...document.text.matchAll(/\bnpm run (?:-w \S+ )?([\w:-]+)/g)]
    expect(runs.map(([, name]) => name).filter((name) => !SCRIPTS.has(name!))).toEqual([])
  })

  test('says in which language a block of commands is', () => {
    const silent = blocksOf(document).filter(
      ({ language, text }) =>
        !KNOWN_LANGUAGES.has(language) ||
        (language === '' && /^(?:\$ |npx |npm |bridge |mcp-bridge )/m.test(text)),
    )
    expect(silent.map(({ line, language }) => `${line}: ${language}`)).toEqual([])
  })

  test('marks a block with what is known', () => {
    const odd = blocksOf(document).filter(({ marker }) => {
      if (marker === undefined) return false
      if (marker.key === 'needs') return !Object.hasOwn(NEEDS, marker.value)
      return marker.key !== 'run by'
    })
    expect(odd.map(({ line, marker }) => `${line}: ${marker!.key}: ${marker!.value}`)).toEqual([])
  })

  test('marks as run by a file what is in that file', () => {
    const claims = blocksOf(document).filter(({ marker }) => marker?.key === 'run by')
    const unproved = claims.flatMap((block) => {
      const text = readText(block.marker!.value)
      return commandsOf(block)
        .flatMap(({ line }) => witnessesOf(line))
        .filter((word) => !text.includes(word))
        .map((word) => `${block.line}: ${word} is not in ${block.marker!.value}`)
    })
    expect(unproved).toEqual([])
  })
})

const KNOWN_LANGUAGES: ReadonlySet<string> = new Set([
  '',
  'bash',
  'console',
  'ini',
  'json',
  'jsonc',
  'sh',
  'text',
  'toml',
  'ts',
  'yaml',
])

/** What a file that runs a line must have in it: its options, or else the whole of it. */
function witnessesOf(line: string): string[] {
  const options = (argumentsOf(line) ?? []).filter((word) => /^--[a-z]/.test(word))
  return options.length > 0 ? options : [line]
}

test('a variable of the environment that a document names is read somewhere', () => {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(ROOT, 'src', file), 'utf8'))
    .join('\n')
  const named = DOCUMENTS.flatMap(({ text }) => text.match(/\bBRIDGE_[A-Z_]+\b/g) ?? [])
  expect(named.length).toBeGreaterThan(20)
  const unknown = named.filter(
    (name) => !sources.includes(name.replace(/^BRIDGE_HEADER_.*/, 'BRIDGE_HEADER_')),
  )
  expect([...new Set(unknown)]).toEqual([])
})

test('a reason that no block has is none', () => {
  const used = new Set(DOCUMENTS.flatMap(blocksOf).map(({ marker }) => marker?.value))
  expect(Object.keys(NEEDS).filter((reason) => !used.has(reason))).toEqual([])
})
