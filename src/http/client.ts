import type { Dispatcher } from 'undici'
import Agent from 'undici/lib/dispatcher/agent.js'
import Client from 'undici/lib/dispatcher/client.js'
import {
  BODY_JOIN_BYTES,
  KEEP_ALIVE_MS,
  MAX_STREAMS_PER_CONNECTION,
  RESPONSE_HIGH_WATER_BYTES,
} from '../limits.ts'
import { type Connections, createConnections, type Use } from './connections.ts'
import type { Network } from './network.ts'
import { createSecondTries, type FirstTry } from './second-try.ts'

/** One HTTP request of the bridge. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly url: URL
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: readonly Buffer[] | undefined
  /** Called when the request has a connection and is written to it, before any later request is. */
  readonly onStart?: (() => void) | undefined
  /** Called when it failed and will be sent again: what follows need not wait for that. */
  readonly onPutOff?: (() => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** Whether nobody waits for it: such a request never makes a person sign in. */
  readonly background?: boolean
  /** Whether the host waits for another request behind this one, and cannot wait for a person. */
  readonly behindAnother?: boolean
  /**
   * Whether it may be sent again although the server may have carried it out; asked when it has
   * failed. Absent: it is never sent again here.
   */
  readonly repeatable?: (() => boolean) | undefined
  /** Whether it opens a session: a second one, opened to be quick, would be left behind. */
  readonly opens?: boolean
}

/** A response whose body has not been read. */
export interface HttpResponse {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The URL that answered. */
  readonly url: URL
  /** What the user can do about a refusal, when a wrapper knows it. */
  readonly hint?: string | undefined
  /**
   * Hands over the body in pieces; a promise returned for a piece pauses the connection until it
   * settles. Settles at the end of the body, rejects when the body is cut or the request aborted.
   */
  consume(onChunk: (chunk: Buffer) => Promise<void> | undefined): Promise<void>
  /** Gives the response up and frees its connection. */
  discard(): void
}

/** Sends one request; rejects when no response headers arrive. */
export type HttpSend = (request: HttpRequest) => Promise<HttpResponse>

/** The connection pool. */
export interface HttpClient {
  readonly send: HttpSend
  /** Has this called when an idle connection turned out to be dead: others of its age may be, too. */
  onDead(listener: () => void): void
  /** Ends the idle connections. */
  reset(): void
  /** Takes note of the connections; the result ends those on which nothing has come since. */
  suspect(): (error: Error) => void
  /** Ends the connections from addresses that this machine no longer has; says how many. */
  dropOrphans(addresses: ReadonlySet<string>): number
  /** Ends every connection at once. */
  destroy(): Promise<void>
}

/** A client without fetch (a fifth of its CPU per message), without redirects and without timeouts on bodies. */
export function createHttpClient(network: Network): HttpClient {
  const connect = network.connector({ http2: network.http2 })
  let multiplexes = false
  const agent = new Agent({
    // undici ends a silent body after 300 s by default; an idle event stream is normal here, and a
    // tool may think for an hour.
    bodyTimeout: 0,
    headersTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect(target, callback) {
      connect(target, (...result) => {
        const [error, socket] = result
        multiplexes = error === null && 'alpnProtocol' in socket && socket.alpnProtocol === 'h2'
        callback(...result)
      })
    },
    allowH2: network.http2,
  })
  // Emitted inside the callback above. undici takes one request at a time for each connection unless
  // told otherwise, which is right for HTTP/1.1 and leaves HTTP/2 without its point.
  agent.on('connect', (_origin, targets) => {
    const client = targets.at(-1)
    if (multiplexes && client instanceof Client) client.pipelining = MAX_STREAMS_PER_CONNECTION
  })
  const connections = createConnections()
  let onDead = (): void => {}

  const send: HttpSend = (request) =>
    new Promise((resolve, reject) => {
      const { repeatable } = request
      const use: Use = {}
      const handler = createHandler(request, connections, use, resolve, reject)
      if (repeatable !== undefined) {
        connections.dropDoubtful(repeatable)
        const { abandon } = handler
        use.reused = (idleMs) => {
          use.watch = watch?.(request, idleMs, { resolve, reject, abandon })
        }
      }
      const dispatched = dispatchOptions(request)
      // undici sends a POST beside others only with this word. It repeats nothing because of it.
      if (network.http2) dispatched.idempotent = true
      agent.dispatch(dispatched, handler)
    })
  // On HTTP/2 a second try would go over the same connection.
  const watch = network.http2
    ? undefined
    : createSecondTries({ send, distrust: connections.reset, dead: () => onDead() })

  return {
    send,
    onDead(listener) {
      onDead = listener
    },
    reset: connections.reset,
    suspect: connections.suspect,
    dropOrphans: connections.dropOrphans,
    destroy() {
      connections.close()
      return agent.destroy()
    },
  }
}

function dispatchOptions(request: HttpRequest): Dispatcher.DispatchOptions {
  const { url, method, body } = request
  const headers: Record<string, string> = { ...request.headers }
  if (body !== undefined && body.length > 1) {
    const size = body.reduce((sum, chunk) => sum + chunk.length, 0)
    if (size > BODY_JOIN_BYTES) {
      // Pieces are written one by one: joining would hold a large message twice.
      headers['content-length'] = String(size)
      return options(url, method, headers, body as unknown as Buffer)
    }
    return options(url, method, headers, Buffer.concat(body, size))
  }
  return options(url, method, headers, body?.[0] ?? null)
}

function options(
  url: URL,
  method: HttpRequest['method'],
  headers: Record<string, string>,
  body: Buffer | null,
): Dispatcher.DispatchOptions {
  return { origin: url.origin, path: url.pathname + url.search, method, headers, body }
}

function createHandler(
  request: HttpRequest,
  connections: Connections,
  use: Use,
  resolve: (response: HttpResponse) => void,
  reject: (reason: unknown) => void,
): Dispatcher.DispatchHandler & Pick<FirstTry, 'abandon'> {
  const { signal } = request
  let controller: Dispatcher.DispatchController | undefined
  let onChunk: ((chunk: Buffer) => Promise<void> | undefined) | undefined
  let kept: Buffer[] = []
  let keptBytes = 0
  let end: { error?: unknown } | undefined
  let settle: { resolve: () => void; reject: (reason: unknown) => void } | undefined
  const abort = (): void => controller?.abort(abortReason(signal))

  function finish(result: { error?: unknown }): void {
    end ??= result
    signal?.removeEventListener('abort', abort)
    if (settle !== undefined && kept.length === 0) {
      if ('error' in end) settle.reject(end.error)
      else settle.resolve()
    }
  }

  /** Feeds one piece; while its promise is open the connection stays paused and later pieces are kept. */
  function feed(chunk: Buffer): void {
    let wait: Promise<void> | undefined
    try {
      wait = onChunk!(chunk)
    } catch (error) {
      fail(error)
      return
    }
    if (wait === undefined) return
    const consumer = onChunk
    onChunk = undefined
    controller?.pause()
    wait.then(() => {
      onChunk = consumer
      feedKept()
    }, fail)
  }

  function feedKept(): void {
    while (onChunk !== undefined && kept.length > 0) {
      const chunk = kept.shift()!
      keptBytes -= chunk.length
      feed(chunk)
    }
    if (onChunk === undefined) return
    if (end !== undefined) finish(end)
    else controller?.resume()
  }

  function fail(error: unknown): void {
    kept = []
    finish({ error })
    controller?.abort(error instanceof Error ? error : new Error(String(error)))
  }

  return {
    abandon() {
      if (end === undefined) controller?.abort(new Error('answered elsewhere'))
    },
    onRequestStart(started) {
      controller = started
      if (signal?.aborted === true) abort()
      else signal?.addEventListener('abort', abort, { once: true })
      connections.starting(use)
      request.onStart?.()
    },
    onResponseStart(_controller, status, headers) {
      if (status < 200) return
      connections.promised(headers['keep-alive'])
      if (use.watch?.answered() === false) return
      resolve({
        status,
        headers,
        url: request.url,
        consume: (consumer) =>
          new Promise((resolveBody, rejectBody) => {
            settle = { resolve: resolveBody, reject: rejectBody }
            onChunk = consumer
            feedKept()
          }),
        discard: () => {
          if (end === undefined) controller?.abort(new Error('response not wanted'))
        },
      })
    },
    onResponseData(_controller, chunk) {
      if (onChunk !== undefined && kept.length === 0) {
        feed(chunk)
        return
      }
      kept.push(chunk)
      keptBytes += chunk.length
      if (keptBytes > RESPONSE_HIGH_WATER_BYTES) controller?.pause()
    },
    onResponseEnd() {
      connections.ended(use)
      finish({})
    },
    onResponseError(_controller, error) {
      connections.ended(use)
      if (use.watch?.failed() !== false) reject(error)
      finish({ error })
    },
  }
}

function abortReason(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason
  return reason instanceof Error ? reason : new Error('aborted')
}
