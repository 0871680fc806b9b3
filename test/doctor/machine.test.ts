import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isOlder } from '../../src/doctor/runtime.ts'
import type { Machine } from '../../src/doctor/machine.ts'
import { readHostFiles } from '../../src/doctor/host-files.ts'
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

/** A machine that has these files only. */
function withFiles(files: Readonly<Record<string, string>>): Partial<Machine> {
  const names = (folder: string): string[] =>
    Object.keys(files)
      .filter((file) => file.startsWith(`${folder}\\`))
      .map((file) => file.slice(folder.length + 1).split('\\')[0]!)
  return { read: (path) => files[path], list: names }
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
  expect((await examine(url))['callback-port']).toMatchObject({ level: 'ok' })
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

const config = (...args: string[]): string =>
  JSON.stringify({ mcpServers: { docs: { command: 'npx', args } } })

test('Windows: Claude Desktop reads the file in its package, and the other one is a trap', async () => {
  const files = { [IN_PACKAGE]: config(), [ROAMING]: config('-y', 'mcp-bridge@0.1.0', 'https://x') }
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
  [config('-y', 'mcp-bridge@0.1.0', 'https://x/mcp', '--header', 'Authorization:${TOKEN}'), 'ok'],
  [config('-y', 'another-server', '--header', 'Authorization: s3ntinel'), 'ok'],
])('a host with %s: %s', async (text, code) => {
  const home = emptyFolder()
  mkdirSync(join(home, '.cursor'))
  writeFileSync(join(home, '.cursor', 'mcp.json'), text)
  const found = (await examine(undefined, { home }))['hosts']
  expect(found).toMatchObject({ code })
  expect(JSON.stringify(found)).not.toContain('s3ntinel')
})

test('the projects of Claude Code have servers of their own', () => {
  const entry = { command: 'npx', args: ['-y', 'mcp-remote', 'https://x'] }
  const text = JSON.stringify({ projects: { '/srv/docs': { mcpServers: { docs: entry } } } })
  const read = (path: string): string | undefined =>
    path === '/home/ada/.claude.json' ? text : undefined
  const machine = { platform: 'linux', home: '/home/ada', env: {}, read, list: () => [] } as never
  expect(readHostFiles(machine).entries).toMatchObject([{ host: 'Claude Code', name: 'docs' }])
})
