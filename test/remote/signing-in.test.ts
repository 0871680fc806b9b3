import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Delivery, Outcome, Remote, RemoteEvents } from '../../src/channel.ts'
import { RelayError, ServerError } from '../../src/errors.ts'
import { type Frame, readFrame } from '../../src/frame.ts'
import { INITIALIZE_PATIENCE_MS, LIST_PATIENCE_MS } from '../../src/limits.ts'
import { type PendingSignIn, withSignIn } from '../../src/remote/signing-in.ts'
import { keptLog } from '../support/log.ts'

const LINK = 'https://as.example/authorize?x=1'

interface Sent {
  readonly frame: Frame
  settle(outcome: Outcome): void
  fail(error: Error): void
}

/** A server that answers when the test says so. */
function setUp(capabilities: object = {}, remembered?: string) {
  const sent: Sent[] = []
  const toHost: Frame[] = []
  const kept: string[] = []
  let events: RemoteEvents | undefined
  let pending: PendingSignIn | undefined = { link: LINK }
  let started: Promise<void> = Promise.resolve()
  const inner: Remote = {
    send(frame): Delivery {
      const done = new Promise<Outcome>((settle, fail) => {
        sent.push({ frame, settle, fail })
      })
      return { started, done }
    },
    acceptsBatches: () => false,
    close: () => Promise.resolve(),
  }
  const remote = withSignIn(
    (given) => {
      events = given
      return inner
    },
    {
      host: 'mcp.example',
      events: {
        frame(frame) {
          toHost.push(frame)
          return undefined
        },
        lost: () => {},
        forgotten: () => {},
      },
      log: keptLog(),
      pending: () => pending,
      remembered: () => (remembered === undefined ? undefined : Buffer.from(remembered)),
      remember: (_, result) => {
        kept.push(result.toString())
      },
    },
  )
  const initialize = request(0, 'initialize', {
    protocolVersion: '2025-06-18',
    capabilities,
    clientInfo: { name: 'host', version: '1' },
  })
  return {
    sent,
    toHost,
    kept,
    initialize,
    send: (frame: Frame) => remote.send(frame),
    fromServer: (frame: Frame, owner?: string) => events!.frame(frame, owner),
    /** What is sent from now on is not on the wire before this settles. */
    startsAfter: (wait: Promise<void>) => {
      started = wait
    },
    signInIs: (value: PendingSignIn | undefined) => {
      pending = value
    },
    said: () => toHost.map((frame) => JSON.parse(Buffer.concat(frame.chunks).toString()) as Said),
  }
}

interface Said {
  readonly id?: unknown
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: {
    tools?: { name: string }[]
    content?: { text: string }[]
    isError?: boolean
  } & Record<string, unknown>
  readonly error?: { code: number; message: string; data: Record<string, unknown> }
}

function request(id: number, method: string, params: object = {}): Frame {
  return readFrame(JSON.stringify({ jsonrpc: '2.0', id, method, params }))!
}

function response(id: number, result: object): Frame {
  return readFrame(JSON.stringify({ jsonrpc: '2.0', id, result }))!
}

function refusal(id: number, error: object): Frame {
  return readFrame(JSON.stringify({ jsonrpc: '2.0', id, error }))!
}

const INITIALIZED = readFrame('{"jsonrpc":"2.0","method":"notifications/initialized"}')!

const realResult = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: {} },
  serverInfo: { name: 'real', version: '1' },
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('a server that answers in time is only listened to', async () => {
  const { send, initialize, fromServer, sent, said, kept } = setUp()
  const { done } = send(initialize)
  void fromServer(response(0, realResult), '0')
  sent[0]!.settle('complete')
  expect(await done).toBe('complete')
  await vi.advanceTimersByTimeAsync(INITIALIZE_PATIENCE_MS * 2)
  expect(said()).toEqual([{ jsonrpc: '2.0', id: 0, result: realResult }])
  expect(kept).toEqual([JSON.stringify(realResult)])
})

test('a slow server without a sign-in is waited for', async () => {
  const { send, initialize, signInIs, toHost } = setUp()
  signInIs(undefined)
  void send(initialize).done
  await vi.advanceTimersByTimeAsync(INITIALIZE_PATIENCE_MS * 20)
  expect(toHost).toHaveLength(0)
})

test('a server that refuses in time is only listened to', async () => {
  const { send, initialize, fromServer, sent, said, kept } = setUp()
  const { done } = send(initialize)
  void fromServer(refusal(0, { code: -32602, message: 'Not this version.' }), '0')
  sent[0]!.settle('complete')
  expect(await done).toBe('complete')
  expect(said()).toMatchObject([{ id: 0, error: { message: 'Not this version.' } }])
  expect(kept).toEqual([])
})

describe('while a person signs in', () => {
  async function waiting(capabilities?: object, remembered?: string) {
    const all = setUp(capabilities, remembered)
    const opening = all.send(all.initialize).done
    await vi.advanceTimersByTimeAsync(INITIALIZE_PATIENCE_MS + 500)
    return { ...all, opening }
  }

  test('the host gets a preliminary InitializeResult with the link, in its own version', async () => {
    const { said } = await waiting()
    expect(said()).toHaveLength(1)
    expect(said()[0]).toMatchObject({ id: 0, result: { protocolVersion: '2025-06-18' } })
    expect(said()[0]!.result!['instructions']).toContain(LINK)
  })

  test('the result of last time is given when there is one', async () => {
    const { said } = await waiting({}, '{"protocolVersion":"2025-06-18","n":12345678901234567890}')
    expect(said()[0]!.result).toMatchObject({ protocolVersion: '2025-06-18' })
  })

  test('a second initialize gets the same answer at once', async () => {
    const { send, said } = await waiting()
    expect(await send(request(7, 'initialize')).done).toBe('complete')
    expect(said()[1]).toMatchObject({ id: 7, result: said()[0]!.result })
  })

  test('lists wait, and are then answered with the one tool that is there', async () => {
    const { send, said, sent } = await waiting()
    const { done } = send(request(1, 'tools/list'))
    await vi.advanceTimersByTimeAsync(LIST_PATIENCE_MS - 1000)
    expect(said()).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(2000)
    expect(await done).toBe('complete')
    expect(said()[1]!.result!.tools!.map((tool) => tool.name)).toEqual(['sign_in'])
    expect(sent).toHaveLength(1)
  })

  test('other requests are refused with the link', async () => {
    const { send, said } = await waiting()
    void send(request(1, 'tools/call', { name: 'add' })).done
    await vi.advanceTimersByTimeAsync(LIST_PATIENCE_MS + 1000)
    expect(said()[1]!.error).toMatchObject({ code: -31001, data: { phase: 'authorization' } })
    expect(said()[1]!.error!.data['hint']).toContain(LINK)
  })

  test('ping is answered', async () => {
    const { send, said } = await waiting()
    await send(request(1, 'ping')).done
    expect(said()[1]).toEqual({ jsonrpc: '2.0', id: 1, result: {} })
  })

  test('the tool sign_in gives the link', async () => {
    const { send, said } = await waiting()
    await send(request(1, 'tools/call', { name: 'sign_in', arguments: {} })).done
    expect(said()[1]!.result!.content![0]!.text).toContain(LINK)
    expect(said()[1]!.result!.isError).toBe(false)
  })

  test('a host that can show links is asked to, and its answer stays here', async () => {
    const { send, said, sent } = await waiting({ elicitation: { url: {} } })
    await send(request(1, 'tools/call', { name: 'sign_in' })).done
    const question = said()[1]!
    expect(question).toMatchObject({
      method: 'elicitation/create',
      params: { mode: 'url', url: LINK },
    })
    const reply = JSON.stringify({ jsonrpc: '2.0', id: question.id, result: { action: 'accept' } })
    await send(readFrame(reply)!).done
    expect(sent).toHaveLength(1)
  })

  test('what the server asks before it answers is answered', async () => {
    const { send, fromServer, said, sent } = await waiting()
    void fromServer(request(8, 'ping'), '0')
    expect(said()[1]).toMatchObject({ id: 8, method: 'ping' })
    void send(response(8, {})).done
    expect(sent.map(({ frame }) => `${frame.id} ${frame.kind}`)).toEqual([
      '0 request',
      '8 response',
    ])
  })

  test('a cancelled request that waits is forgotten, and no other', async () => {
    const { send, said } = await waiting()
    void send(request(1, 'tools/list')).done
    void send(request(2, 'prompts/list')).done
    const params = { requestId: 1 }
    const text = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params })
    await send(readFrame(text)!).done
    await vi.advanceTimersByTimeAsync(LIST_PATIENCE_MS * 2)
    expect(said().map(({ id }) => id)).toEqual([0, 2])
  })

  test('afterwards what waited is sent in order, and the host is told to look again', async () => {
    const { send, fromServer, sent, said, opening } = await waiting()
    void send(INITIALIZED).done
    const list = send(request(1, 'tools/list')).done
    void fromServer(response(0, realResult), '0')
    await vi.advanceTimersByTimeAsync(0)
    sent[0]!.settle('complete')
    expect(await opening).toBe('complete')
    expect(sent.map(({ frame }) => frame.method)).toEqual([
      'initialize',
      'notifications/initialized',
      'tools/list',
    ])
    void fromServer(response(1, { tools: [{ name: 'add' }] }), '1')
    sent[2]!.settle('complete')
    expect(await list).toBe('complete')
    const [, ...later] = said()
    expect(later).toEqual([
      { jsonrpc: '2.0', method: 'notifications/tools/list_changed' },
      { jsonrpc: '2.0', id: 1, result: { tools: [{ name: 'add' }] } },
    ])
    void send(request(2, 'tools/call', { name: 'add' })).done
    expect(sent).toHaveLength(4)
  })

  test('afterwards what comes while others are being sent does not overtake them', async () => {
    const { send, fromServer, sent, startsAfter } = await waiting()
    let start = (): void => {}
    startsAfter(new Promise((resolve) => (start = resolve)))
    void send(request(1, 'tools/list')).done
    void send(request(2, 'prompts/list')).done
    void fromServer(response(0, realResult), '0')
    void send(request(3, 'resources/list')).done
    await vi.advanceTimersByTimeAsync(0)
    expect(sent.map(({ frame }) => frame.id)).toEqual(['0', '1'])
    start()
    await vi.advanceTimersByTimeAsync(0)
    expect(sent.map(({ frame }) => frame.id)).toEqual(['0', '1', '2', '3'])
  })

  test('the tool says so when nobody has to sign in any more and the server is slow', async () => {
    const { send, said, signInIs } = await waiting()
    signInIs(undefined)
    const call = send(request(1, 'tools/call', { name: 'sign_in' })).done
    await vi.advanceTimersByTimeAsync(LIST_PATIENCE_MS + 500)
    expect(await call).toBe('complete')
    const { content, isError } = said()[1]!.result!
    expect(content![0]!.text).toContain('does not wait for a sign-in any more')
    expect(isError).toBe(false)
  })

  test.each<{ name: string; words: string; refuse(all: ReturnType<typeof setUp>): void }>([
    {
      name: 'with an answer',
      words: 'Not this version.',
      refuse({ fromServer, sent }) {
        void fromServer(refusal(0, { code: -32602, message: 'Not this version.' }), '0')
        sent.at(-1)!.settle('complete')
      },
    },
    {
      name: 'without a word',
      words: 'The server refused it.',
      refuse({ fromServer, sent }) {
        void fromServer(refusal(0, { code: -32602 }), '0')
        sent.at(-1)!.settle('complete')
      },
    },
    {
      name: 'with an HTTP status',
      words: 'No more sessions.',
      refuse({ sent }) {
        const error = Buffer.from('{"code":-32000,"message":"No more sessions."}')
        sent.at(-1)!.fail(new ServerError(error, 400))
      },
    },
  ])(
    'a server that then refuses $name is tried again by the tool, at once',
    async ({ words, refuse }) => {
      const all = await waiting()
      const { send, sent, said, fromServer, signInIs } = all
      void send(INITIALIZED).done
      const list = send(request(1, 'tools/list')).done
      signInIs(undefined)
      refuse(all)
      expect(await list).toBe('complete')
      expect(said()[1]!.result!.tools!.map(({ name }) => name)).toEqual(['sign_in'])
      const call = send(request(2, 'tools/call', { name: 'sign_in' })).done
      refuse(all)
      await vi.advanceTimersByTimeAsync(1_000)
      expect(await call).toBe('complete')
      expect(said()[2]!.result).toMatchObject({ isError: true })
      expect(said()[2]!.result!.content![0]!.text).toContain(words)
      // What is no request has waited through all this.
      void send(request(3, 'tools/call', { name: 'sign_in' })).done
      void fromServer(response(0, realResult), '0')
      await vi.advanceTimersByTimeAsync(1_000)
      const methods = sent.map(({ frame }) => frame.method)
      expect(methods).toEqual([...Array(3).fill('initialize'), 'notifications/initialized'])
    },
  )

  test('a denied sign-in is told, and the tool starts another one', async () => {
    const { send, sent, said, opening, signInIs } = await waiting()
    signInIs(undefined)
    sent[0]!.fail(new RelayError('You did not agree.', { phase: 'authorization' }))
    expect(await opening).toBe('complete')
    expect(await send(request(1, 'tools/list')).done).toBe('complete')
    expect(said()[1]!.result!.tools!.map((tool) => tool.name)).toEqual(['sign_in'])
    const call = send(request(2, 'tools/call', { name: 'sign_in' })).done
    expect(sent.map(({ frame }) => frame.method)).toEqual(['initialize', 'initialize'])
    signInIs({ link: 'https://as.example/again' })
    await vi.advanceTimersByTimeAsync(1000)
    expect(await call).toBe('complete')
    const { content, isError } = said()[2]!.result!
    expect(content![0]!.text).toContain('You did not agree.')
    expect(content![0]!.text).toContain('https://as.example/again')
    expect(isError).toBe(true)
    // However long it takes, the host has its answer to `initialize`.
    await vi.advanceTimersByTimeAsync(INITIALIZE_PATIENCE_MS * 2)
    expect(said()).toHaveLength(3)
  })
})
