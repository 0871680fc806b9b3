import type { Remote, RemoteEvents } from '../../channel.ts'
import type { Frame, RawId } from '../../frame.ts'
import { readFrame } from '../../frame.ts'
import { withMembers } from '../../json/edit.ts'
import { valueAt } from '../../json/locate.ts'
import { STREAM_KNOWN_MS } from '../../limits.ts'
import type { Log } from '../../log.ts'
import { pause } from '../../pause.ts'
import { notification, objectAt, paramsOf, withFrameMembers } from '../claims.ts'
import { META } from '../vocabulary.ts'
import type { Exchanges } from './exchanges.ts'
import type { HostRequest } from './host-request.ts'
import type { Introduction } from './introduction.ts'
import { invalidParams } from './refusals.ts'
import { modernResult } from './results.ts'
import { createSubscriptions } from './subscriptions.ts'

/** Subscriptions of the stateless era on top of what a session says anyway (MCP 2026-07-28, subscriptions). */
export interface Listens {
  /** Opens a `subscriptions/listen`; settles when it is acknowledged, rejects when it is refused. */
  open(request: HostRequest, introduction: Introduction): Promise<void>
  /** Hands a change on to everybody who asked for it, once each. */
  changed(frame: Frame): Promise<void> | undefined
  /** Ends them in good order: nothing more will come. */
  end(): void
  readonly size: number
}

/** What a listen asks for and which capability of the server stands for it. */
const KINDS = {
  toolsListChanged: 'tools',
  promptsListChanged: 'prompts',
  resourcesListChanged: 'resources',
} as const

type Kind = keyof typeof KINDS

const KIND_OF: Readonly<Record<string, Kind>> = {
  'notifications/tools/list_changed': 'toolsListChanged',
  'notifications/prompts/list_changed': 'promptsListChanged',
  'notifications/resources/list_changed': 'resourcesListChanged',
}

interface Listen {
  readonly request: HostRequest
  readonly introduction: Introduction
  readonly kinds: readonly Kind[]
  readonly uris: readonly string[]
  /** What came before the acknowledgement, which is to be the first message; by what it is about. */
  early: Map<string, Frame> | undefined
}

/** Nobody listens. */
export function createListens(
  server: Remote,
  events: RemoteEvents,
  exchanges: Exchanges,
  log: Log,
): Listens {
  const listens = new Map<RawId, Listen>()
  const subscriptions = createSubscriptions(exchanges, log)

  function wants({ kinds, uris }: Listen, method: string | undefined, uri: unknown): boolean {
    const kind = KIND_OF[method ?? '']
    if (kind !== undefined) return kinds.includes(kind)
    return typeof uri === 'string' && uris.some((wanted) => isWithin(uri, wanted))
  }

  async function canNotify(): Promise<boolean> {
    if (server.canNotify === undefined) return true
    const known = new AbortController()
    const later = pause(STREAM_KNOWN_MS, known.signal).then(() => true)
    try {
      return await Promise.race([server.canNotify(), later])
    } finally {
      known.abort()
    }
  }

  function close({ request, uris }: Listen): void {
    if (!listens.delete(request.id)) return
    for (const uri of uris) subscriptions.release(uri)
  }

  return {
    async open(request, introduction) {
      const { id, frame } = request
      const filter = objectAt(paramsOf(frame), 'notifications')
      if (filter === undefined) throw invalidParams('notifications is missing.')
      // What a server offers it cannot keep without a stream of its own.
      const capabilities = (await canNotify()) ? introduction.capabilities : Buffer.from('{}')
      if (request.cancelled) return
      const kinds = (Object.keys(KINDS) as Kind[]).filter(
        (kind) =>
          valueAt(filter, kind) === true &&
          valueAt(capabilities, KINDS[kind], 'listChanged') === true,
      )
      const asked = valueAt(filter, 'resourceSubscriptions')
      const canSubscribe = valueAt(capabilities, 'resources', 'subscribe') === true
      const wanted = new Set(canSubscribe && Array.isArray(asked) ? (asked as unknown[]) : [])
      const uris = [...wanted].filter((uri) => typeof uri === 'string')
      const early = new Map<string, Frame>()
      const pending: Listen = { request, introduction, kinds, uris, early }
      listens.set(id, pending)
      request.onCancel = () => close(listens.get(id) ?? pending)
      const held = await Promise.all(uris.map((uri) => subscriptions.hold(uri)))
      if (request.cancelled) return
      const honoured = uris.filter((_uri, index) => held[index])
      listens.set(id, { ...pending, uris: honoured, early: undefined })
      const acknowledged = {
        ...Object.fromEntries(kinds.map((kind) => [kind, true])),
        ...(asked !== undefined && { resourceSubscriptions: honoured }),
      }
      void events.frame(
        marked(
          notification(
            'notifications/subscriptions/acknowledged',
            JSON.stringify({ notifications: acknowledged }),
          ),
          id,
        ),
      )
      for (const change of early.values()) void events.frame(marked(change, id))
    },

    changed(frame) {
      const uri = valueAt(paramsOf(frame), 'uri')
      let wait: Promise<void> | undefined
      for (const listen of listens.values()) {
        if (!wants(listen, frame.method, uri)) continue
        if (listen.early !== undefined) listen.early.set(`${frame.method} ${String(uri)}`, frame)
        else wait = events.frame(marked(frame, listen.request.id)) ?? wait
      }
      return wait
    },

    end() {
      for (const listen of listens.values()) {
        const { request, introduction } = listen
        close(listen)
        void request.answer(ending(request.id, introduction))
        void events.frame(
          readFrame(
            `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${request.id}}}`,
          )!,
        )
      }
    },

    get size() {
      return listens.size
    },
  }
}

/** Whether an update is about a resource that was subscribed to, or one below it (MCP 2025-11-25, resources). */
function isWithin(uri: string, subscribed: string): boolean {
  return (
    uri === subscribed || uri.startsWith(subscribed.endsWith('/') ? subscribed : `${subscribed}/`)
  )
}

/** A notification for one listen; `id` is the JSON source of its request's id. */
function marked(frame: Frame, id: RawId): Frame {
  const params = paramsOf(frame)
  const meta = objectAt(params, '_meta') ?? Buffer.from('{}')
  const changes = { _meta: withMembers(meta, { [META.subscription]: id }) }
  return withFrameMembers(frame, { params: withMembers(params, changes) })
}

function ending(id: RawId, introduction: Introduction): Buffer {
  const meta = withMembers(Buffer.from('{}'), { [META.subscription]: id })
  const empty = withMembers(Buffer.from('{}'), { _meta: meta })
  return modernResult('subscriptions/listen', empty, introduction)
}
