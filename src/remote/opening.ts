import { type Frame, readFrame, slice } from '../frame.ts'
import { locate, valueAt } from '../json/locate.ts'
import { MAX_SUBSCRIPTIONS } from '../limits.ts'

/** What the host has done in its session, as far as a new session needs it again. */
export interface Opening {
  /** Takes a message on its way to the server. */
  note(frame: Frame): void
  /** Takes the InitializeResult that answers the host. */
  answered(answer: Frame): void
  /** The host's own `initialize`, once it has been answered. */
  initialize(): Frame | undefined
  /** The host's `notifications/initialized`, if it has been sent. */
  initialized(): Frame | undefined
  /** The InitializeResult that the host was given. */
  told(): Buffer
  /** The last log level and the living subscriptions, in the order in which they were asked for. */
  settings(): Frame[]
}

/** Kinds of lists whose changes are announced. */
const LISTS = ['tools', 'prompts', 'resources'] as const

/** A session in which nothing has happened. */
export function createOpening(): Opening {
  let asked: Frame | undefined
  let initialize: Frame | undefined
  let initialized: Frame | undefined
  let told = Buffer.alloc(0) as Buffer
  let level: Frame | undefined
  let subscriptions = new Map<string, Frame>()
  return {
    note(frame) {
      switch (frame.method) {
        case 'initialize':
          asked = frame
          return
        case 'notifications/initialized':
          initialized = frame
          return
        case 'logging/setLevel':
          level = frame
          return
        case 'resources/subscribe':
          if (subscriptions.size < MAX_SUBSCRIPTIONS) subscriptions.set(uriOf(frame), frame)
          return
        case 'resources/unsubscribe':
          subscriptions.delete(uriOf(frame))
      }
    },
    answered(answer) {
      if (asked === undefined || answer.result === undefined) return
      initialize = asked
      asked = undefined
      initialized = level = undefined
      subscriptions = new Map()
      told = slice(answer.chunks, answer.result)
    },
    initialize: () => initialize,
    initialized: () => initialized,
    told: () => told,
    settings: () => [...(level === undefined ? [] : [level]), ...subscriptions.values()],
  }
}

/** The source of the URI, which is enough to find the same one again. */
function uriOf({ chunks, params }: Frame): string {
  if (params === undefined) return ''
  const text = slice(chunks, params)
  const span = locate(text, 'uri')
  return span === undefined ? '' : text.toString('utf8', span.start, span.end)
}

/**
 * Why a session does not keep what the host was promised: another version, or a capability that is
 * no longer there. `undefined` when it does.
 */
export function brokenPromise(told: Buffer, now: Buffer): string | undefined {
  const before = valueAt(told, 'protocolVersion')
  const after = valueAt(now, 'protocolVersion')
  if (before !== after) return `it now speaks ${String(after)} instead of ${String(before)}`
  const promised = valueAt(told, 'capabilities')
  if (typeof promised !== 'object' || promised === null) return undefined
  const missing = Object.keys(promised).find(
    (name) => locate(now, 'capabilities', name) === undefined,
  )
  if (missing !== undefined) return `it no longer offers ${missing}`
  const subscribe = ['capabilities', 'resources', 'subscribe'] as const
  const lost = valueAt(told, ...subscribe) === true && valueAt(now, ...subscribe) !== true
  return lost ? 'it no longer offers resources/subscribe' : undefined
}

/** The `list_changed` notifications that an InitializeResult has announced. */
export function announcedChanges(told: Buffer): Frame[] {
  return LISTS.filter((kind) => valueAt(told, 'capabilities', kind, 'listChanged') === true).map(
    (kind) => readFrame(`{"jsonrpc":"2.0","method":"notifications/${kind}/list_changed"}`)!,
  )
}
