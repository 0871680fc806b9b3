import type { Dispatcher } from 'undici'
import { BODY_JOIN_BYTES } from '../limits.ts'
import { createConnections } from './connections.ts'
import { abortReason, createExchange, type Exchange } from './exchange.ts'
import type { Network } from './network.ts'
import { createSecondTries, type Watch } from './second-try.ts'
import { createTurns } from './turns.ts'

/** One HTTP request of the bridge. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly url: URL
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: readonly Buffer[] | undefined
  /** Called when the request has a connection and is about to be written to it. */
  readonly onStart?: (() => void) | undefined
  /**
   * Called when no request that is sent from now on will be written before it. What brings this function
   * is written in the order in which it was sent; what goes again, with the same function, is not.
   */
  readonly onPlaced?: (() => void) | undefined
  /** Called when it failed and will be sent again: what follows need not wait for that. */
  readonly onPutOff?: (() => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** Whether nobody waits for it: such a request never makes a person sign in. */
  readonly background?: boolean | undefined
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
  const { http2 } = network
  const connections = createConnections({ connect: network.connector({ http2 }), http2 })
  const turns = createTurns()
  let onDead = (): void => {}

  function transmit(
    request: HttpRequest,
    resolve: (response: HttpResponse) => void,
    reject: (reason: unknown) => void,
  ): void {
    const { onPlaced, repeatable, signal } = request
    const options = dispatchOptions(request)
    // undici sends a POST beside others only with this word. It repeats nothing because of it.
    if (http2) options.idempotent = true
    const turn = onPlaced && turns.take(onPlaced)

    function dispatch(): void {
      const connection = connections.take(options.origin, repeatable)
      let held = false
      let watch: Watch | undefined
      const exchange: Exchange = createExchange(request, {
        starts() {
          held = turn?.start(again) === false
          if (held) return false
          const { idleMs } = connection
          const { abandon } = exchange
          if (idleMs > 0) watch = watchFirst?.(request, idleMs, { resolve, reject, abandon })
          request.onStart?.()
          onPlaced?.()
          return true
        },
        answered(response) {
          connections.promised(response.headers['keep-alive'])
          if (watch?.answered() !== false) resolve(response)
        },
        ended: () => connections.release(connection),
        failed(error) {
          connections.release(connection)
          if (held) return
          turn?.end()
          if (watch?.failed() !== false) reject(error)
        },
      })
      // On a connection that is there it is written in this turn of the event loop, behind those that
      // were dispatched before it: nothing has to wait for that.
      const isPlaced = connection.socket !== undefined
      connection.client.dispatch(options, exchange.handler)
      if (isPlaced) onPlaced?.()
    }

    /** Its turn has come, and its connection was given up for those before it. */
    function again(): void {
      if (signal?.aborted !== true) {
        dispatch()
        return
      }
      turn?.end()
      reject(abortReason(signal))
    }

    dispatch()
  }

  const send: HttpSend = (request) =>
    new Promise((resolve, reject) => transmit(request, resolve, reject))
  // On HTTP/2 a second try would go over the same connection.
  const watchFirst = http2
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
    destroy: connections.destroy,
  }
}

type Options = Dispatcher.DispatchOptions & { readonly origin: string }

function dispatchOptions(request: HttpRequest): Options {
  const { url, method, headers, body } = request
  if (body !== undefined && body.length > 1) {
    const size = body.reduce((sum, chunk) => sum + chunk.length, 0)
    if (size > BODY_JOIN_BYTES) {
      // Pieces are written one by one: joining would hold a large message twice.
      const sized = { ...headers, 'content-length': String(size) }
      return optionsOf(url, method, sized, body as unknown as Buffer)
    }
    return optionsOf(url, method, headers, Buffer.concat(body, size))
  }
  return optionsOf(url, method, headers, body?.[0] ?? null)
}

function optionsOf(
  url: URL,
  method: HttpRequest['method'],
  headers: Readonly<Record<string, string>>,
  body: Buffer | null,
): Options {
  return { origin: url.origin, path: url.pathname + url.search, method, headers, body }
}
