import { describe, expect, test } from 'vitest'
import type { HostLine, Local, Outcome, Remote } from '../src/channel.ts'
import { RelayError, ServerError } from '../src/errors.ts'
import { type Frame, type RawId, readFrame } from '../src/frame.ts'
import { MAX_OPEN_REQUESTS } from '../src/limits.ts'
import { createRelay } from '../src/relay.ts'
import { keptLog } from './support/log.ts'

const textOf = (frame: Frame): string => Buffer.concat(frame.chunks).toString('utf8')

/** A frame that the relay gave to the server; the test decides how it ends. */
interface Sent {
  readonly text: string
  finish(outcome: Outcome): void
  fail(error: Error): void
}

/** A relay between a host and a server that the test plays. */
function playground({ batches = false } = {}) {
  const toHost: string[] = []
  const sent: Sent[] = []
  const warnings: string[] = []
  let onLine: (line: HostLine) => Promise<void> | undefined = () => undefined
  const local: Local = {
    send(frame) {
      toHost.push(textOf(frame))
      return undefined
    },
    broken: new Promise(() => {}),
    ended: new Promise(() => {}),
    flush: () => Promise.resolve(),
    read(take) {
      onLine = take
      return new Promise(() => {})
    },
  }
  const remote: Remote = {
    send(frame) {
      const done = new Promise<Outcome>((resolve, reject) => {
        sent.push({ text: textOf(frame), finish: resolve, fail: reject })
      })
      return { started: Promise.resolve(), done }
    },
    acceptsBatches: () => batches,
    close: () => Promise.resolve(),
  }
  const relay = createRelay(local, { ...keptLog(), warn: (line) => warnings.push(line) })
  void relay.run(remote)
  return {
    relay,
    remote,
    toHost,
    sent,
    warnings,
    texts: () => sent.map(({ text }) => text),
    /** The host writes a line. */
    host: async (text: string) => {
      const frame = readFrame(text)
      await onLine(frame === undefined ? { kind: 'unparsable' } : { kind: 'frame', frame })
    },
    line: (line: HostLine) => onLine(line),
    /** The server says something, perhaps in the response to a request of the host. */
    server: (text: string, owner?: RawId) => relay.events.frame(readFrame(text)!, owner),
    /** Lets everything that is settled take effect. */
    turn: () => new Promise((resolve) => setImmediate(resolve)),
  }
}

const request = (id: string, method = 'ping'): string => `{"id":${id},"method":"${method}"}`
const answer = (id: string, result = '1.0'): string => `{"id":${id},"result":${result}}`
const refusal = (id: string, code: number): unknown =>
  expect.stringMatching(new RegExp(`^{"jsonrpc":"2.0","id":${id},"error":{"code":${code},`))

describe('a request of the host', () => {
  test('is answered once, and a second answer is dropped', async () => {
    const { host, server, toHost, sent, turn } = playground()
    await host(request('0'))
    void server(answer('0'), '0')
    void server(answer('0', '2'), '0')
    sent[0]!.finish('complete')
    await turn()
    expect(toHost).toEqual([answer('0')])
  })

  test.each([
    ['0', '"0"'],
    ['1', '1.0'],
    ['null', '"null"'],
    ['12345678901234567890', '12345678901234567891'],
  ])('with the id %s is another one than with the id %s', async (first, second) => {
    const { host, server, toHost, texts } = playground()
    await host(request(first))
    await host(request(second))
    expect(texts()).toEqual([request(first), request(second)])
    void server(answer(second))
    void server(answer(first))
    expect(toHost).toEqual([answer(second), answer(first)])
  })

  test('is refused while another one with its id is open, and only then', async () => {
    const { host, server, toHost, texts } = playground()
    await host(request('1'))
    await host(request('1', 'other'))
    expect(toHost).toEqual([refusal('1', -32600)])
    void server(answer('1'))
    await host(request('1', 'third'))
    expect(texts()).toEqual([request('1'), request('1', 'third')])
  })

  test('whose id was free again is not ended by the response before', async () => {
    const { host, server, toHost, sent, turn } = playground()
    await host(request('1'))
    void server(answer('1'))
    await host(request('1'))
    sent[0]!.finish('complete')
    await turn()
    void server(answer('1', '2'))
    expect(toHost).toEqual([answer('1'), answer('1', '2')])
  })

  test('gets our error when its exchange fails', async () => {
    const { host, toHost, sent, turn } = playground()
    await host(request('"a"'))
    sent[0]!.fail(new RelayError('No.', { phase: 'connect', hint: 'Try.' }))
    await turn()
    expect(toHost.map((text) => JSON.parse(text) as unknown)).toEqual([
      {
        jsonrpc: '2.0',
        id: 'a',
        error: { code: -31001, message: 'No.', data: { phase: 'connect', hint: 'Try.' } },
      },
    ])
  })

  test("gets the server's own error, byte for byte", async () => {
    const { host, toHost, sent, turn } = playground()
    await host(request('1'))
    sent[0]!.fail(new ServerError(Buffer.from('{"code":-1.0,"message":"\\u0041"}'), 400))
    await turn()
    expect(toHost).toEqual(['{"jsonrpc":"2.0","id":1,"error":{"code":-1.0,"message":"\\u0041"}}'])
  })

  test('gets an error when its exchange ends without an answer, unless that comes elsewhere', async () => {
    const { host, server, toHost, sent, turn } = playground()
    await host(request('1'))
    await host(request('2'))
    sent[0]!.finish('complete')
    sent[1]!.finish('elsewhere')
    await turn()
    expect(toHost).toEqual([refusal('1', -31001)])
    void server(answer('2'))
    expect(toHost[1]).toBe(answer('2'))
  })

  test('gets no word of what a bug said', async () => {
    const { host, toHost, sent, turn } = playground()
    await host(request('1'))
    sent[0]!.fail(new TypeError('secret is not a function'))
    await turn()
    expect(toHost).toEqual([refusal('1', -31001)])
    expect(toHost[0]).not.toContain('secret')
  })

  test.each([
    ['no id', '{"result":1.0}', '{"id":7,"result":1.0}'],
    ['the id null', '{"id":null,"result":1.0}', '{"id":7,"result":1.0}'],
  ])('finds its answer under %s in its own response', async (_, text, expected) => {
    const { host, server, toHost } = playground()
    await host(request('7'))
    void server(text, '7')
    expect(toHost).toEqual([expected])
  })

  test('finds its answer under a wrong id when the response ends without a better one', async () => {
    const { host, server, toHost, sent, turn } = playground()
    await host(request('12345678901234567890'))
    void server(answer('12345678901234567000'), '12345678901234567890')
    expect(toHost).toEqual([])
    sent[0]!.finish('complete')
    await turn()
    expect(toHost).toEqual([answer('12345678901234567890')])
  })

  test('is not answered by an answer to nobody', async () => {
    const { host, server, toHost } = playground()
    await host(request('1'))
    void server(answer('2'))
    void server('{"result":1.0}')
    expect(toHost).toEqual([])
  })

  test('is refused above the limit of open requests', async () => {
    const { host, toHost } = playground()
    for (let id = 0; id < MAX_OPEN_REQUESTS; id++) await host(request(String(id)))
    expect(toHost).toEqual([])
    await host(request('"one too many"'))
    expect(toHost).toEqual([refusal('"one too many"', -31001)])
  })
})

describe('a line of the host that cannot be relayed', () => {
  test('is answered with a parse error without id', async () => {
    const { host, line, toHost, texts } = playground()
    await host('nonsense')
    await line({ kind: 'too-long' })
    expect(toHost).toEqual([refusal('null', -32700), refusal('null', -32700)])
    expect(toHost[1]).toContain('256 MiB')
    expect(texts()).toEqual([])
  })

  test.each([
    ['{"id":7}', '7'],
    ['{"id":"x","method":1}', '"x"'],
    ['{"id":{},"method":"ping"}', 'null'],
    ['{}', 'null'],
    ['"ping"', 'null'],
    ['[]', 'null'],
  ])('%s is invalid, under the id %s', async (text, id) => {
    const { host, toHost, texts } = playground()
    await host(text)
    expect(toHost).toEqual([refusal(id, -32600)])
    expect(texts()).toEqual([])
  })
})

describe('a request of the server', () => {
  test('is answered once', async () => {
    const { host, server, toHost, texts, warnings } = playground()
    void server(request('0', 'roots/list'))
    expect(toHost).toEqual([request('0', 'roots/list')])
    await host(answer('0'))
    await host(answer('0'))
    expect(texts()).toEqual([answer('0')])
    expect(warnings).toEqual(['the host answered a request that is not open (id 0)'])
  })

  test('has ids of its own: the host may use the same', async () => {
    const { host, server, toHost, texts } = playground()
    await host(request('1'))
    void server(request('1', 'roots/list'))
    await host(answer('1', '"host"'))
    void server(answer('1', '"server"'))
    expect(texts()).toEqual([request('1'), answer('1', '"host"')])
    expect(toHost).toEqual([request('1', 'roots/list'), answer('1', '"server"')])
  })

  test('is refused while another one with its id is open, whether or not that arrives', async () => {
    const { server, toHost, texts, sent, warnings, turn } = playground()
    void server(request('1', 'roots/list'))
    void server(request('1', 'roots/list'))
    expect(toHost).toHaveLength(1)
    expect(texts()).toEqual([refusal('1', -32600)])
    sent[0]!.fail(new RelayError('Gone.', { phase: 'request' }))
    await turn()
    expect(warnings).toEqual(['an answer: Gone.'])
  })

  test('is answered by us when the relay closes', async () => {
    const { relay, remote, server, sent, texts } = playground()
    void server(request('"q"', 'roots/list'))
    const closing = relay.close(remote, new RelayError('Bye.', { phase: 'shutdown' }))
    expect(texts()).toEqual([refusal('"q"', -31001)])
    sent[0]!.finish('complete')
    await closing
  })
})

describe('a cancelled request', () => {
  const cancelled = '{"method":"notifications/cancelled","params":{"requestId":1}}'

  test('gets no answer any more, and its id is free', async () => {
    const { host, server, toHost, texts } = playground()
    await host(request('1'))
    await host(cancelled)
    void server(answer('1'), '1')
    expect(toHost).toEqual([])
    await host(request('1', 'again'))
    expect(texts()).toEqual([request('1'), cancelled, request('1', 'again')])
  })

  test('leaves others alone', async () => {
    const { host, server, toHost } = playground()
    await host(request('"1"'))
    await host(cancelled)
    void server(answer('"1"'))
    expect(toHost).toEqual([answer('"1"')])
  })
})

describe('a batch of the host', () => {
  const note = '{"method":"notifications/x"}'
  const whole = `[${request('1')}, ${note},${request('2')}]`

  test('goes as it is where batches are legal, and so does its answer', async () => {
    const { host, server, toHost, texts } = playground({ batches: true })
    await host(whole)
    expect(texts()).toEqual([whole])
    void server(`[${answer('2')}, ${answer('1')}]`)
    void server(answer('1'))
    expect(toHost).toEqual([`[${answer('2')}, ${answer('1')}]`])
  })

  test('is split elsewhere, and answered as one array', async () => {
    const { host, server, toHost, texts } = playground()
    await host(whole)
    expect(texts()).toEqual([request('1'), note, request('2')])
    void server(answer('2'))
    expect(toHost).toEqual([])
    void server(answer('1'))
    expect(toHost).toEqual([`[${answer('2')},${answer('1')}]`])
  })

  test('has its errors in the same array', async () => {
    const { host, server, toHost, sent, turn } = playground()
    await host(`[${request('1')},7,${request('2')},{"id":3}]`)
    sent[1]!.fail(new RelayError('No.', { phase: 'connect' }))
    await turn()
    void server(answer('1'))
    expect(toHost).toHaveLength(1)
    expect(
      (JSON.parse(toHost[0]!) as { id: unknown; error?: { code: number } }[]).map(
        ({ id, error }) => [id, error?.code],
      ),
    ).toEqual([
      [null, -32600],
      [3, -32600],
      [2, -31001],
      [1, undefined],
    ])
  })

  test('with one id twice has one of the two refused', async () => {
    const { host, server, toHost, texts } = playground({ batches: true })
    await host(`[${request('1')},${request('1', 'other')}]`)
    expect(texts()).toEqual([request('1')])
    void server(answer('1'))
    expect(JSON.parse(toHost[0]!)).toMatchObject([
      { id: 1, error: { code: -32600 } },
      { id: 1, result: 1 },
    ])
  })

  test('is answered without the request that was cancelled', async () => {
    const { host, server, toHost } = playground()
    await host(whole)
    await host('{"method":"notifications/cancelled","params":{"requestId":1}}')
    void server(answer('2'))
    expect(toHost).toEqual([`[${answer('2')}]`])
  })

  test('of notifications is not answered', async () => {
    const { host, toHost, texts } = playground()
    await host(`[${note},${note}]`)
    expect(texts()).toEqual([note, note])
    expect(toHost).toEqual([])
  })
})

describe('a batch of the server', () => {
  test('is taken apart where batches are not legal', async () => {
    const { host, server, toHost } = playground()
    await host(request('1'))
    await host(request('2'))
    void server(`[${answer('1')},${request('9', 'roots/list')},${answer('2')}]`)
    expect(toHost).toEqual([answer('1'), request('9', 'roots/list'), answer('2')])
  })
})

describe('the end', () => {
  const bye = new RelayError('Bye.', { phase: 'shutdown' })

  test('answers what is open, and whatever still comes', async () => {
    const { host, relay, remote, toHost, texts } = playground()
    await host(request('1'))
    await relay.close(remote, bye)
    await host(request('2'))
    await host('{"method":"notifications/x"}')
    expect(toHost).toEqual([refusal('1', -31001), refusal('2', -31001)])
    expect(texts()).toEqual([request('1')])
  })

  test('is idle once every request is answered and everything else delivered', async () => {
    const { host, relay, server, sent, turn } = playground()
    await host(request('1'))
    await host('{"method":"notifications/x"}')
    let idle = false
    void relay.idle().then(() => {
      idle = true
    })
    void server(answer('1'))
    await turn()
    expect(idle).toBe(false)
    sent[1]!.finish('complete')
    await turn()
    expect(idle).toBe(true)
  })

  test('of a shared stream loses one request, or all of them', async () => {
    const { host, relay, toHost } = playground()
    for (const id of ['1', '2', '3']) await host(request(id))
    relay.events.lost(bye, '2')
    expect(toHost).toEqual([refusal('2', -31001)])
    relay.events.lost(bye)
    expect(toHost.slice(1)).toEqual([refusal('1', -31001), refusal('3', -31001)])
  })
})

test('what the server says that is no message is left out, with a word on stderr', () => {
  const { server, toHost, warnings } = playground()
  void server('{"id":1}')
  void server('7')
  expect(toHost).toEqual([])
  expect(warnings).toHaveLength(2)
})

test('a notification that fails is a word on stderr', async () => {
  const { host, sent, toHost, warnings, turn } = playground()
  await host('{"method":"notifications/x"}')
  sent[0]!.fail(new RelayError('No.', { phase: 'connect' }))
  await turn()
  expect(toHost).toEqual([])
  expect(warnings).toEqual(['notifications/x: No.'])
})

test('the promise of a host that is full reaches the server side', async () => {
  const full = Promise.resolve()
  const local = { send: () => full, read: () => new Promise(() => {}) } as unknown as Local
  const relay = createRelay(local, keptLog())
  expect(relay.events.frame(readFrame('{"method":"x"}')!)).toBe(full)
  await full
})
