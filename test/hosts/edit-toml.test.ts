import { describe, expect, test } from 'vitest'
import { planChange } from '../../src/hosts/change.ts'
import { tomlEditor } from '../../src/hosts/edit-toml.ts'
import { HOSTS } from '../../src/hosts/table.ts'

const codex = HOSTS.find(({ id }) => id === 'codex')!
const editor = tomlEditor('config.toml')
const path = ['mcp_servers', 'new']
const members = { command: 'npx', args: ['-y', 'x'], env: { A: 'b "c"' } }
const BLOCK = String.raw`[mcp_servers.new]
command = "npx"
args = ["-y", "x"]
env = { A = "b \"c\"" }
`

/** The text with the change made. */
const changed = (text: string, now: typeof members | undefined, at = path): string => {
  const file = { path: 'config.toml', target: 'config.toml', text, bom: false, seen: undefined }
  return planChange(codex, file, [{ path: at, members: now }]).text
}

describe('an entry is a table at the end', () => {
  test.each([
    ['nothing', '', BLOCK],
    ['other settings', 'model = "o" # mine\n', `model = "o" # mine\n\n${BLOCK}`],
    ['no line break at the end', 'a = 1', `a = 1\n\n${BLOCK}`],
    ['lines that end in CR LF', 'a = 1\r\n', `a = 1\r\n\r\n${BLOCK.replaceAll('\n', '\r\n')}`],
    [
      'other servers, and their tables below',
      '[mcp_servers.old]\ncommand = "x"\n[mcp_servers.old.env]\nA = "1"\n',
      `[mcp_servers.old]\ncommand = "x"\n[mcp_servers.old.env]\nA = "1"\n\n${BLOCK}`,
    ],
  ])('%s', (_, before, after) => {
    expect(changed(before, members)).toBe(after)
    expect(changed(after, members)).toBe(after)
  })
})

const LIVED_IN = `# Codex
model = "o" # the good one
notify = [
  "a", # ]
  '''b
[mcp_servers.fake]
''',
]

# the server
[mcp_servers.new] # here
command = "old"
# what it gets
args = [
  "a",
  "[x]", # "
]
tool_timeout_sec = 120
[mcp_servers.new.env]
A = "1"

# another one
[mcp_servers."the other"]
command = """
x"""
`

test('what else is in an entry stays, and every comment', () => {
  expect(changed(LIVED_IN, members)).toBe(String.raw`# Codex
model = "o" # the good one
notify = [
  "a", # ]
  '''b
[mcp_servers.fake]
''',
]

# the server
[mcp_servers.new] # here
env = { A = "b \"c\"" }
command = "npx"
# what it gets
args = ["-y", "x"]
tool_timeout_sec = 120

# another one
[mcp_servers."the other"]
command = """
x"""
`)
})

test('an entry is taken out with the tables below it, and nothing else', () => {
  expect(changed(LIVED_IN, undefined)).toBe(
    LIVED_IN.replace(/\[mcp_servers\.new\][^]*?A = "1"\n/, '')
      .replace('# what it gets\n', '')
      .replace('# the server\n', '# the server\n# what it gets\n'),
  )
  expect(changed(LIVED_IN, undefined, ['mcp_servers', 'the other'])).not.toContain('the other')
})

test('its text can be put back where another one stands now', () => {
  const source = editor.source(LIVED_IN, path)!
  const now = changed(LIVED_IN, members)
  const restored = editor.restore(now, path, source)
  expect(editor.read(restored)).toEqual(editor.read(LIVED_IN))
})

describe('forms that are not edited are refused, and left as they are', () => {
  test.each([
    ['an inline table', 'mcp_servers = { new = { command = "x" } }\n'],
    ['an inline entry', '[mcp_servers]\nnew = { command = "x" }\n'],
    ['dotted names', 'mcp_servers.new.command = "x"\n'],
    ['a closed table', 'mcp_servers = {}\n'],
    ['a string', 'mcp_servers = "x"\n'],
  ])('%s', (_, text) => {
    expect(() => changed(text, members)).toThrow(/^config\.toml/)
  })
})

test('what is no TOML is refused, with its place', () => {
  expect(() => changed('a = 1\nb = \n', members)).toThrow(/^config\.toml:2:\d+: /)
})
