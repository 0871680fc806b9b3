import { describe, expect, test } from 'vitest'
import { createToolHeaders } from '../../src/era/tool-headers.ts'
import { type Frame, readFrame } from '../../src/frame.ts'
import { keptLog } from '../support/log.ts'

const textOf = (frame: Frame): string => Buffer.concat(frame.chunks).toString('utf8')

const call = (name: string, args: string): Frame =>
  readFrame(`{"id":1,"method":"tools/call","params":{"name":"${name}","arguments":${args}}}`)!

const list = (...tools: object[]): Frame =>
  readFrame(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { tools } }))!

const region = { type: 'string', 'x-mcp-header': 'Region' }
const tool = (properties: object, rest: object = {}): object => ({
  name: 't',
  inputSchema: { type: 'object', properties, ...rest },
})

function learned(frame: Frame) {
  const lines: string[] = []
  const tools = createToolHeaders({ ...keptLog(), warn: (line) => lines.push(line) })
  return { tools, lines, list: tools.learn(frame) }
}

describe('arguments that travel as headers', () => {
  const schema = tool({
    region,
    count: { type: 'integer', 'x-mcp-header': 'Count' },
    dry: { type: 'boolean', 'x-mcp-header': 'Dry-Run' },
    place: { type: 'object', properties: { city: { type: 'string', 'x-mcp-header': 'City' } } },
    plain: { type: 'string' },
  })
  test.each<[string, Record<string, string>]>([
    ['{"region":"eu-west"}', { 'mcp-param-region': 'eu-west' }],
    ['{"region":"Zürich"}', { 'mcp-param-region': '=?base64?WsO8cmljaA==?=' }],
    ['{"region":""}', { 'mcp-param-region': '=?base64??=' }],
    ['{"count":-7}', { 'mcp-param-count': '-7' }],
    ['{"count":0}', { 'mcp-param-count': '0' }],
    ['{"count":9007199254740991}', { 'mcp-param-count': '9007199254740991' }],
    ['{"count":9007199254740993}', {}],
    ['{"count":1.5}', {}],
    ['{"dry":false}', { 'mcp-param-dry-run': 'false' }],
    ['{"place":{"city":"Bern"}}', { 'mcp-param-city': 'Bern' }],
    ['{"place":"Bern"}', {}],
    ['{"city":"Bern"}', {}],
    ['{"region":null}', {}],
    ['{"region":{"a":1}}', {}],
    ['{"plain":"x"}', {}],
    ['{}', {}],
  ])('of %s: %j', (args, headers) => {
    expect(learned(list(schema)).tools.headers(call('t', args))).toEqual(headers)
  })

  test('are none for a tool that was never listed, and for other methods', () => {
    const { tools } = learned(list(schema))
    expect(tools.headers(call('other', '{"region":"eu"}'))).toEqual({})
    expect(tools.headers(readFrame('{"id":1,"method":"tools/list"}')!)).toEqual({})
  })

  test('are learnt from every page, and the last word on a tool counts', () => {
    const { tools } = learned(list(schema))
    tools.learn(list({ ...tool({ zone: { ...region, 'x-mcp-header': 'Zone' } }), name: 'u' }))
    expect(tools.headers(call('t', '{"region":"a"}'))).toEqual({ 'mcp-param-region': 'a' })
    expect(tools.headers(call('u', '{"zone":"b"}'))).toEqual({ 'mcp-param-zone': 'b' })
    tools.learn(list(tool({ region: { type: 'string' } })))
    expect(tools.headers(call('t', '{"region":"a"}'))).toEqual({})
  })

  test('may have the name of a keyword as a property', () => {
    const named = tool({
      properties: region,
      items: { type: 'string' },
      'x-mcp-header': { type: 'string' },
    })
    const { list: kept, tools } = learned(list(named))
    expect(textOf(kept)).toBe(textOf(list(named)))
    expect(tools.headers(call('t', '{"properties":"a"}'))).toEqual({ 'mcp-param-region': 'a' })
  })
})

describe('a tool is left out of the list when its annotation', () => {
  const at = (name: unknown, type: unknown = 'string'): object => ({ type, 'x-mcp-header': name })
  // As text: linters take an object with such a member for a promise.
  const conditional = JSON.parse(
    '{"then":{"properties":{"a":{"type":"string","x-mcp-header":"A"}}}}',
  ) as object
  test.each<[string, object]>([
    ['is empty', tool({ a: at('') })],
    ['has a space', tool({ a: at('My Region') })],
    ['has a colon', tool({ a: at('Region:') })],
    ['has a line break', tool({ a: at('A\r\nB') })],
    ['is not ASCII', tool({ a: at('Région') })],
    ['is no string', tool({ a: at(7) })],
    ['is null', tool({ a: at(null) })],
    ['stands twice', tool({ a: at('Region'), b: at('Region') })],
    ['stands twice in another case', tool({ a: at('Region'), b: at('REGION') })],
    ['is on a number', tool({ a: at('A', 'number') })],
    ['is on an object', tool({ a: at('A', 'object') })],
    ['is on an array', tool({ a: at('A', 'array') })],
    ['is on null', tool({ a: at('A', 'null') })],
    ['is on several types', tool({ a: at('A', ['string', 'null']) })],
    ['is on no type', tool({ a: { 'x-mcp-header': 'A' } })],
    ['is under items', tool({ a: { type: 'array', items: at('A') } })],
    ['is under prefixItems', tool({ a: { type: 'array', prefixItems: [at('A')] } })],
    ['is under additionalProperties', tool({}, { additionalProperties: at('A') })],
    ['is under oneOf', tool({ a: { oneOf: [at('A')] } })],
    ['is under anyOf at the root', tool({}, { anyOf: [{ properties: { a: at('A') } }] })],
    ['is under allOf', tool({}, { allOf: [{ properties: { a: at('A') } }] })],
    ['is under not', tool({}, { not: { properties: { a: at('A') } } })],
    ['is under if', tool({}, { if: { properties: { a: at('A') } } })],
    ['is under then', tool({}, conditional)],
    ['is under else', tool({}, { else: { properties: { a: at('A') } } })],
    ['is behind a $ref', tool({ a: { $ref: '#/$defs/a' } }, { $defs: { a: at('A') } })],
    ['is on the root', tool({}, { 'x-mcp-header': 'A' })],
  ])('%s', (_, bad) => {
    const good = { ...tool({ region }), name: 'good' }
    const { list: kept, lines, tools } = learned(list(bad, good))
    expect(textOf(kept)).toBe(textOf(list(good)))
    expect(lines).toEqual([expect.stringMatching(/^tool t is left out of the list: x-mcp-header /)])
    expect(tools.headers(call('t', '{"a":"x","b":"y"}'))).toEqual({})
  })

  test('and not when only data looks like one', () => {
    const kept = tool({ a: { type: 'object', default: at('A'), examples: [at('')] } })
    expect(textOf(learned(list(kept)).list)).toBe(textOf(list(kept)))
  })
})

describe('what is left of a list', () => {
  const bad = '{"name":"bad","inputSchema":{"properties":{"a":{"x-mcp-header":""}}}}'
  const good = '{ "name":"good", "v":1.0 }'
  test.each([
    [`[${bad}]`, '[]'],
    [`[ ${bad} , ${good} ]`, `[${good}]`],
    [`[${good},${bad},${good}]`, `[${good},${good}]`],
    [`[${good}, ${bad}]`, `[${good}]`],
  ])('%s becomes %s, and every other byte stays', (before, after) => {
    const around = (tools: string): string =>
      `{"x":1e400,"result" : {"nextCursor":"\\u0041", "tools" : ${tools} ,"_meta":{}},"id":12345678901234567890}`
    const { list: kept } = learned(readFrame(around(before))!)
    expect(textOf(kept)).toBe(around(after))
    expect(kept).toMatchObject({ kind: 'response', id: '12345678901234567890' })
  })

  test.each([
    '{"id":1,"result":{}}',
    '{"id":1,"result":{"tools":{}}}',
    '{"id":1,"result":{"tools":[1,null,{"name":7}]}}',
    '{"id":1,"error":{"code":1,"message":""}}',
  ])('nothing is changed in %s', (text) => {
    const frame = readFrame(text)!
    expect(learned(frame).list).toBe(frame)
  })
})
