import type { Outcome, Remote, RemoteEvents } from '../../src/channel.ts'
import { cancelledId, type Frame, readFrame } from '../../src/frame.ts'
import type { Message } from '../support/bridge.ts'

/** A frame that reached the server, and what can become of it. */
export interface Arrived {
  readonly frame: Frame
  readonly message: Message & { readonly id?: number | string }
  /** Answers with a result. */
  answer(result: object | string): void
  /** Says something on the stream of this request. */
  say(message: object): void
  /** Answers with an error under this id, in the request's own response. */
  refuse(error: object, id?: unknown): void
  /** The exchange is over. */
  end(outcome?: Outcome): void
  fail(error: Error): void
}

/** A server behind the transport, whose answers a test writes. */
export interface FakeServer {
  readonly remote: Remote
  readonly arrived: readonly Arrived[]
  /** The requests whose streams were closed by the client, by id. */
  readonly closed: readonly unknown[]
  /** To be called with the events that the transport was opened with. */
  connect(events: RemoteEvents): void
  /** The frame that arrived last. */
  last(): Arrived
}

export function createFakeServer(): FakeServer {
  const arrived: Arrived[] = []
  const closed: unknown[] = []
  let events: RemoteEvents | undefined

  function arrive(frame: Frame): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const message = read(frame)
      const say = (text: string): void => void events!.frame(readFrame(text)!, frame.id)
      arrived.push({
        frame,
        message,
        answer(result) {
          const source = typeof result === 'string' ? result : JSON.stringify(result)
          say(`{"jsonrpc":"2.0","id":${frame.id},"result":${source}}`)
          resolve('complete')
        },
        say: (note) => say(JSON.stringify(note)),
        refuse(error, id = message.id) {
          say(JSON.stringify({ jsonrpc: '2.0', id, error }))
          resolve('complete')
        },
        end: (outcome = 'complete') => resolve(outcome),
        fail: reject,
      })
    })
  }

  return {
    remote: {
      send(frame) {
        const started = Promise.resolve()
        const cancelled = cancelledId(frame)
        // As the transport does it: the stream is closed, and its exchange is over.
        const target = arrived.find((entry) => entry.frame.id === cancelled)
        if (cancelled !== undefined && target !== undefined) {
          closed.push(target.message.id)
          target.end()
          return { started, done: Promise.resolve('complete') }
        }
        return { started, done: arrive(frame) }
      },
      acceptsBatches: () => false,
      close: () => Promise.resolve(),
    },
    arrived,
    closed,
    connect: (given) => {
      events = given
    },
    last: () => arrived.at(-1)!,
  }
}

/** The host's end: what it was told, as text and as JSON. */
export interface FakeHost {
  readonly events: RemoteEvents
  readonly texts: readonly string[]
  said(): Message[]
}

export function createFakeHost(): FakeHost {
  const texts: string[] = []
  return {
    events: {
      frame(frame) {
        texts.push(Buffer.concat([...frame.chunks]).toString('utf8'))
        return undefined
      },
      lost: () => {},
      forgotten: () => {},
    },
    texts,
    said: () => texts.map((text) => JSON.parse(text) as Message),
  }
}

/** A message as a frame. */
export function frameOf(message: object | string): Frame {
  return readFrame(typeof message === 'string' ? message : JSON.stringify(message))!
}

/** Lets everything happen that needs no timer. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
}

function read(frame: Frame): Message & { id?: number | string } {
  return JSON.parse(Buffer.concat([...frame.chunks]).toString('utf8')) as Message & { id?: number }
}
