import { createHash } from 'node:crypto'
import type { Frame } from '../../frame.ts'
import { withMembers } from '../../json/edit.ts'
import { valueAt } from '../../json/locate.ts'
import { MAX_PARKED_CALLS, PARKED_MS } from '../../limits.ts'
import { paramsOf } from '../claims.ts'
import type { HostRequest } from './host-request.ts'
import { invalidParams } from './refusals.ts'

/** A call that waits for the host to come back with answers. */
export interface Parked {
  resume(host: HostRequest): Promise<void>
  /** Nobody will come back. */
  abandon(): void
}

/** The calls that the host was asked something for, by the `requestState` that it was given. */
export interface Parking {
  /** Keeps a call and returns its state: it fits the same method and parameters only, and once. */
  put(call: Parked, request: Frame): string
  /** The call that a retry goes on with; throws the refusal when there is none. */
  take(retry: Frame): Parked
  /** Forgets a call. */
  remove(call: Parked): void
}

interface Place {
  readonly call: Parked
  readonly digest: string
  readonly deadline: NodeJS.Timeout
}

/** Nothing is parked. */
export function createParking(random: () => string): Parking {
  const places = new Map<string, Place>()

  function leave(state: string): Place | undefined {
    const place = places.get(state)
    clearTimeout(place?.deadline)
    places.delete(state)
    return place
  }

  return {
    put(call, request) {
      if (places.size >= MAX_PARKED_CALLS) {
        const [oldest] = places.keys()
        leave(oldest!)?.call.abandon()
      }
      const state = random()
      const deadline = setTimeout(() => leave(state)?.call.abandon(), PARKED_MS)
      places.set(state, { call, digest: digestOf(request), deadline: deadline.unref() })
      return state
    },
    take(retry) {
      const state = valueAt(paramsOf(retry), 'requestState')
      const place = typeof state === 'string' ? places.get(state) : undefined
      if (place === undefined) throw invalidParams('the requestState has expired; call again.')
      if (place.digest !== digestOf(retry)) {
        throw invalidParams('the requestState belongs to another call.')
      }
      leave(state as string)
      return place.call
    },
    remove(call) {
      for (const [state, place] of places) if (place.call === call) leave(state)
    },
  }
}

/** What a request asks for, whatever the order in which the host writes its members. */
function digestOf(request: Frame): string {
  const text = withMembers(paramsOf(request), {
    _meta: undefined,
    inputResponses: undefined,
    requestState: undefined,
  }).toString('utf8')
  return createHash('sha256')
    .update(`${request.method} ${sorted(text)}`)
    .digest('base64')
}

/** JSON with its members in order; nested more deeply than the engine goes, it stays as it is. */
function sorted(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), (_name, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value,
    )
  } catch {
    return text
  }
}
