import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { withPending } from '../../src/auth/ledger.ts'
import { isOlder } from '../../src/doctor/runtime.ts'
import type { Machine } from '../../src/doctor/machine.ts'
import { readHostFile } from '../../src/hosts/file.ts'
import { createLog } from '../../src/log.ts'
import { openCredentials } from '../../src/store/credentials.ts'
import { startServer } from '../support/http-server.ts'
import { emptyFolder, examine } from './examine.ts'

/** A folder for PATH with programs that only say a version. */
function programs(versions: Readonly<Record<string, string>>): string {
  const folder = emptyFolder()
  for (const [name, version] of Object.entries(versions)) {
    writeFileSync(join(folder, name), `#!/bin/sh\necho ${version}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  return folder
}

/** A machine of another system that has these files of hosts only. */
function withFiles(files: Readonly<Record<string, string>>): Partial<Machine> {
  const folder = emptyFolder()
  const names = (above: string): string[] =>
    Object.keys(files)
      .filter((file) => file.startsWith(`${above}\\`))
      .map((file) => file.slice(above.length + 1).split('\\')[0]!)
  const hostFile = async (path: string) => {
    const place = join(folder, path.replaceAll(/\W/g, '-'))
    if (files[path] !== undefined) writeFileSync(place, files[path])
    return { ...(await readHostFile(place)), path }
  }
  return { hostFile, list: names }
}

test.each([
  [{ node: 'v16.20.2', npx: '8' }, 'fail', 'node_too_old'],
  [{ node: 'v20.18.0', npx: '8' }, 'fail', 'node_too_old'],
  [{ node: 'nonsense', npx: '8' }, 'fail', 'node_too_old'],
  [{ node: 'v20.18.1' }, 'warn', 'npx_missing'],
  [{ npx: '8' }, 'warn', 'node_missing'],
  [{ node: 'v22.1.0', npx: '8' }, 'ok', 'ok'],
])('PATH with %j: %s', async (versions, level, code) => {
  const found = await examine(undefined, { env: { PATH: programs(versions) } })
  expect(found['node-in-path']).toMatchObject({ level, code })
  const { fix = '' } = found['node-in-path']!
  expect(fix.includes(process.execPath)).toBe(level !== 'ok')
})

test('the oldest Node of nvm comes first under Claude Desktop on macOS', async () => {
  const PATH = programs({ node: 'v22.1.0', npx: '8' })
  const list = (folder: string): string[] =>
    folder === '/Users/ada/.nvm/versions/node' ? ['v22.1.0', 'v14.17.0'] : []
  const machine = { platform: 'darwin', home: '/Users/ada', list } as const
  const found = await examine(undefined, { env: { PATH }, machine })
  expect(found['node-in-path']).toMatchObject({
    code: 'node_too_old_in_nvm',
    fix: 'nvm uninstall v14.17.0',
  })
})

test.each([
  ['20.18.0', true],
  ['20.18.1', false],
  ['9.99.99', true],
  ['22.0.0', false],
])('%s before 20.18.1: %s', (version, older) => {
  expect(isOlder(version, '20.18.1')).toBe(older)
})

test('folders: a file in the place of one, others who may write, another owner', async () => {
  const file = emptyFolder()
  writeFileSync(join(file, 'data'), '')
  expect((await examine(undefined, { home: file }))['folders']).toMatchObject({
    level: 'fail',
    code: 'folder_unusable',
  })
  const open = emptyFolder()
  mkdirSync(join(open, 'data'))
  chmodSync(join(open, 'data'), 0o777)
  const found = (await examine(undefined, { home: open }))['folders']
  expect(found).toMatchObject({ level: 'warn', code: 'folder_open_to_others' })
  expect(found!.fix).toBe(`chmod 700 "${join(open, 'data')}"`)
  if (process.getuid?.() !== 0) return
  chownSync(join(open, 'data'), 12_345, 12_345)
  expect((await examine(undefined, { home: open }))['folders']).toMatchObject({
    level: 'fail',
    code: 'folder_foreign',
  })
})

/** A folder that this process may not write to, whoever it is. */
function lockedFolder(): string {
  const ours = emptyFolder()
  chmodSync(ours, 0o500)
  // Modes mean nothing to root, a file system that is mounted read-only does.
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n')
  const readOnly = mounts
    .map((line) => line.split(' '))
    .filter(([, , , options = '']) => options.split(',').includes('ro'))
    .map(([, place = '']) => place)
  return [ours, ...readOnly].find((folder) => !canWrite(folder))!
}

function canWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}

test('a folder that cannot be made', async () => {
  const above = lockedFolder()
  const found = (await examine(undefined, { home: join(above, 'bridge') }))['folders']
  expect(found).toMatchObject({
    level: 'fail',
    code: 'folder_not_writable',
    fix: `chmod u+rwx "${above}"`,
  })
})

test('a check that breaks is a finding, and the others go on', async () => {
  const isFile = (): never => {
    throw new Error('EIO: i/o error')
  }
  const found = await examine(undefined, { machine: { isFile } })
  expect(found['node-in-path']).toMatchObject({
    level: 'fail',
    code: 'unexpected',
    seen: 'this check broke: EIO: i/o error',
  })
  expect(found['folders']).toMatchObject({ level: 'ok' })
})

test('a sign-in that nobody has completed', async () => {
  const home = emptyFolder()
  const server = new URL('https://mcp.example/mcp')
  const credentials = openCredentials(
    join(home, 'data', 'credentials'),
    { server, resource: undefined, profile: 'default' },
    createLog(process.stderr),
    new AbortController().signal,
  )
  const issuer = 'https://as.example'
  const client = { clientId: 'id', authMethod: 'none', redirectUris: [] }
  const pending = {
    id: 'one',
    kind: 'code',
    startedAt: Date.now(),
    issuer,
    published: true,
    client,
    registered: true,
    link: `${issuer}/authorize`,
    state: 's',
    verifier: 'v',
    redirectUri: 'http://127.0.0.1:20000/callback',
  } as const
  await credentials.exclusive(({ record, save }) =>
    save(withPending(record, { issuer, token_endpoint: `${issuer}/token` } as never, pending)),
  )
  expect((await examine(undefined, { home }))['records']).toMatchObject({
    level: 'warn',
    code: 'sign_in_unfinished',
    fix: 'bridge login https://mcp.example/mcp',
  })
})

test('a stored sign-in that cannot be read', async () => {
  const home = emptyFolder()
  const folder = join(home, 'data', 'credentials')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, `${'a'.repeat(32)}.json`)
  writeFileSync(file, '{"accessToken":"sentinel"', { mode: 0o600 })
  const found = (await examine(undefined, { home }))['records']
  expect(found).toMatchObject({ level: 'fail', code: 'record_unreadable' })
  expect(found!.fix).toBe(`mv "${file}" "${file}.damaged"`)
  expect(JSON.stringify(found)).not.toContain('sentinel')
})

test.each([
  ['no display', {}, 'no_display'],
  ['SSH', { SSH_CONNECTION: '198.51.100.4 1 192.0.2.7 22' }, 'no_display'],
  ['a display, and nothing to open browsers with', { DISPLAY: ':0' }, 'no_browser'],
])('a browser with %s', async (_what, env, code) => {
  const machine = { platform: 'linux', read: () => undefined } as const
  const found = await examine(undefined, { env: { PATH: emptyFolder(), ...env }, machine })
  expect(found['browser']).toMatchObject({ level: 'warn', code })
  expect(found['browser']!.fix).toBe('bridge login <server_url> --paste')
})

test('the port of the sign-in is busy, and the next one helps', async () => {
  const { origin } = await startServer((_request, response) => void response.end())
  const { port } = new URL(origin)
  const url = `${origin}/mcp`
  const found = (await examine(url, { args: ['--callback-port', port] }))['callback-port']
  expect(found).toMatchObject({
    level: 'fail',
    code: 'port_busy',
    fix: `Add to the arguments: --callback-port ${Number(port) + 1}`,
  })
  const free = (await examine(url))['callback-port']
  expect(free).toMatchObject({ level: 'ok' })
  // The usual port of this server has an owner now, as it would have with another bridge.
  const usual = Number(/:(\d+) is free/.exec(free!.seen)![1])
  const owner = createServer().listen(usual, '127.0.0.1')
  onTestFinished(() => void owner.close())
  await once(owner, 'listening')
  expect((await examine(url))['callback-port']).toMatchObject({
    level: 'warn',
    code: 'port_taken',
    fix: `Add to the arguments: --callback-port ${usual + 1}`,
  })
})

test('variables that hosts leave out, without the password of the proxy', async () => {
  const env = { HTTPS_PROXY: 'http://ada:sentinel@proxy:1', XDG_DATA_HOME: '/data' }
  const found = (await examine(undefined, { env }))['environment']
  expect(found).toMatchObject({ level: 'warn', code: 'environment_dropped' })
  expect(JSON.parse(found!.fix!.replace('"env": ', ''))).toMatchObject({
    HTTPS_PROXY: '<as in this terminal>',
    XDG_DATA_HOME: '/data',
  })
})

const PACKAGES = 'C:\\Users\\ada\\AppData\\Local\\Packages'
const IN_PACKAGE = `${PACKAGES}\\Claude_pzs8sxrjxfjjc\\LocalCache\\Roaming\\Claude\\claude_desktop_config.json`
const ROAMING = 'C:\\Users\\ada\\AppData\\Roaming\\Claude\\claude_desktop_config.json'

const config = (...args: string[]): string => configOf('npx', args)

const configOf = (command: string, args: string[], env = {}): string =>
  JSON.stringify({ mcpServers: { docs: { command, args, env } } })

test('Windows: Claude Desktop reads the file in its package, and the other one is a trap', async () => {
  const files = { [IN_PACKAGE]: config(), [ROAMING]: config('-y', 'another-server') }
  const machine = { platform: 'win32', home: 'C:\\Users\\ada', ...withFiles(files) } as const
  const found = (await examine(undefined, { machine }))['hosts']
  expect(found).toMatchObject({
    level: 'warn',
    code: 'msix_twin',
    seen: expect.stringContaining(`reads ${IN_PACKAGE} and not ${ROAMING}`) as string,
    fix: `copy "${ROAMING}" "${IN_PACKAGE}"`,
  })
  const same = withFiles({ [IN_PACKAGE]: config(), [ROAMING]: config() })
  const fine = (await examine(undefined, { machine: { ...machine, ...same } }))['hosts']
  expect(fine).toMatchObject({ level: 'ok' })
})

test.each([
  ['{', 'host_file_broken'],
  [
    config('-y', 'mcp-remote', 'https://x/mcp', '--header', 'Authorization: Bearer s3ntinel'),
    'secret_in_arguments',
  ],
  [
    config('-y', 'mcp-bridge@0.1.0', 'https://x/mcp', '--header=X-Api-Key:s3ntinel'),
    'secret_in_arguments',
  ],
  [config('-y', 'mcp-bridge@0.1.0', 'https://x/mcp?api_key=s3ntinel'), 'secret_in_arguments'],
  [config('-y', 'mcp-bridge@0.1.0', 'https://u:s3ntinel@x/mcp'), 'secret_in_arguments'],
  [
    config('mcp-remote', 'https://x', '--static-oauth-client-info', '{"client_secret":"s3ntinel"}'),
    'secret_in_arguments',
  ],
  [
    config('-y', 'mcp-bridge@0.1.0', 'https://x/mcp', '--header', 'X-Team: blue'),
    'space_in_arguments',
  ],
  [config('-y', 'mcp-remote@latest', 'https://x/mcp'), 'mcp_remote_entry'],
  [config('-y', 'mcp-bridge', 'https://x/mcp'), 'not_pinned'],
  [config('-y', 'mcp-bridge@latest', 'https://x/mcp'), 'not_pinned'],
  [
    config('-y', 'mcp-bridge@0.1.0', 'https://x/mcp', '--header', 'Authorization:${TOKEN}'),
    'variable_missing',
  ],
  [
    configOf('npx', ['-y', 'mcp-bridge@0.1.0', 'https://x', '--header', 'Authorization:${TOKEN}'], {
      TOKEN: 's3ntinel',
    }),
    'ok',
  ],
  [config('-y', 'mcp-bridge@0.0.1', 'https://x/mcp'), 'entry_outdated'],
  [configOf('/nowhere/bin/node', ['/x/bin/bridge.cjs', 'https://x/mcp']), 'program_missing'],
  [configOf('sh', ['-c', 'exec mcp-remote https://x/mcp']), 'entry_not_understood'],
  [config('-y', 'another-server', '--header', 'Authorization: s3ntinel'), 'ok'],
])('a host with %s: %s', async (text, code) => {
  const home = emptyFolder()
  mkdirSync(join(home, '.cursor'))
  writeFileSync(join(home, '.cursor', 'mcp.json'), text)
  const found = (await examine(undefined, { home }))['hosts']
  expect(found).toMatchObject({ code })
  expect(JSON.stringify(found)).not.toContain('s3ntinel')
})

test('an old Node in an entry', async () => {
  const home = emptyFolder()
  const node = join(home, 'node', 'v18.20.0', 'bin')
  mkdirSync(node, { recursive: true })
  writeFileSync(join(node, 'node'), '')
  mkdirSync(join(home, '.cursor'))
  const text = configOf(join(node, 'node'), ['/x/bin/bridge.cjs', 'https://x/mcp'])
  writeFileSync(join(home, '.cursor', 'mcp.json'), text)
  const found = (await examine(undefined, { home }))['hosts']
  expect(found).toMatchObject({ level: 'fail', code: 'node_too_old_in_entry' })
})

test('npx without cmd on Windows', async () => {
  const file = 'C:\\Users\\ada\\.cursor\\mcp.json'
  const files = { [file]: config('-y', 'mcp-bridge@0.1.0', 'https://x/mcp') }
  const machine = { platform: 'win32', home: 'C:\\Users\\ada', ...withFiles(files) } as const
  const found = (await examine(undefined, { machine }))['hosts']
  expect(found).toMatchObject({ level: 'warn', code: 'npx_without_cmd' })
})

test('every host is looked at, the projects of Claude Code and the project at hand included', async () => {
  const home = emptyFolder()
  const entry = { command: 'npx', args: ['-y', 'mcp-bridge@0.1.0', 'https://x'] }
  const server = { mcpServers: { docs: entry } }
  writeFileSync(join(home, '.claude.json'), JSON.stringify({ projects: { '/srv': server } }))
  mkdirSync(join(home, '.codex'))
  const toml =
    '[mcp_servers.docs]\ncommand = "npx"\nargs = ["-y", "mcp-bridge@0.1.0", "https://x"]\n'
  writeFileSync(join(home, '.codex', 'config.toml'), toml)
  const cwd = emptyFolder()
  writeFileSync(join(cwd, '.mcp.json'), JSON.stringify(server))
  const found = (await examine(undefined, { home, machine: { cwd } }))['hosts']
  expect(found).toMatchObject({
    level: 'ok',
    seen: 'Claude Code, "docs", Claude Code (this project), "docs", Codex CLI, "docs"',
  })
})
