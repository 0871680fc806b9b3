import type { Outcome, Remote, RemoteEvents } from '../channel.ts'
import { modernVersion } from '../era/headers.ts'
import { CODE } from '../era/vocabulary.ts'
import { RelayError, ServerError, TransportMismatch } from '../errors.ts'
import type { Frame } from '../frame.ts'
import { mediaType } from '../http/body.ts'
import type { HttpSend } from '../http/client.ts'
import { valueAt } from '../json/locate.ts'
import type { Verdicts } from '../store/verdicts.ts'
import type { TransportContext } from './context.ts'
import { begin, follow } from '../delivery.ts'
import { openSse } from './sse.ts'
import { openStreamable } from './streamable.ts'

/** The transports that a server may speak. */
type Transport = 'http' | 'sse'

/** Which transport to use, or which to try first. mcp-remote's words for the same are kept. */
export type Strategy =
  | 'auto'
  | 'http'
  | 'sse'
  | 'http-first'
  | 'sse-first'
  | 'http-only'
  | 'sse-only'

/** The order in which transports are tried. */
const ORDER: Readonly<Record<Exclude<Strategy, 'auto'>, readonly Transport[]>> = {
  http: ['http'],
  'http-only': ['http'],
  sse: ['sse'],
  'sse-only': ['sse'],
  'http-first': ['http', 'sse'],
  'sse-first': ['sse', 'http'],
}

const OPEN: Readonly<Record<Transport, (context: TransportContext) => Promise<Remote>>> = {
  http: (context) => Promise.resolve(openStreamable(context)),
  sse: openSse,
}

/** Media types of an answer to a POST (MCP 2025-11-25, Sending Messages to the Server). */
const MCP_TYPES: ReadonlySet<string> = new Set(['application/json', 'text/event-stream'])

/** Answers to a POST that may mean "wrong transport" (MCP 2025-11-25, Backwards Compatibility). */
const MISMATCH_STATUS: ReadonlySet<number | undefined> = new Set([400, 404, 405])

/** Errors that only the stateless era has (MCP 2026-07-28, basic, Error Codes). */
const MODERN_CODES: ReadonlySet<unknown> = new Set([
  CODE.headerMismatch,
  CODE.missingCapability,
  CODE.unsupportedVersion,
])

/**
 * The server, behind whichever transport it speaks. The host's own first message is the probe: no
 * request is made that the server would not have seen anyway, beyond one GET for HTTP+SSE.
 */
export function openRemote(
  context: TransportContext,
  strategy: Strategy,
  verdicts: Verdicts,
): Remote {
  let chosen: Remote | undefined
  let order: Promise<readonly Transport[]> | undefined
  /** Where frames go that need no decision. */
  let direct: Promise<{ remote: Remote }> | undefined
  let deciding: Promise<void> | undefined
  let endDeciding = (): void => {}

  /** The transports in the order in which they are tried. */
  async function readOrder(): Promise<readonly Transport[]> {
    if (strategy !== 'auto') return ORDER[strategy]
    return ORDER[(await verdicts.read()).transport === 'sse' ? 'sse-first' : 'http-first']
  }

  /** Opens a transport; the first sign that the server speaks it makes it the chosen one. */
  async function open(transport: Transport): Promise<{ remote: Remote; spoken: () => void }> {
    let remote: Remote | undefined
    const spoken = (): void => {
      if (chosen !== undefined || remote === undefined) return
      chosen = remote
      endDeciding()
      context.log.state({ part: 'transport', what: 'chosen', transport })
      if (strategy === 'auto') verdicts.write({ transport })
    }
    const events: RemoteEvents = {
      ...context.events,
      frame(answer, owner) {
        spoken()
        return context.events.frame(answer, owner)
      },
    }
    // An answer may take an hour; that it comes in JSON or as a stream says enough.
    const send: HttpSend = async (request) => {
      if (chosen !== undefined) return context.send(request)
      const response = await context.send(request)
      if (response.status < 300 && MCP_TYPES.has(mediaType(response))) spoken()
      return response
    }
    remote = await OPEN[transport]({ ...context, send, events })
    return { remote, spoken }
  }

  /** Whether a frame needs no decision: there is no choice, or HTTP+SSE could not carry it. */
  function isDirect(frame: Frame, transports: readonly Transport[]): boolean {
    if (modernVersion(frame) !== undefined) return transports.includes('http')
    if (transports.length === 1) return transports[0] === 'http'
    // What follows such a frame, its cancellation say, goes the same way.
    return direct !== undefined && deciding === undefined && frame.method !== 'initialize'
  }

  /** Sends the first frame by one transport after the other until one of them is spoken. */
  async function decide(
    frame: Frame,
    transports: readonly Transport[],
    onStart: () => void,
  ): Promise<Outcome> {
    let refusal: unknown
    for (const transport of transports) {
      let remote: Remote | undefined
      try {
        const opened = await open(transport)
        remote = opened.remote
        const outcome = await follow(remote.send(frame), onStart)
        opened.spoken()
        return outcome
      } catch (error) {
        // The refusal of the first transport says more than that the second is not spoken.
        refusal ??= error
        if (chosen !== undefined) throw error
        void remote?.close()
        if (!isMismatch(error)) throw error
      }
    }
    throw refusal
  }

  async function deliver(frame: Frame, onStart: () => void): Promise<Outcome> {
    try {
      order ??= readOrder()
      const transports = await order
      if (chosen === undefined && isDirect(frame, transports)) {
        direct ??= open('http')
        const { remote } = await direct
        return await follow((chosen ?? remote).send(frame), onStart)
      }
      while (deciding !== undefined && chosen === undefined) await deciding
      if (chosen !== undefined) return await follow(chosen.send(frame), onStart)
      deciding = new Promise((resolve) => {
        endDeciding = resolve
      })
      try {
        return await decide(frame, transports, onStart)
      } finally {
        deciding = undefined
        endDeciding()
      }
    } finally {
      onStart()
    }
  }

  return {
    send: (frame) => chosen?.send(frame) ?? begin((onStart) => deliver(frame, onStart)),
    acceptsBatches: () => chosen?.acceptsBatches() ?? false,
    canNotify: () => chosen?.canNotify?.() ?? Promise.resolve(true),
    close: () => chosen?.close() ?? Promise.resolve(),
  }
}

function isMismatch(error: unknown): boolean {
  if (error instanceof TransportMismatch) return true
  if (error instanceof ServerError) {
    // What only a server of the stateless era says comes from the right URL (MCP 2026-07-28).
    return error.httpStatus === 405 && !MODERN_CODES.has(valueAt(error.object, 'code'))
  }
  return error instanceof RelayError && MISMATCH_STATUS.has(error.details.httpStatus)
}
