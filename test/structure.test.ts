import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const src = fileURLToPath(new URL('../src/', import.meta.url))

/** What every part of the program may import. */
const LEAVES = [
  'backoff',
  'channel',
  'delivery',
  'errors',
  'frame',
  'hash',
  'hostnames',
  'json',
  'limits',
  'log',
  'pause',
  'secrets',
]

/**
 * What the parts of the program may import besides themselves: folders of src, and files in it. A
 * part knows only what stands below it, so that each can be read, and replaced, alone.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  // `local`: whose child the process is, is looked up before anything else is loaded.
  cli: [
    'arguments',
    'bridge',
    'commands',
    'complaint',
    'errors',
    'limits',
    'local',
    'option-values',
    'options',
    'package.json',
    'terminal',
  ],
  boot: ['limits', 'paths'],
  complaint: ['errors', 'limits', 'log'],
  arguments: ['commands', 'errors', 'mcp-remote', 'nearest', 'option-values', 'options'],
  commands: [
    ...LEAVES,
    'auth',
    'connection',
    'doctor',
    'http',
    'link',
    'nearest',
    'option-values',
    'options',
    'package.json',
    'paths',
    'relay',
    'remote',
    'store',
    'trace',
    'hosts',
    'terminal',
    'tools',
  ],
  // The files of hosts: what is written into them is what `options` can read.
  hosts: [...LEAVES, 'option-values', 'options', 'package.json', 'store'],
  // It looks at what the others do, and takes their word for nothing.
  doctor: [
    ...LEAVES,
    'auth',
    'era',
    'hosts',
    'http',
    'network-reasons',
    'option-values',
    'options',
    'package.json',
    'paths',
    'remote',
    'store',
    'terminal',
  ],
  bridge: [
    ...LEAVES,
    'connection',
    'link',
    'local',
    'options',
    'paths',
    'relay',
    'status',
    'trace',
  ],
  link: [
    ...LEAVES,
    'auth',
    'connection',
    'era',
    'http',
    'options',
    'paths',
    'remote',
    'store',
    'tools',
  ],
  connection: [...LEAVES, 'auth', 'http', 'options', 'paths', 'policy', 'store'],
  options: [...LEAVES, 'auth', 'era', 'http', 'option-values', 'remote', 'tools', 'trace'],
  tools: [...LEAVES, 'error-frames', 'option-values', 'store'],
  'mcp-remote': ['commands', 'option-values', 'options'],
  // The relay sees two sides that carry frames: nothing of HTTP, sign-in or disks.
  relay: ['channel', 'error-frames', 'errors', 'frame', 'limits', 'log'],
  local: ['channel', 'frame', 'limits', 'log'],
  remote: [...LEAVES, 'era', 'http', 'option-values', 'store'],
  era: [...LEAVES, 'error-frames', 'option-values'],
  http: [...LEAVES, 'auth', 'option-values', 'private-file'],
  auth: [...LEAVES, 'option-values', 'package.json', 'private-file', 'store'],
  store: LEAVES,
  status: ['limits', 'log', 'store'],
  trace: [...LEAVES, 'auth', 'http', 'option-values', 'package.json', 'paths', 'terminal'],
  'option-values': ['errors'],
  paths: [],
  policy: [...LEAVES, 'options'],
  backoff: ['limits'],
  channel: ['frame'],
  delivery: ['channel'],
  frame: ['json'],
  json: [],
  errors: ['limits', 'network-reasons'],
  'error-frames': ['errors', 'frame', 'limits'],
  hash: [],
  hostnames: [],
  limits: [],
  log: ['limits'],
  'network-reasons': [],
  nearest: [],
  pause: [],
  'private-file': ['errors'],
  secrets: ['limits'],
  terminal: [],
}

/** The source files, by path below src. */
const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({
    file: file.replaceAll('\\', '/'),
    text: readFileSync(src + file, 'utf8'),
  }))

/** The part that a file belongs to: its folder, or itself. */
const partOf = (path: string): string => path.split('/')[0]!.replace(/\.ts$/, '')

/** The imports of a program, lazy ones included; with or without those of types alone. */
const ANY_IMPORT = /(?:\bfrom|\bimport|\bimport\()\s*'(\.[^']*)'/g
const RUNTIME_IMPORT = /(?:^import (?!type\b)[^']*?\bfrom|^import|\bimport\()\s*'(\.[^']*)'/gm

/** The files that a file imports; `package.json` as it is. */
function importsOf({ file, text }: { file: string; text: string }, kind = ANY_IMPORT): string[] {
  const specifiers = [...text.matchAll(kind)]
  return specifiers.map(([, specifier]) => {
    const path = posix.join(posix.dirname(file), specifier!)
    return path.startsWith('..') ? posix.join('src', path) : path
  })
}

test('every part has its place in the table', () => {
  const parts = files.map(({ file }) => partOf(file))
  expect(Object.keys(MAY_IMPORT)).toEqual(expect.arrayContaining(parts))
})

describe.each(files)('$file', ({ file, text }) => {
  test('imports only what its part may know', () => {
    const part = partOf(file)
    const strangers = importsOf({ file, text })
      .map((path) => (path === 'package.json' ? path : partOf(path)))
      .filter((other) => other !== part && !MAY_IMPORT[part]!.includes(other))
    expect(strangers).toEqual([])
  })

  test('passes nothing on that it did not make', () => {
    expect(text).not.toMatch(/^export\b[^\n=]*\bfrom\s+'/m)
  })

  test('is short', () => {
    // The one table of numbers is looked things up in, not read.
    const most = file === 'limits.ts' ? 600 : 300
    expect(text.split('\n').length - 1).toBeLessThanOrEqual(most)
  })
})

test('no file leads back to itself at run time', () => {
  const imports = new Map(files.map((entry) => [entry.file, importsOf(entry, RUNTIME_IMPORT)]))
  const done = new Set<string>()
  const cycles: string[] = []
  const follow = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) cycles.push([...way.slice(way.indexOf(file)), file].join(' → '))
    if (way.includes(file) || done.has(file)) return
    for (const next of imports.get(file) ?? []) follow(next, [...way, file])
    done.add(file)
  }
  for (const { file } of files) follow(file, [])
  expect(cycles).toEqual([])
})

test('the imports are seen by this test', () => {
  const cli = files.find(({ file }) => file === 'cli.ts')!
  const expected = ['options.ts', 'bridge.ts', 'commands/help.ts', 'package.json']
  expect(importsOf(cli)).toEqual(expect.arrayContaining(expected))
  expect(importsOf(cli, RUNTIME_IMPORT)).toEqual(expect.arrayContaining(expected))
  const output = files.find(({ file }) => file === 'local/output.ts')!
  expect(importsOf(output)).toContain('channel.ts')
  expect(importsOf(output, RUNTIME_IMPORT)).toEqual(['limits.ts'])
})
