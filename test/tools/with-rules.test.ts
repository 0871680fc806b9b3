import { describe, expect, test } from 'vitest'
import type { Delivery, Remote, RemoteEvents } from '../../src/channel.ts'
import { type Frame, readFrame, slice } from '../../src/frame.ts'
import { createKnownTools } from '../../src/tools/known.ts'
import type { ToolRules } from '../../src/tools/options.ts'
import type { Pins } from '../../src/tools/pins.ts'
import { withToolRules } from '../../src/tools/with-rules.ts'
import { keptLog } from '../support/log.ts'

const NONE: ToolRules = { allow: [], ignore: [], readOnly: false, pin: undefined }

/** A server that keeps what it is sent, and says what the test says. */
function world(rules: Partial<ToolRules>, pins?: Pins) {
  const sent: string[] = []
  const got: { text: string; owner: string | undefined }[] = []
  let say: RemoteEvents | undefined
  const log = keptLog()
  const tools = createKnownTools({ ...NONE, ...rules }, pins, 'mcp.example', log)
  const events: RemoteEvents = {
    frame(frame, owner) {
      got.push({ text: textOf(frame), owner })
      return undefined
    },
    lost: () => {},
    forgotten: () => {},
  }
  const server = (inner: RemoteEvents): Remote => {
    say = inner
    return {
      send(frame): Delivery {
        sent.push(textOf(frame))
        return { started: Promise.resolve(), done: Promise.resolve('elsewhere') }
      },
      acceptsBatches: () => true,
      close: () => Promise.resolve(),
    }
  }
  const remote = withToolRules(server, events, tools)
  return {
    sent,
    got,
    log,
    send: (text: string) => remote.send(readFrame(text)!).done,
    says: (text: string, owner?: string) => void say!.frame(readFrame(text)!, owner),
    lost: () => say!.lost(new Error('gone')),
  }
}

function textOf(frame: Frame): string {
  return slice(frame.chunks, { start: 0, end: frame.size }).toString('utf8')
}

const LIST = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
const ADD = '{ "name":"add_note", "inputSchema":{"maximum":12345678901234567890} }'
const GET = '{"name":"get_note","annotations":{"readOnlyHint":true}}'
const TOOLS = `{"jsonrpc":"2.0", "id":1,"result":{"x":1.0,"tools":[ ${ADD} ,${GET}],"_meta":{}}}`

function call(name: string, id = '2'): string {
  return `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"${name}","arguments":{}}}`
}

describe('a list', () => {
  test('loses what a rule hides, and every other byte stays', async () => {
    const { send, says, got } = world({ ignore: ['get_*'] })
    await send(LIST)
    says(TOOLS)
    expect(got[0]!.text).toBe(
      `{"jsonrpc":"2.0", "id":1,"result":{"x":1.0,"tools":[${ADD}],"_meta":{}}}`,
    )
  })

  test('stays as it is, byte for byte, when nothing is hidden', async () => {
    const { send, says, got } = world({ ignore: ['other'] })
    await send(LIST)
    says(TOOLS)
    expect(got[0]!.text).toBe(TOOLS)
  })

  test('may become empty', async () => {
    const { send, says, got } = world({ allow: ['nothing'] })
    await send(LIST)
    says(TOOLS)
    expect(got[0]!.text).toContain('"tools":[]')
  })

  test.each([
    ['a null id', TOOLS.replace('"id":1', '"id":null')],
    ['another id', TOOLS.replace('"id":1', '"id":"1"')],
  ])('under %s in its own response is cut as well', async (_, text) => {
    const { send, says, got } = world({ ignore: ['get_*'] })
    await send(LIST)
    says(text, '1')
    expect(got[0]!.text).not.toContain('get_note')
  })

  test('inside a batch is cut as well', async () => {
    const { send, says, got } = world({ ignore: ['get_*'] })
    await send(`[${LIST},{"jsonrpc":"2.0","id":9,"method":"ping"}]`)
    says(`[${TOOLS},{"jsonrpc":"2.0","id":9,"result":{}}]`)
    expect(got[0]!.text).not.toContain('get_note')
    expect(got[0]!.text).toContain('"id":9')
  })

  test('leaves out what has no name', async () => {
    const { send, says, got } = world({ ignore: ['x'] })
    await send(LIST)
    says('{"jsonrpc":"2.0","id":1,"result":{"tools":[{"title":"x"},{"name":7}]}}')
    expect(got[0]!.text).toContain('"tools":[]')
  })

  test('is nobody else: a result of another request keeps its tools', async () => {
    const { send, says, got } = world({ ignore: ['get_*'] })
    await send('{"jsonrpc":"2.0","id":1,"method":"tools/other"}')
    says(TOOLS)
    expect(got[0]!.text).toBe(TOOLS)
  })

  test('whose id is used again for something else does not cut that', async () => {
    const { send, says, got, lost } = world({ ignore: ['get_*'] })
    await send(LIST)
    lost()
    await send('{"jsonrpc":"2.0","id":1,"method":"tools/other"}')
    says(TOOLS)
    expect(got[0]!.text).toBe(TOOLS)
  })
})

describe('a call', () => {
  test.each<[Partial<ToolRules>, string, string]>([
    [{ ignore: ['add_*'] }, 'add_note', '--ignore-tool add_*'],
    [{ allow: ['get_*'] }, 'add_note', '--allow-tool get_*'],
    [
      { readOnly: true },
      'get_note',
      '--read-only, and the server has not listed it in this session',
    ],
    [
      { pin: 'strict' },
      'get_note',
      '--pin-tools=strict, and the server has not listed it in this session',
    ],
  ])('%j refuses %s, and names the rule', async (rules, name, rule) => {
    const { send, sent } = world(rules)
    await expect(send(call(name))).rejects.toMatchObject({
      message: `The tool ${name} is not available here: the bridge runs with ${rule}.`,
      details: { phase: 'request' },
    })
    expect(sent).toEqual([])
  })

  test('of what is let through goes out as it is', async () => {
    const { send, sent } = world({ ignore: ['add_*'] })
    await send(call('get_note'))
    expect(sent).toEqual([call('get_note')])
  })

  test('under --read-only depends on what the list has said last', async () => {
    const { send, says, sent } = world({ readOnly: true })
    await send(LIST)
    says(TOOLS)
    await send(call('get_note'))
    await expect(send(call('add_note'))).rejects.toThrow('--read-only')
    await send(LIST)
    says(TOOLS.replaceAll('true', 'false'))
    await expect(send(call('get_note'))).rejects.toThrow('--read-only')
    expect(sent).toEqual([LIST, call('get_note'), LIST])
  })

  test('as a notification is refused too', async () => {
    const { send, sent } = world({ ignore: ['*'] })
    const text = '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}}'
    await expect(send(text)).rejects.toThrow('--ignore-tool *')
    expect(sent).toEqual([])
  })

  test.each([
    ['two names', '{"name":"get_note","name":"add_note"}'],
    ['a name in two spellings', String.raw`{"name":"get_note","n\u0061me":"add_note"}`],
    ['no name', '{}'],
    ['a number', '{"name":1}'],
    ['a list of parameters', '["add_note"]'],
  ])('with %s is refused', async (_, params) => {
    const { send, sent } = world({ ignore: ['add_*'] })
    const text = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`
    await expect(send(text)).rejects.toThrow('does not name its tool once')
    expect(sent).toEqual([])
  })

  test('in a batch is answered there, and the rest goes out', async () => {
    const { send, sent, got } = world({ ignore: ['add_*'] })
    await send(`[${call('add_note', '1')},${call('get_note', '2')}]`)
    expect(sent).toEqual([`[${call('get_note', '2')}]`])
    expect(JSON.parse(got[0]!.text)).toMatchObject({ id: 1, error: { code: -31001 } })
    await send(`[${call('add_note', '3')}]`)
    expect(sent).toHaveLength(1)
    expect(JSON.parse(got[1]!.text)).toMatchObject({ id: 3 })
  })
})

describe('pins', () => {
  const pins = (verdict: 'changed' | 'added' | 'same'): Pins => ({
    judge: (name) => (name === 'add_note' ? verdict : 'same'),
    endPage: () => {},
    flush: () => Promise.resolve(),
  })

  test.each(['changed', 'added'] as const)('warn once of a tool that was %s', async (verdict) => {
    const { send, says, got, log } = world({ pin: 'warn' }, pins(verdict))
    for (let i = 0; i < 2; i++) {
      await send(LIST)
      says(TOOLS)
    }
    expect(got.map(({ text }) => text)).toEqual([TOOLS, TOOLS])
    expect(log.lines).toHaveLength(1)
    expect(log.lines[0]).toContain(`has ${verdict} the tool add_note`)
    await send(call('add_note'))
  })

  test('strict hides and refuses it', async () => {
    const { send, says, got } = world({ pin: 'strict' }, pins('changed'))
    await send(LIST)
    says(TOOLS)
    expect(got[0]!.text).not.toContain('add_note')
    await expect(send(call('add_note'))).rejects.toThrow('--pin-tools=strict')
    await send(call('get_note'))
  })
})
