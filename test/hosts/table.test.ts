import { describe, expect, test } from 'vitest'
import { fileToEdit, hostsFound } from '../../src/hosts/entries.ts'
import { membersOf, snippet } from '../../src/hosts/install.ts'
import { PRINTED_HOSTS } from '../../src/hosts/printed.ts'
import type { Scope, System } from '../../src/hosts/record.ts'
import { HOSTS } from '../../src/hosts/table.ts'

const SYSTEMS: Readonly<Record<'linux' | 'darwin' | 'win32', System>> = {
  linux: { platform: 'linux', home: '/home/ada', cwd: '/p', env: {}, namesIn: () => [] },
  darwin: { platform: 'darwin', home: '/Users/ada', cwd: '/p', env: {}, namesIn: () => [] },
  win32: {
    platform: 'win32',
    home: String.raw`C:\Users\ada`,
    cwd: String.raw`D:\p`,
    env: {
      APPDATA: String.raw`C:\Users\ada\AppData\Roaming`,
      LOCALAPPDATA: String.raw`C:\Users\ada\AppData\Local`,
    },
    namesIn: () => [],
  },
}

const LAUNCH = {
  command: 'npx',
  args: ['-y', 'mcp-bridge@1.2.3', 'https://x.example/mcp'],
  env: {},
}
const WITH_ENV = { ...LAUNCH, env: { KEY: 'value' } }

describe.each(Object.entries(SYSTEMS))('on %s', (_, system) => {
  test('every host has its file', () => {
    const scopes: readonly Scope[] = ['user', 'project']
    const files = HOSTS.map(({ id, files: places }) => [
      id,
      ...scopes.map((scope) => places[scope]?.(system) ?? []),
    ])
    expect(files).toMatchSnapshot()
  })
})

test('on Windows the file of the packaged Claude Desktop comes first, also before it is there', () => {
  const packages = String.raw`C:\Users\ada\AppData\Local\Packages`
  const system: System = {
    ...SYSTEMS.win32,
    namesIn: (folder) => (folder === packages ? ['Claude_pzs8sxrjxfjjc', 'Other_1'] : []),
  }
  const desktop = HOSTS.find(({ id }) => id === 'claude-desktop')!
  const twin = String.raw`C:\Users\ada\AppData\Roaming\Claude\claude_desktop_config.json`
  const packaged = String.raw`${packages}\Claude_pzs8sxrjxfjjc\LocalCache\Roaming\Claude\claude_desktop_config.json`
  expect(desktop.files.user!(system)).toEqual([packaged, twin])
  expect(fileToEdit(desktop, 'user', system)).toBe(packaged)
  expect(fileToEdit(desktop, 'user', SYSTEMS.win32)).toBe(twin)
})

test.each([
  ['codex', 'CODEX_HOME', '/c', '/c/config.toml'],
  ['copilot', 'COPILOT_HOME', '/c', '/c/mcp-config.json'],
  ['claude-code', 'CLAUDE_CONFIG_DIR', '/c', '/c/.claude.json'],
  ['cline', 'CLINE_MCP_SETTINGS_PATH', '/c/x.json', '/c/x.json'],
  ['zed', 'XDG_CONFIG_HOME', '/c', '/c/zed/settings.json'],
  ['vscode', 'XDG_CONFIG_HOME', '/c', '/c/Code/User/mcp.json'],
])('%s: %s moves the file', (id, variable, value, file) => {
  const system = { ...SYSTEMS.linux, env: { [variable]: value } }
  expect(HOSTS.find((host) => host.id === id)!.files.user!(system)[0]).toBe(file)
})

describe.each([...HOSTS])('$id', (host) => {
  test('what is written is read back', () => {
    const entry = JSON.parse(JSON.stringify(membersOf(host, WITH_ENV))) as never
    expect(host.shape.read(entry)).toEqual(WITH_ENV)
  })

  test('entries that start nothing are none', () => {
    expect(host.shape.read({ type: 'http', url: 'https://x.example/mcp' })).toBeUndefined()
    expect(host.shape.read({ command: 1, args: 2 })).toBeUndefined()
    expect(host.shape.read(null)).toBeUndefined()
  })
})

test.each([...HOSTS, ...PRINTED_HOSTS].map((host) => [host.id, host] as const))(
  '%s: the file with one entry',
  (_, host) => {
    expect(snippet(host, 'example', WITH_ENV)).toMatchSnapshot()
  },
)

test('ids are unique, and no host is both edited and printed', () => {
  const ids = [...HOSTS, ...PRINTED_HOSTS].map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
})

test('a host is found by its file or its folder, not by the home folder alone', () => {
  const { linux } = SYSTEMS
  const found = (...paths: string[]): string[] =>
    hostsFound(linux, (path) => paths.includes(path)).map(({ id }) => id)
  expect(found('/home/ada')).toEqual([])
  expect(found('/home/ada', '/home/ada/.claude.json', '/home/ada/.codex')).toEqual([
    'claude-code',
    'codex',
  ])
})
