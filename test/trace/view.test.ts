import { expect, test } from 'vitest'
import { createPaint } from '../../src/terminal.ts'
import { createFilter, type Filter } from '../../src/trace/filter.ts'
import { readEntry } from '../../src/trace/record.ts'
import { viewOf } from '../../src/trace/view.ts'

const at = '"at":"2026-11-24T15:02:11.070Z"'
const lines = [
  `{"seq":0,"t":0,${at},"type":"start","v":1,"version":"1.2.3","node":"v20.20.2","platform":"linux x64","pid":7,"server":"https://a.example/mcp","argv":[]}`,
  `{"seq":1,"t":1,${at},"type":"frame","from":"host","kind":"request","id":"1","method":"tools/call","size":1234,"raw":{"id":12345678901234567890}}`,
  `{"seq":2,"t":1,${at},"type":"http","exchange":1,"to":"server","frame":1,"attempt":1,"verb":"POST","url":"https://a.example/mcp?x=1","status":200,"total":12.3,"received":99}`,
  `{"seq":3,"t":1,${at},"type":"frame","from":"server","kind":"response","id":"1","method":"tools/call","request":1,"ms":1250,"status":200,"size":99,"raw":{"result":"\u009b31m\u202ered"}}`,
  `{"seq":4,"t":1,${at},"type":"frame","from":"bridge","kind":"response","id":"\\"a\\"","method":"tools/list","request":1,"ms":3.14159,"attempt":2,"status":503,"error":true,"size":9,"raw":{}}`,
  `{"seq":5,"t":1,${at},"type":"state","part":"stream","what":"lost","why":"ECONNRESET"}`,
  `{"seq":6,"t":1,${at},"type":"stderr","line":"a warning"}`,
  `{"seq":7,"t":1,${at},"type":"dropped","dropped":12}`,
  `{"seq":8,"t":1,${at},"type":"http","exchange":2,"to":"authorization","verb":"POST","url":"https://as.example/token","total":20,"error":"ECONNREFUSED"}`,
]
const entries = lines.map((line) => readEntry(line)!)

function view(columns: number, env: NodeJS.ProcessEnv = {}): string[] {
  const look = { paint: createPaint({}, env), columns }
  return entries.map((entry) => viewOf(entry, look))
}

test('a line says what happened', () => {
  expect(view(200)).toEqual([
    '15:02:11.070  ■  mcp-bridge 1.2.3, Node v20.20.2, linux x64  https://a.example/mcp',
    '15:02:11.070  →  tools/call #1  1.2 kB  {"id":12345678901234567890}',
    '15:02:11.070  ⇄  POST /mcp  200  12 ms  99 B',
    '15:02:11.070  ←  tools/call #1  1.3 s  99 B  {"result":" 31m red"}',
    '15:02:11.070  ↩  tools/list #"a"  3.1 ms  HTTP 503  attempt 2  9 B  {}',
    '15:02:11.070  ●  stream lost  why=ECONNRESET',
    '15:02:11.070  !  a warning',
    '15:02:11.070  !  12 records are missing: the disk was too slow',
    '15:02:11.070  ⇄  POST https://as.example/token  20 ms  ECONNREFUSED',
  ])
})

test('no line is longer than the terminal is wide', () => {
  expect(view(40).map((line) => line.length)).toSatisfy((lengths: number[]) =>
    lengths.every((length) => length <= 40),
  )
})

test('failures are red, slow answers yellow', () => {
  const colored = view(200, { FORCE_COLOR: '1' })
  expect(colored[4]).toContain('\u001b[31mtools/list')
  expect(colored[3]).toContain('\u001b[33mtools/call')
})

test.each<[string, Filter, number[]]>([
  ['nothing', {}, [0, 1, 2, 3, 4, 5, 6, 7, 8]],
  ['a method', { method: 'tools/call' }, [1, 3]],
  ['a pattern', { method: 'tools/*' }, [1, 3, 4]],
  ['slow answers', { slowMs: 1_000 }, [3]],
  ['errors', { errors: true }, [4, 6, 7, 8]],
  ['an id', { id: '1' }, [1, 3]],
  ['the id of a string without its quotes', { id: 'a' }, [4]],
  ['errors of a method', { errors: true, method: 'tools/list' }, [4]],
])('a filter for %s', (_, filter, wanted) => {
  const isWanted = createFilter(filter)
  expect(entries.filter(isWanted).map(({ record }) => record.seq)).toEqual(wanted)
})

test.each(['', '{', '{"seq":1', '[]', '{"type":"frame"}', 'null', '{"seq":1,"t":1,"type":"fr'])(
  'half a line is no record: %s',
  (line) => {
    expect(readEntry(line)).toBeUndefined()
  },
)
