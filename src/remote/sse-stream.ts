import { networkFailure, RelayError, ServerError, TransportMismatch } from '../errors.ts'
import { mediaType, readBody } from '../http/body.ts'
import type { HttpSend } from '../http/client.ts'
import { ENDPOINT_EVENT_MS, MAX_ERROR_BODY_BYTES } from '../limits.ts'
import { createEventDecoder, type StreamEvent } from './events.ts'
import { httpFailure } from './failures.ts'

/** The one event stream of HTTP+SSE. */
export interface SseStreamWorld {
  readonly url: URL
  readonly send: HttpSend
  /** Ends the stream. */
  readonly signal: AbortSignal
  /** Nobody waits for it: no person is asked to sign in. */
  readonly background: boolean
  take(event: StreamEvent): Promise<void> | undefined
  /** A stream that was open has ended. */
  ended(error: RelayError): void
}

/** Opens the stream; settles with the endpoint that its first event names. */
export async function openSseStream(world: SseStreamWorld): Promise<URL> {
  const { url, send, background } = world
  const opening = new AbortController()
  const onClose = (): void => opening.abort(world.signal.reason)
  world.signal.addEventListener('abort', onClose, { once: true })
  let timer: NodeJS.Timeout | undefined
  const onStart = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => opening.abort(notSpoken(url)), ENDPOINT_EVENT_MS)
  }
  try {
    const response = await send({
      method: 'GET',
      url,
      headers: { accept: 'text/event-stream' },
      signal: opening.signal,
      background,
      onStart,
      onPutOff: () => clearTimeout(timer),
      // In the background somebody else tries again.
      repeatable: background ? undefined : () => true,
    })
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
          if (named) return world.take(event)
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
          world.signal.removeEventListener('abort', onClose)
          if (named) world.ended(failure ?? streamEnded(url))
          reject(refusal ?? failure ?? notSpoken(url))
        })
    })
  } catch (error) {
    throw error instanceof ServerError ? error : networkFailure(error, url.origin, 'stream')
  } finally {
    clearTimeout(timer)
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
