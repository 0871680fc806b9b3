import { modernHeaders } from '../era/headers.ts'
import type { ToolHeaders } from '../era/tool-headers.ts'
import { networkFailure, type RelayError, type ServerError } from '../errors.ts'
import type { Frame } from '../frame.ts'
import { readBody } from '../http/body.ts'
import type { HttpResponse, HttpSend } from '../http/client.ts'
import { MAX_ERROR_BODY_BYTES } from '../limits.ts'
import { noAnswer, readAnswers, type TakeFrame } from './answers.ts'
import type { Exchange } from './context.ts'
import { failureOf } from './failures.ts'
import type { Repeatable } from './repeatable.ts'
import type { Session } from './session.ts'

/** The media types of every POST (MCP 2025-11-25, Sending Messages to the Server). */
const POST_HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
} as const

/** What POSTs are made of. */
export interface PostsWorld {
  readonly url: URL
  readonly send: HttpSend
  readonly session: Session
  readonly toolHeaders: ToolHeaders
  readonly repeatable: Repeatable
}

/** How a message that nobody answers was received. */
interface Receipt {
  readonly status: number
  readonly body: Buffer
  readonly failure: RelayError | ServerError | undefined
}

/** How a request of ours is sent. */
interface Manner {
  readonly take: TakeFrame
  /** Nobody waits: no person is asked to sign in. */
  readonly background: boolean
  readonly signal?: AbortSignal | undefined
  /** Hears of an HTTP error before the request fails with it. */
  refused?(status: number, body: Buffer): void
}

/** Messages as POSTs of Streamable HTTP. */
export interface Posts {
  /** What the stateless era carries in every message, when the last request spoke it. */
  speaks(modern: string | undefined): void
  post(frame: Frame, exchange: Exchange | undefined, onStart?: () => void): Promise<HttpResponse>
  /** Sends a message that nobody answers; rejects when it did not arrive. */
  notify(frame: Frame, onStart?: () => void): Promise<Receipt>
  /** Sends a request of ours; settles with its answer, which nobody else sees. */
  ask(frame: Frame, manner: Manner): Promise<Frame>
}

/** POSTs in this session. */
export function createPosts(world: PostsWorld): Posts {
  const { url, send, session, toolHeaders, repeatable } = world
  let lastModern: string | undefined
  let headersIn: Readonly<Record<string, string>> = {}
  let sessionHeaders: Readonly<Record<string, string>> = POST_HEADERS

  /** The headers of a POST in this session: put together when they change, which takes 3 µs. */
  function inSession(): Readonly<Record<string, string>> {
    const headers = session.headers()
    if (headers !== headersIn) {
      headersIn = headers
      sessionHeaders = { ...POST_HEADERS, ...headers }
    }
    return sessionHeaders
  }

  function headersOf(frame: Frame, version: string | undefined): Readonly<Record<string, string>> {
    if (version !== undefined) {
      return { ...POST_HEADERS, ...modernHeaders(frame, version), ...toolHeaders.headers(frame) }
    }
    return frame.method === 'initialize' ? POST_HEADERS : inSession()
  }

  function post(
    frame: Frame,
    exchange: Exchange | undefined,
    onStart?: () => void,
  ): Promise<HttpResponse> {
    const version = exchange === undefined ? lastModern : exchange.modern
    return send({
      method: 'POST',
      url,
      headers: headersOf(frame, version),
      body: frame.chunks,
      // Has its place, so that the copies that wrappers make have no member more: that takes 3 µs.
      onStart: undefined,
      onPlaced: onStart,
      onPutOff: onStart,
      signal: exchange?.abort?.signal,
      repeatable: () => repeatable.may(frame),
      opens: frame.method === 'initialize',
    })
  }

  return {
    speaks(modern) {
      lastModern = modern ?? lastModern
    },
    post,
    async notify(frame, onStart) {
      try {
        const response = await post(frame, undefined, onStart)
        const body = await readBody(response, MAX_ERROR_BODY_BYTES)
        const failure = response.status < 300 ? undefined : failureOf(response, body)
        return { status: response.status, body, failure }
      } catch (error) {
        throw networkFailure(error, url.origin, 'request')
      }
    },
    async ask(frame, { take, background, signal, refused }) {
      const opens = frame.method === 'initialize'
      const response = await send({
        method: 'POST',
        url,
        headers: opens ? POST_HEADERS : inSession(),
        body: frame.chunks,
        signal,
        background,
        behindAnother: true,
        repeatable: () => signal === undefined,
      })
      if (response.status >= 300) {
        const body = await readBody(response, MAX_ERROR_BODY_BYTES)
        refused?.(response.status, body)
        throw failureOf(response, body)
      }
      if (opens) session.opened(response)
      return new Promise((resolve, reject) => {
        const mine: TakeFrame = (answer) => {
          if (answer.kind !== 'response' || answer.id !== frame.id) return take(answer)
          if (opens) session.initialized(answer)
          resolve(answer)
          return undefined
        }
        readAnswers(response, mine, {}, { warn() {}, state() {} }, () => {}).then(
          ({ failure }) => reject(failure ?? noAnswer(response)),
          reject,
        )
      })
    },
  }
}
