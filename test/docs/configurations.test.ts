import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'smol-toml'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readCommandLine } from '../../src/arguments.ts'
import { recognise } from '../../src/hosts/recognise.ts'
import { readServerOptions, SERVER_OPTIONS } from '../../src/options.ts'
import { readPolicy } from '../../src/policy/read.ts'
import { type Block, blocksOf, DOCUMENTS, documentAt } from './documents.ts'

/** An entry of a host that starts a program. */
interface Entry {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

const BLOCKS = DOCUMENTS.flatMap(blocksOf)
  .filter(({ language }) => ['json', 'jsonc', 'toml', 'yaml'].includes(language))
  .map((block) => ({ where: `${block.path}:${block.line}`, block }))

/** What a block says. Of YAML, which no library here reads, the words of the one entry that it has. */
function valueOf({ language, text }: Block): unknown {
  if (language === 'toml') return parse(text)
  if (language !== 'yaml') return JSON.parse(text)
  const command = /^\s*(?:cmd|command): "(.*)"$/m.exec(text)?.[1]
  const args = [...text.matchAll(/^\s*- "(.*)"$/gm)].map(([, word]) => word)
  return { command, args }
}

/** Every entry in a value, however deep. */
function entriesOf(value: unknown): Entry[] {
  if (typeof value !== 'object' || value === null) return []
  const { command, args = [], env = {}, environment = env } = value as Record<string, unknown>
  const words = Array.isArray(command) ? (command as string[]) : undefined
  if (words !== undefined || typeof command === 'string') {
    const [program, ...rest] = words ?? [command as string, ...(args as string[])]
    return [{ command: program!, args: rest, env: environment as Entry['env'] }]
  }
  return Object.values(value).flatMap(entriesOf)
}

describe.each(BLOCKS)('$where', ({ block }) => {
  const entries = entriesOf(valueOf(block))

  test('is what a host can read, and starts a program that understands its arguments', () => {
    const misunderstood = entries.filter(({ command, args, env }) => {
      const started = recognise({ command, args, env })
      if (started?.program !== 'bridge') return true
      const line = readCommandLine(started.args)
      return line.notes.length > 0 || readServerOptions(line, env).url.pathname !== '/mcp'
    })
    expect(misunderstood).toEqual([])
  })
})

test('the entries of every host are seen by this test', () => {
  const seen = BLOCKS.filter(({ block }) => entriesOf(valueOf(block)).length > 0)
  const inHosts = seen.filter(({ block }) => block.path === 'docs/hosts.md')
  expect(inHosts.length).toBeGreaterThanOrEqual(20)
  expect(seen.map(({ block }) => block.path)).toContain('README.md')
})

test('the policy of docs/enterprise.md is one', () => {
  const blocks = blocksOf(documentAt('docs/enterprise.md'))
  const { text } = blocks.find(({ language }) => language === 'json')!
  const folder = mkdtempSync(join(tmpdir(), 'bridge-policy-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const [machine, user] = [join(folder, 'policy.json'), join(folder, 'none.json')]
  writeFileSync(machine, text)
  const policy = readPolicy(
    { machine, user },
    SERVER_OPTIONS.map(({ name }) => name),
  )
  expect(Object.keys(policy)).toEqual(Object.keys(JSON.parse(text) as object))
})
