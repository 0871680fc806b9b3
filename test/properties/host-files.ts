import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { planChange } from '../../src/hosts/change.ts'
import { jsonEditor } from '../../src/hosts/edit-json.ts'
import { tomlEditor } from '../../src/hosts/edit-toml.ts'
import type { HostFile } from '../../src/hosts/file.ts'
import { at } from '../../src/hosts/json-value.ts'
import type { Host } from '../../src/hosts/record.ts'
import { HOSTS } from '../../src/hosts/table.ts'
import type { Property, Tally } from './property.ts'

const hostOf = (wanted: string): Host => HOSTS.find(({ id }) => id === wanted)!

/** A file with this text. */
const holding = (path: string, text: string): HostFile => ({
  path,
  target: path,
  text,
  bom: false,
  seen: undefined,
})

const cursor = hostOf('cursor')
const editor = jsonEditor('mcp.json', false)
const path = ['mcpServers', 'new']
const members = { command: 'npx', args: ['-y', 'x'] }

/** The text with the entry put in or taken out. */
const changed = (text: string, now: object | undefined): string =>
  planChange(cursor, holding('mcp.json', text), [{ path, members: now as typeof members }]).text

/** Random JSON with comments and white space wherever they may be. */
const gap = fc.constantFrom('', '', ' ', '\n', '\n  ', '\r\n\t', ' /* c */ ', ' // c\n', '\n\n')
const scalar = fc.oneof(
  fc.string().map((text) => JSON.stringify(text)),
  fc.constantFrom('1', '-0', '1e400', '12345678901234567890', 'true', 'null', '"a,}"', '"//"'),
)
const name = fc.oneof(fc.constantFrom('a', 'b', '__proto__', 'é "', ''), fc.string())

/** An object from the texts of its values. */
function object(values: fc.Arbitrary<string>, names = name): fc.Arbitrary<string> {
  const member = fc.tuple(gap, names, gap, gap, values, gap)
  const options = { maxLength: 4, selector: ([, key]: [string, string, ...string[]]) => key }
  return fc
    .tuple(fc.uniqueArray(member, options), gap, fc.boolean())
    .map(([all, end, trailing]) => {
      const texts = all.map(
        ([one, key, two, three, value, four]) =>
          `${one}${JSON.stringify(key)}${two}:${three}${value}${four}`,
      )
      return `{${texts.join(',')}${trailing && texts.length > 0 ? ',' : ''}${end}}`
    })
}

const value = fc.oneof(scalar, object(scalar), object(object(scalar)))
const servers = object(
  value,
  name.filter((key) => key !== 'new'),
)
const documents = fc
  .tuple(
    gap,
    object(
      value,
      name.filter((key) => key !== 'mcpServers'),
    ),
    servers,
    fc.boolean(),
    gap,
  )
  .map(([before, rest, table, last, after]) => {
    const inner = rest.slice(1, -1)
    const key = `\n  "mcpServers": ${table}`
    const empty = !/[^\s]/.test(inner.replaceAll(/\/\*.*?\*\/|\/\/.*\n/g, ''))
    const comma = /,\s*$/.test(inner.replaceAll(/\/\*[^"]*?\*\/|\/\/[^"]*?\n/g, '')) || empty
    const whole = last
      ? `{${inner}${comma ? '' : ','}${key}}`
      : `{${key}${empty ? '' : ','}${inner}}`
    return `${before}${whole}${after}`
  })
  .filter((text) => {
    try {
      editor.read(text)
      return true
    } catch {
      return false
    }
  })

const untouched: Tally = { what: 'documents with other servers', atLeast: 0.2, count: 0 }

export const jsonPut: Property = {
  name: 'host files: an entry put into JSON and taken out again leaves every byte as it was',
  runs: 200,
  tally: untouched,
  property: fc.property(documents, (text) => {
    const put = changed(text, members)
    assert.equal(changed(put, members), put)
    // planChange itself compares everything else; what is left to say is about the bytes.
    const back = changed(put, undefined)
    // How the inside of an empty table looked, only the journal knows.
    const table = at(editor.read(text), ['mcpServers'])
    if (Object.keys(table as object).length === 0) return
    untouched.count++
    assert.equal(back, text)
  }),
}

const entries = object(value, fc.constantFrom('command', 'args', 'env', 'disabled', 'a'))

export const jsonRestored: Property = {
  name: 'host files: a JSON entry that was changed is put back, byte for byte',
  runs: 100,
  property: fc.property(documents, entries, (text, old) => {
    const before = editor.restore(editor.put(text, path, {}), path, old)
    const after = editor.put(before, path, { ...members, env: undefined })
    assert.equal(editor.restore(after, path, editor.source(before, path)!), before)
  }),
}

const codex = hostOf('codex')
const tomlPath = ['mcp_servers', 'new']
const tomlMembers = { ...members, env: { A: 'b "c"' } }
const toml = tomlEditor('config.toml')

const tomlChanged = (text: string, now: typeof tomlMembers | undefined): string =>
  planChange(codex, holding('config.toml', text), [{ path: tomlPath, members: now }]).text

const bare = fc.constantFrom('a', 'b-1', '"é \\" ]"', "'[x]'", 'mcp')
const tomlValue = fc.constantFrom(
  '1',
  '"x # y"',
  "'[a]'",
  '[1, [2, "]"]]',
  '[\n  "a", # [b]\n\n]',
  '"""\n[c]\n\\""" """',
  "'''d'''''",
  '{ x = 1, y = "}" }',
  '1979-05-27T07:32:00Z',
  '9223372036854775807',
)
const comment = fc.constantFrom('', '# [note]\n', '\n', '\n\n# a\n')
const pairs = fc
  .uniqueArray(fc.tuple(bare, tomlValue, comment), { maxLength: 3, selector: ([key]) => key })
  .map((all) => all.map(([key, text, after]) => `${key} = ${text}\n${after}`).join(''))
const tomlDocuments = fc
  .tuple(
    comment,
    pairs,
    fc.uniqueArray(
      fc.tuple(fc.constantFrom('x', 'y.z', 'mcp_servers.old', 'mcp_servers.old.env'), pairs),
      {
        maxLength: 4,
        selector: ([key]) => key,
      },
    ),
    fc.constantFrom('\n', '\r\n'),
  )
  .map(([first, root, tables, eol]) => {
    const blocks = tables.map(([key, inside]) => `[${key}]\n${inside}`)
    return `${first}${root}${blocks.join('')}`.replaceAll('\n', eol)
  })

export const tomlPut: Property = {
  name: 'host files: an entry put into TOML and taken out again leaves every byte as it was',
  runs: 200,
  property: fc.property(tomlDocuments, (text) => {
    const put = tomlChanged(text, tomlMembers)
    assert.equal(tomlChanged(put, tomlMembers), put)
    assert.equal(tomlChanged(put, undefined), text)
  }),
}

const names = fc.constantFrom('command', 'args', 'env', 'enabled')
const lines = fc
  .uniqueArray(fc.tuple(names, tomlValue, comment), { maxLength: 4, selector: ([key]) => key })
  .map((all) => all.map(([key, text, after]) => `${key} = ${text}\n${after}`).join(''))

export const tomlRestored: Property = {
  name: 'host files: a TOML entry that was changed is put back, and means what it did',
  runs: 100,
  property: fc.property(tomlDocuments, lines, pairs, (first, entry, rest) => {
    const before = `${first}[mcp_servers.new]\n${entry}[more]\n${rest}`
    const after = toml.put(before, tomlPath, tomlMembers)
    const restored = toml.restore(after, tomlPath, toml.source(before, tomlPath)!)
    assert.deepEqual(toml.read(restored), toml.read(before))
  }),
}
