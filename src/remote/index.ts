import type { Delivery, Outcome, Remote, RemoteEvents } from '../channel.ts'
import { RelayError, ServerError, TransportMismatch } from '../errors.ts'
import type { Frame } from '../frame.ts'
import { mediaType } from '../http/body.ts'
import type { HttpSend } from '../http/client.ts'
import type { Verdicts } from '../store/verdicts.ts'
import type { TransportContext } from './context.ts'
import { openSse } from './sse.ts'
import { openStreamable } from './streamable.ts'

/** The transports that a server may speak. */
export type Transport = 'http' | 'sse'

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
  let deciding: Promise<void> | undefined
  let endDeciding = (): void => {}

  /** Sends the first frame by one transport after the other until one of them is spoken. */
  async function decide(frame: Frame, onStart: () => void): Promise<Outcome> {
    const known = strategy === 'auto' ? await verdicts.read(context.url) : undefined
    const order = ORDER[strategy === 'auto' ? (known ?? 'http-first') : strategy]
    let refusal: unknown
    for (const transport of order) {
      let remote: Remote | undefined
      const spoken = (): void => {
        if (chosen !== undefined || remote === undefined) return
        chosen = remote
        endDeciding()
        if (strategy === 'auto') verdicts.write(context.url, transport)
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
        const response = await context.send(request)
        if (response.status < 300 && MCP_TYPES.has(mediaType(response))) spoken()
        return response
      }
      try {
        remote = await OPEN[transport]({ ...context, send, events })
        const { started, done } = remote.send(frame)
        void started.then(onStart)
        const outcome = await done
        spoken()
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
      while (deciding !== undefined && chosen === undefined) await deciding
      if (chosen === undefined) {
        deciding = new Promise((resolve) => {
          endDeciding = resolve
        })
        try {
          return await decide(frame, onStart)
        } finally {
          deciding = undefined
          endDeciding()
        }
      }
      const { started, done } = chosen.send(frame)
      void started.then(onStart)
      return await done
    } finally {
      onStart()
    }
  }

  return {
    send(frame): Delivery {
      if (chosen !== undefined) return chosen.send(frame)
      let onStart = (): void => {}
      const started = new Promise<void>((resolve) => {
        onStart = resolve
      })
      return { started, done: deliver(frame, onStart) }
    },
    acceptsBatches: () => chosen?.acceptsBatches() ?? false,
    close: () => chosen?.close() ?? Promise.resolve(),
  }
}

function isMismatch(error: unknown): boolean {
  if (error instanceof TransportMismatch) return true
  if (error instanceof ServerError) return error.httpStatus === 405
  return error instanceof RelayError && MISMATCH_STATUS.has(error.details.httpStatus)
}
