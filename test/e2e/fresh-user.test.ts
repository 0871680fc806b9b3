import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, inject, onTestFinished, test } from 'vitest'
import { blocksOf, documentAt } from '../docs/documents.ts'
import { startNotesServer } from '../docs/notes-server.ts'
import { initialize, type Message } from '../support/bridge.ts'
import { until } from '../support/until.ts'

/** npx unpacks and links before it starts anything. */
const PATIENCE_MS = 90_000

/** The entry that the README shows first: what a new user copies. */
function firstEntry(): { command: string; args: string[] } {
  const block = blocksOf(documentAt('README.md')).find(({ language }) => language === 'json')!
  const { mcpServers } = JSON.parse(block.text) as {
    mcpServers: Record<string, { command: string; args: string[] }>
  }
  return Object.values(mcpServers)[0]!
}

test(
  "who copies the README's first lines and has only npm gets a working tool",
  {
    timeout: 2 * PATIENCE_MS,
  },
  async () => {
    const server = await startNotesServer()
    const base = mkdtempSync(join(tmpdir(), 'bridge-fresh-'))
    onTestFinished(() => rmSync(base, { recursive: true, force: true }))
    const [home, folder] = [join(base, 'home'), join(base, 'folder')]
    for (const path of [home, folder]) mkdirSync(path)
    const { command, args } = firstEntry()
    expect(command).toBe('npx')
    // The package is not published where this runs: npx is given the tarball in the place of its name.
    const words = args.map((word) => {
      if (word === 'mcp-bridge') return `file:${inject('tarball')}`
      return word === 'https://example.com/mcp' ? server.url : word
    })
    expect(words.filter((word, at) => word !== args[at])).toHaveLength(2)
    // What hosts pass on, with a new home: no cache of npm, no setting of anybody. And no network: a
    // registry that was asked would be a dependency.
    const env = {
      HOME: home,
      LOGNAME: 'ada',
      PATH: [dirname(process.execPath), '/usr/bin', '/bin'].join(':'),
      SHELL: '/bin/sh',
      TERM: 'dumb',
      USER: 'ada',
      npm_config_offline: 'true',
      npm_config_update_notifier: 'false',
    }
    const child = spawn(command, words, { cwd: folder, env, stdio: 'pipe' })
    onTestFinished(() => void child.kill('SIGKILL'))
    let stdout = ''
    let stderr = ''
    let code: number | null | undefined
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('close', (value) => {
      code = value
    })
    const write = (message: object): void => void child.stdin.write(`${JSON.stringify(message)}\n`)
    const answer = (id: number): Promise<Message> =>
      until(
        `the answer to ${id}`,
        () =>
          stdout
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => JSON.parse(line) as Message)
            .find((message) => message.id === id),
        { ms: PATIENCE_MS, seen: () => stdout + stderr },
      )
    write(initialize(0))
    expect(await answer(0)).toHaveProperty('result.serverInfo.name', 'test-server')
    write({ jsonrpc: '2.0', method: 'notifications/initialized' })
    write({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
    expect(JSON.stringify((await answer(1)).result)).toContain('add_note')
    const params = { name: 'add_note', arguments: { text: 'Buy milk' } }
    write({ jsonrpc: '2.0', id: 2, method: 'tools/call', params })
    expect(JSON.stringify((await answer(2)).result)).toContain('Buy milk')
    child.stdin.end()
    expect(await until('the end', () => code ?? undefined, { seen: () => stderr })).toBe(0)
    expect(stderr).not.toContain('bridge:')
  },
)
