import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { execFile } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { startMcpServer } from '../support/mcp-server.ts'

const OURS = `mcp-bridge@${packageJson.version}`
const URL_ARGUMENT = 'https://mcp.example.com/mcp'

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A person with an empty home who runs the packed program. */
function startPerson(env: NodeJS.ProcessEnv = {}) {
  const home = mkdtempSync(join(tmpdir(), 'bridge-person-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  const file = (...path: string[]): string => join(home, ...path)
  return {
    home,
    file,
    put(path: string, text: string): void {
      mkdirSync(dirname(file(path)), { recursive: true })
      writeFileSync(file(path), text)
    },
    read: (path: string): string => readFileSync(file(path), 'utf8'),
    run: (...args: string[]): Promise<Outcome> =>
      new Promise((resolve) => {
        const all = { HOME: home, PATH: process.env['PATH'], ...env }
        const options = { env: all, cwd: home }
        const child = execFile(
          process.execPath,
          [inject('bin'), ...args],
          options,
          (_, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
        )
        child.stdin!.end()
      }),
  }
}

const CURSOR = '.cursor/mcp.json'
const BEFORE = '{\n  // mine\n  "mcpServers": {\n  }\n}'

test('install, list, uninstall: shown, backed up, done once, and as it was in the end', async () => {
  const person = startPerson()
  person.put(CURSOR, BEFORE)
  const words = ['install', 'cursor', URL_ARGUMENT, '--header', 'Authorization: Bearer s3cret']

  const dry = await person.run(...words, '--dry-run')
  expect(dry).toMatchObject({ code: 0, stdout: '' })
  expect(dry.stderr).toContain('+    "example": {')
  expect(person.read(CURSOR)).toBe(BEFORE)

  const first = await person.run(...words)
  expect(first).toMatchObject({ code: 0, stdout: '' })
  expect(first.stderr).not.toContain('s3cret')
  const { 1: backup } = /The file as it was: (.*)/.exec(first.stderr)!
  expect(readFileSync(backup!, 'utf8')).toBe(BEFORE)
  const after = person.read(CURSOR)
  expect(after).toContain('// mine')
  expect(JSON.parse(after.replace('// mine', ''))).toEqual({
    mcpServers: {
      example: {
        command: 'npx',
        args: ['-y', OURS, URL_ARGUMENT, '--header', 'Authorization:${AUTHORIZATION}'],
        env: { AUTHORIZATION: 'Bearer s3cret' },
      },
    },
  })

  const second = await person.run(...words)
  expect(second.stderr).toContain('Nothing to do')
  expect(person.read(CURSOR)).toBe(after)

  const listed = await person.run('list', '--json')
  expect(JSON.parse(listed.stdout)).toEqual({
    entries: [
      {
        host: 'cursor',
        scope: 'user',
        name: 'example',
        program: 'bridge',
        version: packageJson.version,
        server: URL_ARGUMENT,
        file: person.file(CURSOR),
        problems: [],
      },
    ],
    ignored: [],
    unreadable: [],
  })

  expect(await person.run('uninstall', 'cursor', 'example')).toMatchObject({ code: 0 })
  expect(person.read(CURSOR)).toBe(BEFORE)
  expect(await person.run('uninstall', 'cursor', 'example')).toMatchObject({ code: 2 })
})

const APPLICATIONS = process.platform === 'darwin' ? 'Library/Application Support' : '.config'

describe.each([
  ['claude-desktop', `${APPLICATIONS}/Claude/claude_desktop_config.json`, ['mcpServers', 'x']],
  ['vscode', `${APPLICATIONS}/Code/User/mcp.json`, ['servers', 'x']],
  ['opencode', '.config/opencode/opencode.json', ['mcp', 'x']],
])('what is in the file of %s', (host, path, [table, name]) => {
  test('starts a bridge to the server', async () => {
    const server = await startMcpServer()
    const person = startPerson()
    const { code } = await person.run('install', host, server.url, '--name', 'x', '--pin-node')
    expect(code).toBe(0)
    const file = JSON.parse(person.read(path)) as Record<string, Record<string, Entry>>
    const entry = file[table!]![name!]!
    const [command, ...args] = [entry.command, entry.args ?? []].flat(2)
    const client = new Client({ name: 'host', version: '1.0.0' })
    await client.connect(new StdioClientTransport({ command: command!, args, stderr: 'ignore' }))
    onTestFinished(() => client.close())
    expect(server.seen[0]?.message?.method).toBe('initialize')
    expect(client.getServerVersion()).toBeDefined()
  })
})

interface Entry {
  readonly command: string | string[]
  readonly args?: string[]
}

test('migrate and undo: every host, the sign-in, and what cannot be carried over', async () => {
  const person = startPerson()
  const json = `{
  "mcpServers": {
    "a": { "command": "npx", "args": ["mcp-remote@0.1.38", "${URL_ARGUMENT}", "3334", "--debug"] }, // a
    "b": { "command": "sh", "args": ["-c", "npx mcp-remote ${URL_ARGUMENT}"] }
  }
}`
  const toml = `model = "o" # best\n[mcp_servers.c]\ncommand = "npx"\nargs = ["-y", "mcp-remote", "${URL_ARGUMENT}"]\n`
  person.put(CURSOR, json)
  person.put('.codex/config.toml', toml)
  person.put('.kiro/settings/mcp.json', '{ broken')

  const dry = await person.run('migrate', '--dry-run')
  expect(dry.stderr).toContain('2 to be migrated, 1 left as they are.')
  expect(person.read(CURSOR)).toBe(json)

  const done = await person.run('migrate', '--json')
  // One file could not be read: said, and in the exit code.
  expect(done.code).toBe(7)
  expect(JSON.parse(done.stdout)).toMatchObject({
    migrated: [
      { host: 'cursor', name: 'a' },
      { host: 'codex', name: 'c' },
    ],
    left: [{ host: 'cursor', name: 'b' }],
    unreadable: [{ host: 'kiro', message: expect.stringContaining('mcp.json:1:3') }],
  })
  expect(person.read(CURSOR)).toContain(`"${OURS}", "${URL_ARGUMENT}", `)
  expect(person.read('.codex/config.toml')).toBe(toml.replace('"mcp-remote"', `"${OURS}"`))
  expect((await person.run('migrate', 'cursor')).stderr).toContain('0 migrated, 1 left')

  const elsewhere = person.read('.codex/config.toml').replace('best', 'better')
  person.put('.codex/config.toml', elsewhere)
  expect(await person.run('migrate', '--undo')).toMatchObject({ code: 0 })
  expect(person.read(CURSOR)).toBe(json)
  expect(person.read('.codex/config.toml')).toBe(toml.replace('best', 'better'))
  expect((await person.run('migrate', '--undo')).stderr).toContain('no migration to undo')
})

test('without a host and without a terminal, the hosts of this machine are named', async () => {
  const person = startPerson()
  expect(await person.run('install', URL_ARGUMENT)).toMatchObject({ code: 2 })
  person.put(CURSOR, '{}')
  const { code, stderr } = await person.run('install', URL_ARGUMENT)
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('here: cursor.') })
})

describe('usage errors', () => {
  test.each([
    [['install', 'cursr', URL_ARGUMENT], 'Did you mean cursor?'],
    [['install', 'cursor'], 'No server URL.'],
    [['install', 'cursor', 'x.example'], 'Not a URL'],
    [['install', 'cursor', URL_ARGUMENT, '--scope', 'all'], '--scope is user or project'],
    [['install', 'windsurf', URL_ARGUMENT, '--scope', 'project'], 'no configuration of a project'],
    [['install', 'cursor', URL_ARGUMENT, '--transport', 'udp'], 'Unknown transport'],
    [['install', 'cursor', URL_ARGUMENT, '--name', 'a b'], 'no name for an entry'],
    [['install', 'cursor', URL_ARGUMENT, '--env', 'x'], 'NAME=value'],
    [['install', 'cursor', URL_ARGUMENT, '--', '--frobnicate'], 'frobnicate'],
    [['install', 'cursor', URL_ARGUMENT, '--header', 'A: ${NOPE}'], 'NOPE'],
    [['uninstall', 'cursor'], 'Usage: bridge uninstall'],
    [['list', 'nohost'], 'Unknown host nohost.'],
  ])('%j', async (args, message) => {
    const { code, stderr } = await startPerson().run(...args)
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) })
  })
})

test('a snippet is printed for hosts that are not edited, and with --print for all', async () => {
  const person = startPerson()
  const goose = await person.run('install', 'goose', URL_ARGUMENT)
  expect(goose.stdout).toContain('  example:\n    name: example\n')
  const codex = await person.run('install', 'codex', URL_ARGUMENT, '--print')
  expect(codex.stdout).toBe(
    `[mcp_servers.example]\ncommand = "npx"\nargs = ["-y", "${OURS}", "${URL_ARGUMENT}"]\nstartup_timeout_sec = 60\n`,
  )
  expect(codex.stderr).toContain(`codex mcp add example -- npx -y ${OURS} ${URL_ARGUMENT}`)
  expect(existsSync(person.file('.codex'))).toBe(false)
})

describe('Claude Code has a command of its own', () => {
  /** A `claude` on the PATH: what it does is the test's business. */
  function withClaude(script: string) {
    const bin = mkdtempSync(join(tmpdir(), 'bridge-claude-'))
    onTestFinished(() => rmSync(bin, { recursive: true, force: true }))
    writeFileSync(join(bin, 'claude'), `#!/bin/sh\n${script}\n`)
    chmodSync(join(bin, 'claude'), 0o755)
    return startPerson({ PATH: `${bin}:${process.env['PATH']}` })
  }

  const ADD = `echo "$@" > "$HOME/called"
printf '{"mcpServers":{"%s":%s},"other":1}' "$5" "$6" > "$HOME/.claude.json"`

  test('which is used, and looked after', async () => {
    const person = withClaude(ADD)
    expect(await person.run('install', 'claude-code', URL_ARGUMENT)).toMatchObject({ code: 0 })
    expect(person.read('called')).toMatch(/^mcp add-json --scope user example /)
    expect(JSON.parse(person.read('.claude.json'))).toMatchObject({ other: 1 })
    expect(await person.run('uninstall', 'claude-code', 'example')).toMatchObject({ code: 0 })
    expect(JSON.parse(person.read('.claude.json'))).toEqual({ mcpServers: {}, other: 1 })
  })

  test.each([
    ['fails', 'exit 1', []],
    ['does nothing', 'exit 0', []],
    ['would have a secret among its words', ADD, ['--header', 'Authorization: Bearer s3cret']],
  ])('and when it %s, the file is edited', async (_, script, args) => {
    const person = withClaude(script)
    const { code } = await person.run('install', 'claude-code', URL_ARGUMENT, ...args)
    expect(code).toBe(0)
    expect(existsSync(person.file('called'))).toBe(false)
    const { mcpServers } = JSON.parse(person.read('.claude.json')) as { mcpServers: object }
    expect(mcpServers).toHaveProperty('example')
  })
})
