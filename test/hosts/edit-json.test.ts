import { describe, expect, test } from 'vitest'
import { planChange } from '../../src/hosts/change.ts'
import { jsonEditor } from '../../src/hosts/edit-json.ts'
import type { HostFile } from '../../src/hosts/file.ts'
import { HOSTS } from '../../src/hosts/table.ts'

const cursor = HOSTS.find(({ id }) => id === 'cursor')!
const path = ['mcpServers', 'new']
const members = { command: 'npx', args: ['-y', 'x'] }

/** A file with this text. */
const holding = (text: string): HostFile => ({
  path: 'mcp.json',
  target: 'mcp.json',
  text,
  bom: false,
  seen: undefined,
})

/** The entry as it is written at an indentation. */
const entry = (indent: string, eol = '\n'): string =>
  ['"new": {', '  "command": "npx",', '  "args": [', '    "-y",', '    "x"', '  ]', '}'].join(
    `${eol}${indent}`,
  )

describe('an entry is put behind what is there', () => {
  test.each([
    ['nothing', '', `{\n  "mcpServers": {\n    ${entry('    ')}\n  }\n}\n`],
    ['an empty object', '{}', `{\n  "mcpServers": {\n    ${entry('    ')}\n  }\n}`],
    [
      'an empty table',
      '{\n  "mcpServers": {}\n}\n',
      `{\n  "mcpServers": {\n    ${entry('    ')}\n  }\n}\n`,
    ],
    [
      'a table with a comment in it',
      '{\n  "mcpServers": {\n    // none yet\n  }\n}\n',
      `{\n  "mcpServers": {\n    // none yet\n    ${entry('    ')}\n  }\n}\n`,
    ],
    [
      'another entry, with a comment in its line',
      '{\n  "mcpServers": {\n    "a": {} // mine\n  }\n}\n',
      `{\n  "mcpServers": {\n    "a": {}, // mine\n    ${entry('    ')}\n  }\n}\n`,
    ],
    [
      'a comma at the end',
      '{\n  "mcpServers": {\n    "a": {}, // mine\n    // more to come\n  },\n}\n',
      `{\n  "mcpServers": {\n    "a": {}, // mine\n    ${entry('    ')},\n    // more to come\n  },\n}\n`,
    ],
    [
      'lines that end in CR LF',
      '{\r\n  "mcpServers": {\r\n    "a": {}\r\n  }\r\n}\r\n',
      `{\r\n  "mcpServers": {\r\n    "a": {},\r\n    ${entry('    ', '\r\n')}\r\n  }\r\n}\r\n`,
    ],
    [
      'tabs',
      '{\n\t"mcpServers": {\n\t\t"a": {}\n\t}\n}\n',
      `{\n\t"mcpServers": {\n\t\t"a": {},\n\t\t${entry('\t\t').replaceAll('  ', '\t')}\n\t}\n}\n`,
    ],
    [
      'one line',
      '{"mcpServers":{"a":{}}}',
      '{"mcpServers":{"a":{}, "new": { "command": "npx", "args": ["-y", "x"] }}}',
    ],
    [
      'one line without the table',
      '{"a":1}',
      '{"a":1, "mcpServers": { "new": { "command": "npx", "args": ["-y", "x"] } }}',
    ],
    [
      'a line comment before the end of one line',
      '{"mcpServers":{"a":{} // mine\n}}',
      '{"mcpServers":{"a":{}, // mine\n  "new": { "command": "npx", "args": ["-y", "x"] }\n}}',
    ],
    [
      'comments alone',
      '// settings\n',
      `// settings\n{\n  "mcpServers": {\n    ${entry('    ')}\n  }\n}\n`,
    ],
  ])('%s', (_, before, after) => {
    expect(planChange(cursor, holding(before), [{ path, members }]).text).toBe(after)
  })
})

test('the members of an entry that are not ours stay where they are, with their comments', () => {
  const before = `{
  "mcpServers": {
    "new": {
      "disabled": true, // for now
      "command": "old", /* was */
      "args": ["a"],
      "env": { "A": "B" } // gone
    }
  }
}`
  const edit = { path, members: { ...members, env: undefined } }
  expect(planChange(cursor, holding(before), [edit]).text).toBe(`{
  "mcpServers": {
    "new": {
      "disabled": true, // for now
      "command": "npx", /* was */
      "args": ["-y", "x"] // gone
    }
  }
}`)
})

describe('what is no valid text is refused, with its place', () => {
  test.each([
    ['{\n  "mcpServers": {\n    "a": {}\n    "b": {}\n  }\n}', 'mcp.json:4:5: comma expected.'],
    ['{ "a": 1 ', 'mcp.json:1:10: close brace expected.'],
    ['{ "a": nope }', 'mcp.json:1:8: invalid symbol.'],
  ])('%s', (text, message) => {
    expect(() => planChange(cursor, holding(text), [{ path, members }])).toThrow(message)
  })

  test('comments and trailing commas where the host takes none', () => {
    const strict = jsonEditor('mcp.json', true)
    expect(() => strict.read('{ "a": 1, }')).toThrow('mcp.json:1:11')
    expect(() => strict.read('{ // a\n}')).toThrow('mcp.json:1:3: invalid comment token.')
  })

  test.each(['{"mcpServers": []}', '{"mcpServers": 1}', '[]'])('%s has no place for it', (text) => {
    expect(() => planChange(cursor, holding(text), [{ path, members }])).toThrow('is not an object')
  })
})
