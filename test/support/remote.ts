import { expect, onTestFinished } from 'vitest'
import type { HostLine, Local } from '../../src/channel.ts'
import { readFrame } from '../../src/frame.ts'
import { createHttpClient, type HttpSend } from '../../src/http/client.ts'
import { META, MODERN_VERSION } from '../../src/era/vocabulary.ts'
import { createRelay } from '../../src/relay.ts'
import { createPatience } from '../../src/remote/patience.ts'
import { openSse } from '../../src/remote/sse.ts'
import { openStreamable } from '../../src/remote/streamable.ts'
import type { Message } from './bridge.ts'
import { type KeptLog, keptLog } from './log.ts'
import { plainNetwork } from './network.ts'

/** A host whose bridge runs in the process of the test. */
export interface RemoteHost {
  /** The host writes a message. */
  write(message: object): void
  /** What it has been sent, in order. */
  readonly said: readonly Message[]
  /** The answer to one of its requests. */
  answer(id: unknown): Promise<Message>
  /** Writes a request and waits for its answer. */
  ask(id: unknown, method: string, params?: object): Promise<Message>
  readonly log: KeptLog
  /** Settles when the link has changed in this way, so many times. */
  changed(part: string, what: string, times?: number): Promise<void>
}

/** What can be different about it. */
export interface RemoteHostOptions {
  readonly transport?: 'http' | 'sse'
  readonly pingMs?: number
  /** Stands between the transport and the network, as signing in does. */
  readonly wrap?: (next: HttpSend) => HttpSend
}

/**
 * A relay in front of a real server over one transport, without what finds out the server's era,
 * signs in and tries again. Unlike a program of its own it has the clock and the limits of the test.
 */
export async function openHost(url: string, options: RemoteHostOptions = {}): Promise<RemoteHost> {
  const { transport = 'http', pingMs, wrap = (next) => next } = options
  const said: Message[] = []
  let take: (line: HostLine) => Promise<void> | undefined = () => undefined
  const local: Local = {
    send(frame) {
      said.push(JSON.parse(Buffer.concat([...frame.chunks]).toString('utf8')) as Message)
      return undefined
    },
    read(onLine) {
      take = onLine
      return new Promise(() => {})
    },
    broken: new Promise(() => {}),
    ended: new Promise(() => {}),
    flush: () => Promise.resolve(),
  }
  const log = keptLog()
  const relay = createRelay(local, log)
  const client = createHttpClient(plainNetwork())
  const send = wrap(client.send)
  const patience = createPatience(log, undefined, Date.now)
  const { events } = relay
  const context = {
    url: new URL(url),
    send,
    events,
    log,
    patience,
    pool: client,
    wakes: new Set<() => void>(),
    pingMs,
  }
  const remote = transport === 'sse' ? await openSse(context) : openStreamable(context)
  onTestFinished(async () => {
    await remote.close()
    patience.close()
    await client.destroy()
  })
  void relay.run(remote)

  // One after the other, as they are read off a pipe.
  let last: Promise<void> = Promise.resolve()
  const write = (message: object): void => {
    const frame = readFrame(JSON.stringify({ jsonrpc: '2.0', ...message }))!
    last = last.then(() => take({ kind: 'frame', frame }))
  }
  const answer = async (id: unknown): Promise<Message> => {
    const find = (): Message | undefined =>
      said.find((message) => message.id === id && message.method === undefined)
    await expect.poll(find).toBeDefined()
    return find()!
  }
  return {
    write,
    said,
    answer,
    ask(id, method, params) {
      write({ id, method, ...(params && { params }) })
      return answer(id)
    },
    log,
    async changed(part, what, times = 1) {
      await expect
        .poll(() => log.changes.filter((change) => change.part === part && change.what === what))
        .toHaveLength(times)
    },
  }
}

/** What a host of the initialize era writes first. */
export const INITIALIZE = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'test-host', version: '1.0.0' },
}

/** Parameters of a request of the stateless era. */
export function modern(params: object = {}): object {
  return { ...params, _meta: { [META.version]: MODERN_VERSION, [META.capabilities]: {} } }
}
