import { onTestFinished } from 'vitest'
import type { Outcome, Remote } from '../../../src/channel.ts'
import { openModernToLegacy } from '../../../src/era/modern-to-legacy/index.ts'
import type { Translator } from '../../../src/era/translator.ts'
import { type Frame, readFrame, slice } from '../../../src/frame.ts'
import { createRelay } from '../../../src/relay.ts'
import type { HostLine, Local } from '../../../src/channel.ts'
import type { Message } from '../../support/bridge.ts'
import { type KeptLog, keptLog } from '../../support/log.ts'
import { until } from '../../support/until.ts'
import { watchWire } from '../../support/wire.ts'

export type { Message } from '../../support/bridge.ts'

/** A server of the initialize era without a wire, and a stateless host in front of it. */
export interface World {
  readonly log: KeptLog
  readonly translator: Translator
  /** What the host was sent, as text and parsed. */
  readonly lines: readonly string[]
  readonly toHost: readonly Message[]
  /** What the server was sent. */
  readonly serverLines: readonly string[]
  readonly toServer: readonly Message[]
  /** The host says something; objects as JSON. */
  say(message: object | string): void
  /** The host asks for something, with all that the stateless era demands. */
  ask(id: unknown, method: string, params?: object, meta?: object): void
  /** The server says something; `owner` is the id of the request in whose response. */
  tell(message: object | string, owner?: unknown): void
  /** The server answers a request and its response ends. */
  reply(request: Message, result: object | string): void
  /** The response to a request ends. */
  over(id: unknown): void
  /** A request fails on its way, or the answer under way is lost. */
  fail(request: Message, error: Error): void
  /** The nth message of a method that the server was sent, waited for. */
  served(method: string, nth?: number): Promise<Message>
  /** The answer to the host, waited for. */
  answer(id: unknown, nth?: number): Promise<Message>
  /** The host closes its side. */
  end(): Promise<void>
}

export const VERSION = '2026-07-28'

export const CAPABILITIES = {
  sampling: {},
  roots: {},
  elicitation: { form: {}, url: {} },
}

/** Everything that a server of the initialize era can offer. */
export const OFFERED = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  logging: {},
  completions: {},
}

export interface WorldOptions {
  readonly capabilities?: object
  /** Results by method, at once; `undefined` waits for the test. */
  readonly results?: Readonly<Record<string, object | ((request: Message) => object)>>
  /** Answers come on a stream of their own, as over HTTP+SSE. */
  readonly shared?: boolean
  /** Frames of tests that break the rules on purpose are not judged. */
  readonly lawless?: boolean
  /** The server has no stream of its own. */
  readonly mute?: boolean
}

export function startWorld(options: WorldOptions = {}): World {
  const {
    capabilities = OFFERED,
    results = {},
    shared = false,
    lawless = false,
    mute = false,
  } = options
  const log = keptLog()
  const lines: string[] = []
  const serverLines: string[] = []
  const open = new Map<unknown, { resolve(outcome: Outcome): void; reject(error: Error): void }>()
  const hostWire = watchWire('modern')
  const serverWire = watchWire('legacy')
  let onLine: ((line: HostLine) => Promise<void> | undefined) | undefined
  let ended = (): void => {}

  const local: Local = {
    send(frame) {
      lines.push(textOf(frame))
      hostWire.fromServer(JSON.parse(textOf(frame)))
      return undefined
    },
    broken: new Promise(() => {}),
    flush: () => Promise.resolve(),
    read: (take) => {
      onLine = take
      return new Promise((resolve) => {
        ended = resolve
      })
    },
    ended: new Promise(() => {}),
  }
  const relay = createRelay(local, log)

  const DEFAULTS: WorldOptions['results'] = {
    initialize: () => ({
      protocolVersion: '2025-11-25',
      capabilities,
      serverInfo: { name: 'old', version: '1.0.0' },
    }),
  }

  const server: Remote = {
    send(frame) {
      const text = textOf(frame)
      const message = JSON.parse(text) as Message
      serverLines.push(text)
      serverWire.fromClient(message)
      const started = Promise.resolve()
      if (frame.kind !== 'request') return { started, done: Promise.resolve('complete') }
      const done = new Promise<Outcome>((resolve, reject) => {
        open.set(message.id, { resolve, reject })
      })
      const result = results[message.method!] ?? DEFAULTS[message.method!]
      if (result !== undefined) {
        queueMicrotask(() =>
          reply(
            message,
            typeof result === 'function' ? (result as (r: Message) => object)(message) : result,
          ),
        )
      }
      return { started, done: shared ? Promise.resolve('elsewhere') : done }
    },
    acceptsBatches: () => false,
    canNotify: () => Promise.resolve(!mute),
    close: () => Promise.resolve(),
  }

  let tokens = 0
  const translator = openModernToLegacy({
    server,
    events: relay.events,
    log,
    host: 'old.example',
    now: Date.now,
    random: () => `token-${++tokens}`,
    standsFor: () => {},
  })
  const running = relay.run(translator)

  function tell(message: object | string, owner?: unknown): void {
    const text = typeof message === 'string' ? message : JSON.stringify(message)
    serverWire.fromServer(JSON.parse(text))
    void translator.fromServer(
      readFrame(text)!,
      owner === undefined ? undefined : JSON.stringify(owner),
    )
  }

  function reply({ id }: Message, result: object | string): void {
    const member = typeof result === 'string' || !('code' in result) ? 'result' : 'error'
    const text = typeof result === 'string' ? result : JSON.stringify(result)
    tell(
      `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"${member}":${text}}`,
      shared ? undefined : id,
    )
    over(id)
  }

  function over(id: unknown): void {
    open.get(id)?.resolve('complete')
    open.delete(id)
  }

  function say(message: object | string): void {
    const text = typeof message === 'string' ? message : JSON.stringify(message)
    hostWire.fromClient(JSON.parse(text))
    void onLine!({ kind: 'frame', frame: readFrame(text)! })
  }

  onTestFinished(async () => {
    ended()
    await running
    await translator.close()
    if (lawless) return
    const faults = [...hostWire.faults, ...serverWire.faults]
    if (faults.length > 0) throw new Error(faults.join('\n'))
  })

  const parsed = (all: readonly string[]): Message[] =>
    all.map((line) => JSON.parse(line) as Message)
  const seen = (): string =>
    `to the host:\n${lines.join('\n')}\nto the server:\n${serverLines.join('\n')}`
  return {
    log,
    translator,
    lines,
    get toHost() {
      return parsed(lines)
    },
    serverLines,
    get toServer() {
      return parsed(serverLines)
    },
    say,
    ask: (id, method, params = {}, meta = {}) =>
      say({ jsonrpc: '2.0', id, method, params: { ...params, _meta: { ...metaOf(), ...meta } } }),
    tell,
    reply,
    over,
    fail({ id }, error) {
      if (shared) translator.lost(error, JSON.stringify(id))
      else open.get(id)?.reject(error)
    },
    served: (method, nth = 0) =>
      until(
        `${method} at the server`,
        () => parsed(serverLines).filter((message) => message.method === method)[nth],
        { ms: 2_000, seen },
      ),
    answer: (id, nth = 0) =>
      until(
        `the answer to ${JSON.stringify(id)}`,
        () => parsed(lines).filter((one) => one.method === undefined && one.id === id)[nth],
        { ms: 2_000, seen },
      ),
    async end() {
      ended()
      await running
    },
  }
}

/** The `_meta` of a request of the stateless era. */
export function metaOf(capabilities: object = CAPABILITIES): object {
  return {
    'io.modelcontextprotocol/protocolVersion': VERSION,
    'io.modelcontextprotocol/clientCapabilities': capabilities,
    'io.modelcontextprotocol/clientInfo': { name: 'new', version: '2.0.0' },
  }
}

function textOf(frame: Frame): string {
  return slice(frame.chunks, { start: 0, end: frame.size }).toString('utf8')
}
