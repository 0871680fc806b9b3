import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { failurePage, type Page, refusal, stoppedPage, strayPage, successPage } from './pages.ts'

/** Where the authorization server shall send the browser back to. */
export interface CallbackPlace {
  readonly host: '127.0.0.1' | 'localhost'
  /** 0 takes any free port. */
  readonly port: number
  /** Begins with a slash. */
  readonly path: string
  /** Closes the listener at once. */
  readonly signal: AbortSignal
}

/** The parameters of the one request whose `state` matched. */
type CallbackAnswer = URLSearchParams

/** How the sign-in ended, for the person who looks at the browser. */
export type Outcome =
  /** `next`: where the browser goes then; a page of ours without it. */
  | { readonly ok: true; readonly next?: string | undefined }
  | { readonly ok: false; readonly title: string; readonly detail: string }

/** A listener on this machine that waits for one browser to come back. */
export interface Callback {
  /** As it is to be registered, and to be sent in the authorization and the token request. */
  readonly redirectUri: string
  readonly port: number
  /** Waits for the request with this `state`; called once. Rejects when the listener closes. */
  answer(state: string): Promise<CallbackAnswer>
  /** Tells the waiting browser the truth and stops listening. */
  finish(outcome: Outcome): void
  /** Stops listening; settles when the last connection is gone. */
  close(): Promise<void>
}

/** The port cannot be had: another one, and a new registration, can. */
export class PortUnavailable extends Error {
  override readonly name = 'PortUnavailable'
  override readonly cause: NodeJS.ErrnoException
  readonly port: number

  constructor(port: number, address: string, cause: NodeJS.ErrnoException) {
    const why = cause.code === 'EADDRINUSE' ? 'another program listens there' : cause.message
    super(`Port ${port} of ${address} cannot be used for sign-in: ${why}.`)
    this.cause = cause
    this.port = port
  }
}

/** Request line and headers; a code is at most a few KiB, and browsers send no cookies of ours. */
const MAX_HEADER_BYTES = 16 * 1024

/** A browser opens six at most; above it the oldest connection that waits for nothing is dropped. */
const MAX_CONNECTIONS = 32

/** Loopback needs microseconds; who is slower than this holds a connection for its own sake. */
const HEADERS_TIMEOUT_MS = 5_000

/** How long connections may stay after the end, to read their last answer. */
const LINGER_MS = 250

/** The names a browser on this machine calls us by; any other comes from DNS rebinding. */
const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]']

const SERVER_OPTIONS = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: HEADERS_TIMEOUT_MS,
  // How often the two limits above are looked at; the default is 30 s.
  connectionsCheckingInterval: 1_000,
}

/** Systems without IPv6: `localhost` means 127.0.0.1 there, and nobody can take our place on ::1. */
const NO_IPV6: ReadonlySet<string | undefined> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])

/**
 * Listens for the browser's return. The port is bound when this settles, so that nobody else can
 * have it by the time it is part of an address. Rejects with PortUnavailable.
 */
export async function listenForCallback(place: CallbackPlace): Promise<Callback> {
  const { host, path, signal } = place
  signal.throwIfAborted()
  // As browsers write it: they encode what a configured path may contain literally.
  const { pathname } = new URL(`http://${host}${path}`)
  const connections = trackConnections()
  let pending: Pending | undefined
  let lastPage: Page | undefined

  const servers = await bindAll(host, place.port, connections.add, (request, response) => {
    const judged = judge(request, pathname, pending?.digest)
    if (!(judged instanceof URLSearchParams)) {
      send(response, judged)
    } else if (lastPage === undefined) {
      // Held until `finish`: the page tells how the sign-in ended, not that a code came.
      connections.hold(response)
      // Only the first call counts: a repetition changes nothing.
      pending?.resolve(judged)
    } else {
      send(response, lastPage)
    }
  })

  const { port } = servers[0]!.address() as AddressInfo
  let closing: Promise<unknown> | undefined

  function end(page: Page, why: unknown): Promise<unknown> {
    if (closing !== undefined) return closing
    lastPage = page
    signal.removeEventListener('abort', onAbort)
    pending?.reject(why)
    closing = Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
    connections.end(page)
    return closing
  }

  const stopped = new Error('The sign-in was stopped.')
  const onAbort = (): void => void end(stoppedPage(), signal.reason)
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) await end(stoppedPage(), signal.reason)
  signal.throwIfAborted()

  return {
    redirectUri: `http://${host}:${port}${path}`,
    port,
    answer: (state) =>
      new Promise((resolve, reject) => {
        if (closing !== undefined || pending !== undefined) reject(stopped)
        else pending = { digest: digest(state), resolve, reject }
      }),
    finish(outcome) {
      const page = outcome.ok
        ? successPage(outcome.next)
        : failurePage(outcome.title, outcome.detail)
      void end(page, stopped)
    },
    async close() {
      await end(stoppedPage(), stopped)
    },
  }
}

interface Pending {
  readonly digest: Buffer
  readonly resolve: (answer: CallbackAnswer) => void
  readonly reject: (why: unknown) => void
}

/** The parameters of the one genuine request, or what to say to any other. Changes nothing. */
function judge(
  { url = '', method, headers, socket }: IncomingMessage,
  pathname: string,
  expected: Buffer | undefined,
): CallbackAnswer | Page {
  const ours = LOOPBACK_NAMES.map((name) => new URL(`http://${name}:${socket.localPort}`).host)
  if (!ours.includes(headers.host?.toLowerCase() ?? '')) return refusal(400)
  const [path, query = ''] = splitOnce(url, '?')
  if (path !== pathname) return refusal(404)
  if (method !== 'GET') return refusal(405, { allow: 'GET' })
  // Node hands over an upgrade that nobody listens for as an ordinary request.
  if (headers.upgrade !== undefined) return refusal(400)
  const params = new URLSearchParams(query)
  const [state, ...more] = params.getAll('state')
  if (expected === undefined || state === undefined || more.length > 0) return strayPage()
  return timingSafeEqual(digest(state), expected) ? params : strayPage()
}

interface Connections {
  add(socket: Socket): void
  /** Keeps a request without an answer until the end. */
  hold(response: ServerResponse): void
  /** Answers what is held; whoever is still connected a moment later is cut off. */
  end(page: Page): void
}

function trackConnections(): Connections {
  const sockets = new Set<Socket>()
  const held = new Set<ServerResponse>()
  return {
    add(socket) {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      if (sockets.size <= MAX_CONNECTIONS) return
      // Not the newest, as `server.maxConnections` would have it: that may be the person's browser.
      const busy = new Set([...held].map((response) => response.socket))
      for (const candidate of sockets) {
        if (!busy.has(candidate)) {
          candidate.destroy()
          return
        }
      }
    },
    hold(response) {
      held.add(response)
      response.once('close', () => held.delete(response))
    },
    end(page) {
      for (const response of held) send(response, page)
      // Browsers open connections in advance and send nothing on them.
      setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, LINGER_MS).unref()
    },
  }
}

function send(response: ServerResponse, { status, headers, body }: Page): void {
  response.writeHead(status, {
    ...headers,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  })
  response.end(body)
}

/** Listens on every address that the name means to a browser; on all of them or on none. */
async function bindAll(
  host: CallbackPlace['host'],
  port: number,
  onConnection: (socket: Socket) => void,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<readonly Server[]> {
  const open = (): Server => createServer(SERVER_OPTIONS, onRequest).on('connection', onConnection)
  const first = open()
  await bind(first, '127.0.0.1', port)
  if (host === '127.0.0.1') return [first]
  // Without it another user of this machine could sit on ::1 and be given the code.
  const second = open()
  try {
    await bind(second, '::1', (first.address() as AddressInfo).port)
    return [first, second]
  } catch (error) {
    if (error instanceof PortUnavailable && NO_IPV6.has(error.cause.code)) return [first]
    first.close()
    throw error
  }
}

function bind(server: Server, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new PortUnavailable(port, address, error)))
    server.listen({ host: address, port, exclusive: true }, resolve)
  })
}

/** A fixed length, which is what the comparison in constant time asks for. */
function digest(state: string): Buffer {
  return createHash('sha256').update(state).digest()
}

function splitOnce(text: string, mark: string): readonly [string, string?] {
  const at = text.indexOf(mark)
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}
