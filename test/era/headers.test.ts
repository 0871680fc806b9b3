import { describe, expect, test } from 'vitest'
import { headerValue, modernHeaders, modernVersion, toolCall } from '../../src/era/headers.ts'
import { readFrame } from '../../src/frame.ts'

describe('a value in a header (MCP 2026-07-28, Value Encoding)', () => {
  test.each([
    ['eu-west', 'eu-west'],
    ['a b\tc', 'a b\tc'],
    ['!~ "\\', '!~ "\\'],
    ['Zürich', '=?base64?WsO8cmljaA==?='],
    [' eu', '=?base64?IGV1?='],
    ['eu ', '=?base64?ZXUg?='],
    ['\teu', '=?base64?CWV1?='],
    ['a\nb', '=?base64?YQpi?='],
    ['a\u007fb', '=?base64?YX9i?='],
    ['a\u0000', '=?base64?YQA=?='],
    ['=?base64?x?=', '=?base64?PT9iYXNlNjQ/eD89?='],
    ['=?base64??=', '=?base64?PT9iYXNlNjQ/Pz0=?='],
    ['=?BASE64?x?=', '=?BASE64?x?='],
    ['=?base64?x', '=?base64?x'],
    ['', '=?base64??='],
    ['\u{1F600}', '=?base64?8J+YgA==?='],
  ])('%j is sent as %j', (value, header) => {
    expect(headerValue(value)).toBe(header)
  })
})

const meta = (version: string): string =>
  `"_meta":{"io.modelcontextprotocol/protocolVersion":${version}}`

describe('the era of a message', () => {
  test.each<[string, string | undefined]>([
    [`{"id":1,"method":"x","params":{${meta('"2026-07-28"')}}}`, '2026-07-28'],
    [`{"id":1,"method":"x","params":{${meta('"2027-01-01"')}}}`, '2027-01-01'],
    [`{"id":1,"method":"x","params":{${meta('"2025-11-25"')}}}`, undefined],
    [`{"id":1,"method":"x","params":{${meta('20260728')}}}`, undefined],
    [`{"id":1,"method":"x",${meta('"2026-07-28"')}}`, undefined],
    [`{"id":1,"method":"x","params":{"arguments":{${meta('"2026-07-28"')}}}}`, undefined],
    ['{"id":1,"method":"x","params":{"_meta":{}}}', undefined],
    ['{"id":1,"method":"x"}', undefined],
  ])('of %s is %s', (text, version) => {
    expect(modernVersion(readFrame(text)!)).toBe(version)
  })
})

describe('the headers of a message (MCP 2026-07-28, Standard Request Headers)', () => {
  test.each<[string, string | undefined]>([
    ['{"method":"tools/call","params":{"name":"add"}}', 'add'],
    ['{"method":"tools/call","params":{"name":"Zürich"}}', '=?base64?WsO8cmljaA==?='],
    ['{"method":"prompts/get","params":{"name":"p","uri":"u"}}', 'p'],
    ['{"method":"resources/read","params":{"uri":"file:///a","name":"n"}}', 'file:///a'],
    ['{"method":"tasks/get","params":{"taskId":"7"}}', '7'],
    ['{"method":"tasks/update","params":{"taskId":"7"}}', '7'],
    ['{"method":"tasks/cancel","params":{"taskId":"7"}}', '7'],
    ['{"method":"tools/call","params":{"name":7}}', undefined],
    ['{"method":"tools/call"}', undefined],
    ['{"method":"tools/list","params":{"name":"x"}}', undefined],
  ])('of %s name %s', (text, name) => {
    const frame = readFrame(text)!
    expect(modernHeaders(frame, '2026-07-28')).toEqual({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': frame.method,
      ...(name === undefined ? {} : { 'mcp-name': name }),
    })
  })
})

describe('toolCall', () => {
  test('gives the arguments as they stand in the text', () => {
    const call = toolCall(
      readFrame('{"method":"tools/call","params":{"arguments":{"a":1.0},"name":"x"}}')!,
    )!
    expect(call.name).toBe('x')
    expect(call.arguments.toString()).toBe('{"a":1.0}')
  })

  test('without arguments has none', () => {
    const call = toolCall(readFrame('{"method":"tools/call","params":{"name":"x"}}')!)!
    expect(call.arguments.toString()).toBe('{}')
  })

  test.each([
    '{"method":"tools/list","params":{"name":"x"}}',
    '{"method":"tools/call","params":{}}',
  ])('is not %s', (text) => {
    expect(toolCall(readFrame(text)!)).toBeUndefined()
  })
})
