import type { Outcome, Remote } from '../channel.ts'
import { networkFailure, RelayError, ServerError, TransportMismatch } from '../errors.ts'
import { cancelledId, type Frame, type RawId } from '../frame.ts'
import { mediaType, readBody } from '../http/body.ts'
import { ENDPOINT_EVENT_MS, MAX_ERROR_BODY_BYTES } from '../limits.ts'
import { createArrivals } from './arrivals.ts'
import type { TransportContext } from './context.ts'
import { begin } from '../delivery.ts'
import { createEventDecoder, type StreamEvent } from './events.ts'
import { httpFailure } from './failures.ts'
import type { Watch } from './patience.ts'

/**
 * The deprecated HTTP+SSE transport (MCP 2024-11-05): one event stream from the server, and a POST
 * endpoint that its first event names. Rejects when the URL does not speak it.
 */
export async function openSse(context: TransportContext): Promise<Remote> {
  const { url, send, events, log, patience } = context
  const watches = new Map<RawId, Watch>()
  const arrivals = createArrivals()
  const closing = new AbortController()
  let lost = false
  let endpoint = await connect()

  /** Opens the stream; settles with the endpoint that it names. */
  async function connect(): Promise<URL> {
    const opening = new AbortController()
    const onClose = (): void => opening.abort(closing.signal.reason)
    closing.signal.addEventListener('abort', onClose, { once: true })
    const timer = setTimeout(() => opening.abort(notSpoken(url)), ENDPOINT_EVENT_MS)
    try {
      const headers = { accept: 'text/event-stream' }
      const response = await send({ method: 'GET', url, headers, signal: opening.signal })
      const { status } = response
      const other = status < 300 && mediaType(response) !== 'text/event-stream'
      if (other || status === 400 || status === 404 || status === 405) {
        await readBody(response, MAX_ERROR_BODY_BYTES)
        throw notSpoken(url, status)
      }
      if (status >= 300) throw await httpFailure(response)
      return await new Promise<URL>((resolve, reject) => {
        let named = false
        let refusal: RelayError | undefined
        const decoder = createEventDecoder({
          event(event) {
            if (named) return take(event)
            if (refusal !== undefined) return undefined
            const target = endpointUrl(event, url)
            if (target instanceof URL) {
              named = true
              resolve(target)
            } else {
              refusal = target
              opening.abort(target)
            }
            return undefined
          },
        })
        response
          .consume((chunk) => decoder.push(chunk))
          .then(
            () => undefined,
            (error: unknown) => networkFailure(error, url.origin, 'stream'),
          )
          .then((failure) => {
            closing.signal.removeEventListener('abort', onClose)
            if (named) lose(failure ?? streamEnded(url))
            reject(refusal ?? failure ?? notSpoken(url))
          })
      })
    } catch (error) {
      throw error instanceof ServerError ? error : networkFailure(error, url.origin, 'stream')
    } finally {
      clearTimeout(timer)
    }
  }

  function take({ type, frame }: StreamEvent): Promise<void> | undefined {
    if (type !== 'message') return undefined
    if (frame === undefined) {
      log.warn(`${url.origin} sent an event that is not JSON; it is left out`)
      return undefined
    }
    for (const part of frame.parts ?? [frame]) if (part.kind === 'response') endWatch(part.id)
    return events.frame(frame)
  }

  function endWatch(id: RawId | undefined): void {
    if (id === undefined) return
    watches.get(id)?.end()
    watches.delete(id)
  }

  function lose(error: RelayError): void {
    lost = true
    for (const id of watches.keys()) endWatch(id)
    if (!closing.signal.aborted) events.lost(error)
  }

  async function deliver(frame: Frame, onStart: () => void): Promise<Outcome> {
    let arrived: (() => void) | undefined
    try {
      if (lost) {
        endpoint = await connect()
        lost = false
      }
      const cancelled = cancelledId(frame)
      if (cancelled !== undefined) {
        endWatch(cancelled)
        await arrivals.arrived(cancelled)
      }
      const { id } = frame
      if (frame.kind === 'request' && id !== undefined) {
        arrived = arrivals.expect(new Set([id]))
        watches.set(
          id,
          patience.watch(frame, (error) => {
            endWatch(id)
            events.lost(error, id)
          }),
        )
      }
      const headers = { 'content-type': 'application/json' }
      const response = await send({
        method: 'POST',
        url: endpoint,
        headers,
        body: frame.chunks,
        onStart,
      })
      if (response.status >= 300) throw await httpFailure(response)
      await readBody(response, MAX_ERROR_BODY_BYTES) // any 2xx: the answer comes on the stream
      return frame.kind === 'request' ? 'elsewhere' : 'complete'
    } catch (error) {
      if (frame.kind === 'request') endWatch(frame.id)
      throw error instanceof ServerError ? error : networkFailure(error, url.origin, 'request')
    } finally {
      onStart()
      arrived?.()
    }
  }

  return {
    send: (frame) => begin((onStart) => deliver(frame, onStart)),
    acceptsBatches: () => false, // not defined by 2024-11-05
    close() {
      closing.abort(new Error('the bridge is closing'))
      return Promise.resolve()
    },
  }
}

/**
 * Where the messages go. Only the stream's own origin will do: another one would receive the bearer
 * token and everything that the host says.
 */
function endpointUrl(event: StreamEvent, url: URL): URL | RelayError {
  if (event.type !== 'endpoint') return notSpoken(url)
  const text = event.text()
  if (!URL.canParse(text, url.href)) return notSpoken(url)
  const target = new URL(text, url)
  if (target.origin === url.origin) return target
  return new RelayError(`${url.origin} names ${target.origin} as its endpoint; refused.`, {
    phase: 'connect',
    hint: 'An HTTP+SSE server may only name an endpoint on its own origin.',
  })
}

function streamEnded(url: URL): RelayError {
  return new RelayError(`${url.origin} ended its stream.`, { phase: 'stream' })
}

function notSpoken(url: URL, httpStatus?: number): TransportMismatch {
  const message = `${url.origin} does not speak HTTP+SSE at this URL.`
  return new TransportMismatch(message, { phase: 'connect', httpStatus })
}
