import { backoffMs } from '../../backoff.ts'
import type { RemoteEvents } from '../../channel.ts'
import { type Frame, type RawId, slice } from '../../frame.ts'
import { withMembers } from '../../json/edit.ts'
import { valueAt } from '../../json/locate.ts'
import { ACKNOWLEDGE_MS, MAX_SUBSCRIBED_RESOURCES, REOPEN_MAX_MS } from '../../limits.ts'
import { type Log, printable } from '../../log.ts'
import { pause } from '../../pause.ts'
import type { Answer } from '../ask.ts'
import { changesIn } from '../changes.ts'
import { objectAt, paramsOf, withFrameMembers } from '../claims.ts'
import { isBusy } from '../evidence.ts'
import { META } from '../vocabulary.ts'

/** Changes that the host hears of without asking, as it did in the initialize era. */
export interface Subscriptions {
  /** Opens a stream for what the server says that it announces. */
  start(capabilities: Buffer): void
  /** Adds a resource; settles with the reason why it could not be added. */
  subscribe(uri: string): Promise<string | undefined>
  unsubscribe(uri: string): Promise<void>
  /** Takes a notification that came on one of these streams; false for any other frame. */
  take(frame: Frame, owner: RawId | undefined): Promise<void> | undefined | false
  close(): void
}

/** What the subscriptions need of the translator. */
export interface SubscriptionsContext {
  readonly events: RemoteEvents
  readonly log: Log
  readonly now: () => number
  /** Sends a `subscriptions/listen` with these parameters. */
  listen(params: Buffer): { readonly id: RawId; readonly answer: Promise<Answer> }
  /** Closes the stream of a `subscriptions/listen`. */
  cancel(id: RawId): void
}

/** One `subscriptions/listen` that is open. */
interface Stream {
  readonly id: RawId
  readonly since: number
  readonly ended: Promise<Answer>
  /** Takes the acknowledged filter. */
  acknowledge(filter: Buffer): void
}

type Opened =
  | { readonly kind: 'open'; readonly filter: Buffer }
  | { readonly kind: 'closed'; readonly why: string; readonly final: boolean }

const KINDS = ['tools', 'prompts', 'resources'] as const

/** The one subscription of a host (MCP 2026-07-28, Subscriptions); it is opened anew for each change of its filter. */
export function createSubscriptions(context: SubscriptionsContext): Subscriptions {
  const { events, log, now, listen, cancel } = context
  const closing = new AbortController()
  const streams = new Map<RawId, Stream>()
  const uris = new Set<string>()
  let lists: readonly string[] = []
  let current: Stream | undefined
  /** Whether a time has passed in which nothing was heard. */
  let gap = false
  let attempt = 0
  let started = false
  let turn: Promise<unknown> = Promise.resolve()

  /** One change of the stream at a time. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = turn.then(work)
    turn = done.catch(() => {})
    return done
  }

  function filter(): Record<string, unknown> {
    const wish: Record<string, unknown> = {}
    for (const kind of lists) wish[`${kind}ListChanged`] = true
    if (uris.size > 0) wish['resourceSubscriptions'] = [...uris]
    return wish
  }

  /** Opens a stream for what is wanted now; settles when the server has acknowledged or refused it. */
  async function open(): Promise<Opened> {
    const params = Buffer.from(JSON.stringify({ notifications: filter() }))
    const { id, answer } = listen(params)
    const ended = answer.finally(() => streams.delete(id))
    const acknowledged = new Promise<Opened>((resolve) => {
      const acknowledge = (agreed: Buffer): void => {
        adopt(stream, agreed) // at once: what it says next may come in the same packet
        resolve({ kind: 'open', filter: agreed })
      }
      const stream: Stream = { id, since: now(), ended, acknowledge }
      streams.set(id, stream)
    })
    const enough = new AbortController()
    const late = pause(ACKNOWLEDGE_MS, enough.signal).then((): Opened => {
      return { kind: 'closed', why: 'the server did not acknowledge it', final: false }
    })
    const opened = await Promise.race([acknowledged, ended.then(closedBy), late])
    enough.abort()
    if (opened.kind === 'closed' && streams.delete(id)) cancel(id)
    return opened
  }

  /** The stream takes the place of the one before; when it ends, another one will be opened. */
  function adopt(stream: Stream, agreed: Buffer): void {
    const before = current
    current = stream
    if (before !== undefined) drop(before)
    if (gap) for (const change of changesIn(agreed)) void events.frame(change)
    gap = false
    void stream.ended.then(() => {
      if (current !== stream) return
      current = undefined
      gap = true
      // A server that opens and closes without end is asked more and more seldom.
      if (now() - stream.since > REOPEN_MAX_MS) attempt = 0
      log.state({ part: 'stream', what: 'lost', stream: 'subscriptions' })
      void reopen()
    })
  }

  function drop(stream: Stream): void {
    if (streams.delete(stream.id)) cancel(stream.id)
  }

  async function reopen(): Promise<void> {
    let more = true
    while (more && !closing.signal.aborted) {
      await pause(backoffMs(attempt++), closing.signal)
      more = await inTurn(async () => {
        if (closing.signal.aborted || current !== undefined) return false
        if (Object.keys(filter()).length === 0) return false
        const opened = await open()
        if (opened.kind === 'closed') return !opened.final
        log.state({ part: 'stream', what: 'reopened', stream: 'subscriptions' })
        return false
      })
    }
  }

  /** Opens the first stream; whatever keeps it from opening is tried again, unless it is final. */
  async function begin(): Promise<void> {
    const opened = await open()
    if (opened.kind === 'open') return
    gap = true
    if (!opened.final) void reopen()
    else log.state({ part: 'stream', what: 'refused', stream: 'subscriptions', why: opened.why })
  }

  async function add(uri: string): Promise<string | undefined> {
    if (uris.has(uri)) return undefined
    if (uris.size >= MAX_SUBSCRIBED_RESOURCES) {
      return `more than ${MAX_SUBSCRIBED_RESOURCES} resources are subscribed`
    }
    uris.add(uri)
    const opened = await open()
    if (opened.kind === 'closed') {
      uris.delete(uri)
      return opened.why
    }
    const honoured = valueAt(opened.filter, 'resourceSubscriptions')
    if (Array.isArray(honoured) && honoured.includes(uri)) return undefined
    uris.delete(uri)
    return 'the server does not announce changes of it'
  }

  async function remove(uri: string): Promise<void> {
    if (!uris.delete(uri)) return
    if (Object.keys(filter()).length === 0) {
      const before = current
      current = undefined
      if (before !== undefined) drop(before)
      return
    }
    // If it fails, the old stream stays: it says too much, and that harms nobody.
    await open()
  }

  return {
    start(capabilities) {
      if (started) return
      started = true
      lists = KINDS.filter((kind) => valueAt(capabilities, kind, 'listChanged') === true)
      if (lists.length > 0) void inTurn(begin)
    },
    subscribe: (uri) => inTurn(() => add(uri)),
    unsubscribe: (uri) => inTurn(() => remove(uri)),
    take(frame, owner) {
      const stream = owner === undefined ? undefined : streams.get(owner)
      if (stream === undefined || frame.kind !== 'notification') return false
      if (frame.method === 'notifications/subscriptions/acknowledged') {
        stream.acknowledge(objectAt(paramsOf(frame), 'notifications') ?? Buffer.from('{}'))
        return undefined
      }
      // While one stream takes the place of another, both say the same.
      return stream === current ? events.frame(withoutSubscription(frame)) : undefined
    },
    close() {
      closing.abort()
      for (const stream of streams.values()) drop(stream)
      current = undefined
    },
  }
}

function closedBy(answer: Answer): Opened {
  switch (answer.kind) {
    case 'result':
      return { kind: 'closed', why: 'the server ended it at once', final: false }
    case 'failure':
      return { kind: 'closed', why: answer.error.message, final: false }
    case 'error': {
      const message = valueAt(answer.error, 'message')
      const why = typeof message === 'string' ? printable(message) : 'the server refused it'
      return { kind: 'closed', why, final: !isBusy(answer.httpStatus) }
    }
  }
}

/** The notification as it was without subscriptions: only the name of the subscription goes. */
function withoutSubscription(frame: Frame): Frame {
  const { params } = frame
  const meta = params && objectAt(slice(frame.chunks, params), '_meta')
  if (meta === undefined) return frame
  const rest = withMembers(meta, { [META.subscription]: undefined })
  const empty = rest.toString('utf8').replaceAll(/\s/g, '') === '{}'
  const changed = withMembers(paramsOf(frame), { _meta: empty ? undefined : rest })
  return withFrameMembers(frame, { params: changed })
}
