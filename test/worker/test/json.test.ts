import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorker, type RunningWorker } from '../dev/serve.mjs'
import { openSession, postHeaders, readEvents, type RawSession } from './support/raw.ts'

let worker: RunningWorker
let session: RawSession
beforeAll(async () => {
  worker = await startWorker({ flavour: 'public' })
  session = await openSession(`${worker.url}/mcp`)
})
afterAll(() => worker.stop())

const body = (number: string) =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"int64","arguments":{"number":${number}}}}`

/** The way to the tool: statelessly, or through a Durable Object. */
const ways = {
  stateless: (text: string) =>
    fetch(`${worker.url}/mcp`, { method: 'POST', headers: postHeaders, body: text }),
  'in a session': (text: string) => session.post(text),
}

describe.each(['stateless', 'in a session'] as const)('%s', (way) => {
  test.each([
    '9007199254740993',
    '-9223372036854775808',
    '18446744073709551615',
    '123456789012345678901234567890',
    '1e400',
  ])('%s arrives digit by digit', async (number) => {
    const text = await (await ways[way](body(number))).text()
    expect(text).toContain(String.raw`\"received\":\"${number}\"`)
  })

  test.each(['42', '-1.5', '9007199254740991'])('%s is an ordinary number', async (number) => {
    const text = await (await ways[way](body(number))).text()
    expect(text).toContain(String.raw`\"received\":\"${number}\"`)
  })

  test('awkward values leave as they are written', async () => {
    const text = await (await ways[way](body('0'))).text()
    for (const source of [
      '"beyond_2_53":9007199254740993',
      '"int64_min":-9223372036854775808',
      '"uint64_max":18446744073709551615',
      '"thirty_digits":123456789012345678901234567890',
      '"one_with_fraction":1.0',
      '"minus_zero":-0',
      '"beyond_double":1e400',
      String.raw`"escaped":"\u0041\/\u00e9"`,
      '"line_separator":"\u2028"',
      String.raw`"nul":"\u0000"`,
      String.raw`"lone_surrogate":"\ud800"`,
    ]) {
      expect(text).toContain(source)
    }
  })
})

test('a number that does not fit is refused where a tool computes with it', async () => {
  const text =
    '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"calculator",' +
    '"arguments":{"operation":"add","a":9007199254740993,"b":0}}}'
  const answer = await (await ways.stateless(text)).text()
  expect(answer).toContain('"isError":true')
})

test('a replayed event still has its digits', async () => {
  const events = await readEvents(await session.post(body('18446744073709551615')))
  await fetch(`${worker.url}/__test/evict?session=${session.id}`, { method: 'POST' })
  const resumed = await session.get({ 'last-event-id': events[0]?.id ?? '' })
  expect(await resumed.text()).toContain('"uint64_max":18446744073709551615')
})
