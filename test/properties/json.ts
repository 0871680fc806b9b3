import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import {
  createFrameReader,
  type Frame,
  type FrameKind,
  readFrame,
  withId,
  withResult,
} from '../../src/frame.ts'
import { type Changes, withItems, withMembers, withoutItems } from '../../src/json/edit.ts'
import { items, locate, valueAt } from '../../src/json/locate.ts'
import { createScanner, type Scan, type Span } from '../../src/json/scanner.ts'
import { cuts, damaged, inPieces, isJson, space, strings, texts } from '../support/json-texts.ts'
import type { Property, Tally } from './property.ts'

function scan(text: string | Buffer, lengths: readonly number[]): Scan | undefined {
  const scanner = createScanner()
  for (const piece of inPieces(text, lengths)) scanner.push(piece)
  return scanner.end()
}

const textOf = (frame: Frame): string => Buffer.concat(frame.chunks).toString('utf8')

const broken: Tally = { what: 'texts that are no JSON', atLeast: 0.3, count: 0 }

export const verdict: Property = {
  name: 'json: a damaged text is accepted exactly when JSON.parse accepts it',
  runs: 2000,
  tally: broken,
  property: fc.property(fc.oneof(damaged, texts), cuts, (text, lengths) => {
    const valid = isJson(text)
    if (!valid) broken.count++
    assert.equal(scan(text, lengths) !== undefined, valid)
  }),
}

/** Bytes at which grammars end, and any. */
const byte = fc.oneof(
  fc.constantFrom(0x00, 0x0a, 0x1f, 0x20, 0x22, 0x5c, 0x7f, 0x80, 0xa0, 0xff),
  fc.nat(255),
)
const mutations = fc.array(fc.tuple(fc.nat(), byte), { maxLength: 3 })

export const bytes: Property = {
  name: 'json: any bytes are accepted exactly when JSON.parse accepts them as characters',
  runs: 500,
  property: fc.property(texts, mutations, cuts, (text, edits, lengths) => {
    const source = Buffer.from(text)
    for (const [at, value] of edits) source[at % source.length] = value
    assert.equal(scan(source, lengths) !== undefined, isJson(source.toString('latin1')))
  }),
}

const NAMES = ['id', 'method', 'params', 'result', 'error', 'jsonrpc', 'ids', 'extra'] as const

/** Those of them that are looked at. */
const READ: ReadonlySet<string> = new Set(NAMES.slice(0, 5))

/** A key as JSON may write it: `id`, `\u0069d`, … */
const knownKey = fc
  .tuple(fc.constantFrom(...NAMES), fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }))
  .map(([name, escaped]) => {
    const source = Array.from(name, (character, i) =>
      escaped[i] === true && i % 3 === 0
        ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
        : character,
    )
    return { name: name as string, source: `"${source.join('')}"` }
  })
const foreignKey = strings
  .map((source) => ({ name: JSON.parse(source) as string, source }))
  .filter(({ name }) => !(NAMES as readonly string[]).includes(name))
const member = fc.record({
  key: fc.oneof({ weight: 3, arbitrary: knownKey }, { weight: 1, arbitrary: foreignKey }),
  value: texts,
  spaces: fc.tuple(space, space, space, space),
})
type Member = typeof member extends fc.Arbitrary<infer T> ? T : never

const sourceOf = ({ key: { source }, value, spaces: [a, b, c, d] }: Member): string =>
  a + source + b + ':' + c + value + d
const objectOf = (list: readonly Member[]): string => `{${list.map(sourceOf).join(',')}}`
const members = fc.array(member, { maxLength: 8 })

/** The sources of the members that a message is known by; the last of equal names counts. */
function relevant(list: readonly Member[]): Record<string, string> {
  const found: Record<string, string> = {}
  for (const { key, value } of list) {
    if (READ.has(key.name)) found[key.name] = value
  }
  return found
}

const sources = (text: Buffer, spans: Partial<Record<string, Span>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(spans).map(([name, span]) => [
      name,
      text.toString('utf8', span!.start, span!.end),
    ]),
  )

export const messages: Property = {
  name: 'json: the members of a message, and of each message of a batch, are found where they stand',
  runs: 400,
  property: fc.property(
    fc.oneof(
      members,
      fc.array(fc.oneof(members, texts), { maxLength: 5 }).map((all) => [all]),
    ),
    fc.tuple(space, space),
    cuts,
    (given, [before, after], lengths) => {
      const batch = Array.isArray(given[0])
        ? (given[0] as readonly (string | Member[])[])
        : undefined
      const parts = batch ?? [given as Member[]]
      const written = parts.map((part) => (typeof part === 'string' ? part : objectOf(part)))
      const inner = written.map((text) => before + text + after).join(',')
      const text = Buffer.from(batch === undefined ? inner : `${after}[${inner}]${before}`)
      const found = scan(text, lengths)!
      assert.equal(found.batch, batch !== undefined)
      assert.deepEqual(
        found.messages.map(({ start, end }) => text.toString('utf8', start, end)),
        written,
      )
      found.messages.forEach((spans, i) => {
        const part = parts[i]!
        assert.equal(spans.object, written[i]!.startsWith('{'))
        if (typeof part !== 'string') assert.deepEqual(sources(text, spans.members), relevant(part))
      })
      assert.equal(found.breaks, /[\r\n]/.test(text.toString('utf8')))
    },
  ),
}

/** What a parsed message is (JSON-RPC 2.0; ids of MCP). */
function kindOf(value: unknown): FrameKind {
  if (Array.isArray(value)) return value.length === 0 ? 'invalid' : 'batch'
  if (typeof value !== 'object' || value === null) return 'invalid'
  const has = (name: string): boolean => Object.hasOwn(value, name)
  const { id, method } = value as Record<string, unknown>
  const readable = !has('id') || id === null || ['string', 'number'].includes(typeof id)
  if (!readable || (has('method') && typeof method !== 'string')) return 'invalid'
  if (has('method')) return has('id') ? 'request' : 'notification'
  return has('result') || has('error') ? 'response' : 'invalid'
}

/** Objects with the members that say what a message is, of any kind. */
const heads = fc
  .record({
    id: fc.constantFrom('null', '0', '""', '"é"', 'true', '{}', '[1]', undefined),
    method: fc.constantFrom('"a"', '""', '"\\u0061"', 'null', '1', undefined),
    result: fc.constantFrom('null', '{}', undefined, undefined),
    error: fc.constantFrom('{}', undefined, undefined),
  })
  .map((given) => {
    const entries = Object.entries(given).filter(([, source]) => source !== undefined)
    return `{${entries.map(([name, source]) => `"${name}":${source}`).join(',')}}`
  })

export const kinds: Property = {
  name: 'json: a frame is of the kind that its parsed value has, on one line',
  runs: 400,
  property: fc.property(fc.oneof(members.map(objectOf), texts, heads), cuts, (text, lengths) => {
    const reader = createFrameReader()
    for (const piece of inPieces(text, lengths)) reader.push(piece)
    const frame = reader.finish()!
    const value = JSON.parse(text) as unknown
    assert.equal(frame.kind, kindOf(value))
    if (frame.method !== undefined) assert.equal(frame.method, (value as { method: string }).method)
    if (frame.id !== undefined)
      assert.deepEqual(JSON.parse(frame.id), (value as { id: unknown }).id)
    assert.equal(textOf(frame), text.replaceAll(/[\r\n]/g, ' '))
  }),
}

const sourceOfId = fc.oneof(fc.bigInt().map(String), strings)

export const rewritten: Property = {
  name: 'json: an id and a result are replaced, and a missing id is put first, without touching any other byte',
  runs: 100,
  property: fc.property(
    fc.tuple(fc.option(sourceOfId, { nil: undefined }), sourceOfId),
    fc.tuple(texts, texts, texts),
    space,
    cuts,
    ([before, after], [value, result, fresh], gap, lengths) => {
      const idMember = (id: string | undefined): string =>
        id === undefined ? '' : `"id" : ${id} ,`
      const around = (head: string, id: string | undefined, inner: string): string =>
        `${gap}{${head} "x":${value}, ${idMember(id)}"result":${inner}, "y":${value}}`
      const reader = createFrameReader()
      for (const piece of inPieces(around('', before, result), lengths)) reader.push(piece)
      const frame = reader.finish()!
      const renamed =
        before === undefined
          ? around(`"id":${after},`, undefined, result)
          : around('', after, result)
      assertSame(withId(frame, after), renamed)
      assertSame(withResult(frame, Buffer.from(fresh)), around('', before, fresh))
    },
  ),
}

/** A changed frame is what the changed text would have been read as. */
function assertSame(changed: Frame, text: string): void {
  const expected = text.replaceAll(/[\r\n]/g, ' ')
  assert.equal(textOf(changed), expected)
  assert.deepEqual({ ...changed, chunks: [] }, { ...readFrame(expected)!, chunks: [] })
}

/** Every value of an object is where its path says, however deep. */
function assertLocated(text: Buffer, value: unknown, path: readonly string[]): void {
  assert.deepEqual(valueAt(text, ...path), value)
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return
  for (const [name, inner] of Object.entries(value)) assertLocated(text, inner, [...path, name])
}

export const located: Property = {
  name: 'json: what JSON.parse finds under a path stands where it is looked for',
  runs: 400,
  property: fc.property(fc.oneof(members.map(objectOf), texts), (text) => {
    assertLocated(Buffer.from(text), JSON.parse(text), [])
  }),
}

const change = fc.dictionary(
  fc.constantFrom(...NAMES, '', '__proto__'),
  fc.option(texts, { nil: undefined }),
)

/** A record that may have a member `__proto__`, as JSON has it. */
const asMap = (text: string): Map<string, unknown> =>
  new Map(Object.entries(JSON.parse(text) as Record<string, unknown>))

export const edited: Property = {
  name: 'json: an edited object parses to the edited value, and no other member loses a byte',
  runs: 400,
  property: fc.property(
    members,
    change,
    fc.tuple(space, space),
    (list, changes, [before, after]) => {
      const text = before + objectOf(list) + after
      const result = withMembers(Buffer.from(text), changes as Changes).toString('utf8')
      const expected = asMap(text)
      for (const [name, source] of Object.entries(changes)) {
        if (source === undefined) expected.delete(name)
        else expected.set(name, JSON.parse(source))
      }
      assert.deepEqual(asMap(result), expected)
      const isThere = (name: string): boolean => list.some(({ key }) => key.name === name)
      const replacing = Object.entries(changes).filter(([, source]) => source !== undefined)
      const removes = Object.entries(changes).some(
        ([name, source]) => source === undefined && isThere(name),
      )
      // In front of the first member, in the order of the changes.
      const added = replacing.filter(([name]) => !isThere(name))
      const head = added.map(([name, source]) => `${JSON.stringify(name)}:${source}`).join(',')
      const kept = list.map((entry) =>
        Object.hasOwn(changes, entry.key.name) && changes[entry.key.name] !== undefined
          ? { ...entry, value: changes[entry.key.name]! }
          : entry,
      )
      if (!removes) {
        const comma = added.length > 0 && list.length > 0 ? ',' : ''
        assert.equal(result, `${before}{${head}${comma}${objectOf(kept).slice(1)}${after}`)
        return
      }
      // Where something is taken out, the white space around it may go with it; the others stay.
      assert.ok(result.startsWith(`${before}{${head}`))
      assert.ok(result.endsWith(`}${after}`))
      let at = before.length
      for (const {
        key: { name, source },
        value,
        spaces,
      } of kept) {
        if (Object.hasOwn(changes, name) && changes[name] === undefined) continue
        const whole = `${source}${spaces[1]}:${spaces[2]}${value}`
        at = result.indexOf(whole, at)
        assert.notEqual(at, -1, `${whole} is not in ${result}`)
        at += whole.length
      }
    },
  ),
}

export const listed: Property = {
  name: 'json: items are taken out of an array and replaced, and no other item loses a byte',
  runs: 300,
  property: fc.property(
    fc.array(fc.tuple(space, texts, space, fc.constantFrom('keep', 'keep', 'drop', 'replace'))),
    fc.tuple(space, space),
    texts,
    (list, [before, after], fresh) => {
      const inner = list.map(([a, item, b]) => a + item + b).join(',')
      const text = Buffer.from(`${before}[${inner}]${after}`)
      const root = locate(text)!
      const spans = [...items(text, root)]
      assert.deepEqual(
        spans.map(({ start, end }) => text.toString('utf8', start, end)),
        list.map(([, item]) => item),
      )
      let index = 0
      const result = withItems(text, (item) => {
        const [, source, , fate] = list[index++]!
        assert.equal(item.toString('utf8'), source)
        return fate === 'drop' ? undefined : fate === 'keep' ? item : Buffer.from(fresh)
      })
      const left = list.filter(([, , , fate]) => fate !== 'drop')
      const expected = left.map(([, item, , fate]) => (fate === 'keep' ? item : fresh))
      assert.deepEqual(sourcesOf(result), expected)
      if (left.length === list.length) {
        const same = list.map(([a, item, b, fate]) => a + (fate === 'keep' ? item : fresh) + b)
        assert.equal(result.toString('utf8'), `${before}[${same.join(',')}]${after}`)
      }
      const around = Buffer.from(`{"a":${before}[${inner}]${after}}`)
      const array = locate(around, 'a')!
      const dropped = [...items(around, array)].filter((_, i) => list[i]![3] === 'drop')
      const kept = left.map(([, item]) => item).join(',')
      const without = withoutItems(around, array, dropped).toString('utf8')
      assert.equal(without, `{"a":${before}[${kept}]${after}}`)
    },
  ),
}

const sourcesOf = (text: Buffer): string[] =>
  [...items(text, locate(text)!)].map(({ start, end }) => text.toString('utf8', start, end))
