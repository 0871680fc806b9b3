import type { Delivery, Outcome, RemoteEvents } from '../channel.ts'
import { over } from '../delivery.ts'
import { changesIn } from '../era/changes.ts'
import { notification, objectAt, paramsOf, sourceAt } from '../era/claims.ts'
import { META } from '../era/vocabulary.ts'
import { RelayError } from '../errors.ts'
import { cancelledId, type Frame, type RawId } from '../frame.ts'
import { INITIALIZE_PATIENCE_MS, LIST_PATIENCE_MS, SIGN_IN_CHECK_MS } from '../limits.ts'
import { calledTool, SIGN_IN_TOOL, statelessAnswer } from './provisional.ts'

/** Where the requests of a stateless host wait until a person has signed in. */
export interface StatelessRoom {
  send(frame: Frame): Delivery
  /** As `RemoteEvents.frame`. */
  take(frame: Frame, owner?: RawId): Promise<void> | undefined
  /** Nobody needs it any more. */
  close(): void
}

/** What the room needs. */
export interface StatelessRoomContext {
  /** Host name of the server, as people know it. */
  readonly host: string
  readonly events: RemoteEvents
  send(frame: Frame): Delivery
  /** The sign-in that a person has to complete, if there is one now. */
  pending(): { readonly link: string } | undefined
  /** The host has been given the first answer in the server's place. */
  onStandIn(): void
  /** The server has answered, and nothing waits: from here on everything goes straight through. */
  onEmpty(): void
}

/** A request that the server has not answered. */
interface Entry {
  readonly frame: Frame
  readonly since: number
  /** It is on its way to the server; before, it waits here. */
  sent: boolean
  /** The host has been given an answer in the server's place; a subscription, its acknowledgement. */
  stood: boolean
  settle(outcome: Outcome): void
  fail(error: Error): void
}

const LISTEN = 'subscriptions/listen'
const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged'

/**
 * The waiting room of a host of the stateless era, which has no `initialize` that could be held. As
 * long as a person has to sign in nothing more is sent: `server/discover` and subscriptions are
 * answered in the server's place after a moment, everything else after a while. It is there from the
 * host's first request to the server's first result, or its first acknowledgement.
 */
export function openStatelessRoom(context: StatelessRoomContext): StatelessRoom {
  const { host, events, pending, onStandIn, onEmpty } = context
  const entries = new Set<Entry>()
  /** The server has given a result. */
  let met = false
  let told = false
  let draining = false
  const timer = setInterval(look, SIGN_IN_CHECK_MS).unref()

  function find(id: RawId | undefined, test: (entry: Entry) => boolean): Entry | undefined {
    return [...entries].find((entry) => entry.frame.id === id && test(entry))
  }

  /** Whether an answer that the host has had already is still to come under the same id. */
  function isTaken({ frame }: Entry): boolean {
    return find(frame.id, ({ sent }) => sent) !== undefined
  }

  function forward(entry: Entry): Promise<void> {
    entry.sent = true
    const { started, done } = context.send(entry.frame)
    done.then(
      (outcome) => {
        entry.settle(outcome)
        if (outcome === 'complete') leave(entry)
      },
      (error: Error) => {
        const page = pending()
        // It has waited as long as it may; the sign-in goes on.
        const waits = error instanceof RelayError && error.details.phase === 'authorization'
        if (page === undefined || !waits) {
          entry.fail(error)
          leave(entry)
          return
        }
        if (!entry.stood) standIn(entry, page.link)
        entry.sent = false
        if (entry.frame.method !== LISTEN) leave(entry)
      },
    )
    return started
  }

  function leave(entry: Entry): void {
    entries.delete(entry)
    void drain()
  }

  /** Sends what waits, in order, once nobody has to sign in. */
  async function drain(): Promise<void> {
    if (draining) return
    draining = true
    while (met || pending() === undefined) {
      const next = [...entries].find((entry) => !entry.sent && !isTaken(entry))
      if (next === undefined) break
      await forward(next)
    }
    draining = false
    const isEmpty = [...entries].every(({ sent, stood }) => sent && !stood)
    if (met && isEmpty) onEmpty()
  }

  function look(): void {
    const page = pending()
    if (page === undefined || met) {
      void drain()
      return
    }
    for (const entry of entries) {
      const isDue = Date.now() - entry.since >= patienceMs(entry.frame)
      if (isDue && !entry.stood) standIn(entry, page.link)
    }
  }

  function patienceMs(frame: Frame): number {
    if (calledTool(frame) === SIGN_IN_TOOL) return 0
    const opens = frame.method === 'server/discover' || frame.method === LISTEN
    if (!opens) return LIST_PATIENCE_MS
    return told ? 0 : INITIALIZE_PATIENCE_MS
  }

  function standIn(entry: Entry, link: string): void {
    const { frame } = entry
    if (!told) onStandIn()
    told = true
    entry.stood = true
    if (frame.method === LISTEN) {
      void events.frame(acknowledgement(frame))
      return
    }
    if (!entry.sent) entries.delete(entry)
    void statelessAnswer(frame, host, link).then((answer) => {
      void events.frame(answer)
      entry.settle('complete')
    })
  }

  function request(frame: Frame): Delivery {
    let settle!: Entry['settle']
    let fail!: Entry['fail']
    const done = new Promise<Outcome>((resolve, reject) => {
      settle = resolve
      fail = reject
    })
    const entry: Entry = { frame, since: Date.now(), sent: false, stood: false, settle, fail }
    const waits =
      (!met && pending() !== undefined) || isTaken(entry) || [...entries].some(({ sent }) => !sent)
    entries.add(entry)
    if (!waits) return { started: forward(entry), done }
    look()
    return { started: Promise.resolve(), done }
  }

  function cancel(frame: Frame, id: RawId): Delivery {
    const entry = find(id, () => true)
    // The host has its answer: what the server is still to say is not for it.
    if (entry?.stood === true && entry.frame.method !== LISTEN) return over()
    if (entry === undefined || entry.sent) return context.send(frame)
    entry.settle('complete')
    leave(entry)
    return over()
  }

  /** The real acknowledgement of a subscription that the host takes for open. */
  function acknowledged(frame: Frame): boolean {
    const params = paramsOf(frame)
    const id = sourceAt(params, '_meta', META.subscription)
    const entry = find(id, ({ stood }) => stood)
    if (entry === undefined) return false
    entry.stood = false
    const filter = objectAt(params, 'notifications') ?? Buffer.from('{}')
    for (const change of changesIn(filter, id)) void events.frame(change)
    return true
  }

  return {
    send(frame) {
      const cancelled = cancelledId(frame)
      if (cancelled !== undefined) return cancel(frame, cancelled)
      return frame.kind === 'request' ? request(frame) : context.send(frame)
    },
    take(frame, owner) {
      if (frame.method === ACKNOWLEDGED) {
        met = true
        const wait = acknowledged(frame) ? undefined : events.frame(frame, owner)
        void drain()
        return wait
      }
      if (frame.kind !== 'response') return events.frame(frame, owner)
      const isSent = ({ sent }: Entry): boolean => sent
      const entry = find(frame.id, isSent) ?? find(owner, isSent)
      if (entry === undefined) return events.frame(frame, owner)
      // An error may be that of the bridge, which knows a server from earlier starts.
      met ||= frame.result !== undefined
      const isAnswered = entry.stood && entry.frame.method !== LISTEN
      const wait = isAnswered ? undefined : events.frame(frame, owner)
      leave(entry)
      return wait
    },
    close: () => clearInterval(timer),
  }
}

/** Everything that a subscription asks for, granted: what of it is true is known later. */
function acknowledgement(listen: Frame): Frame {
  const filter = objectAt(paramsOf(listen), 'notifications')?.toString('utf8') ?? '{}'
  const meta = `{"${META.subscription}":${listen.id}}`
  return notification(ACKNOWLEDGED, `{"notifications":${filter},"_meta":${meta}}`)
}
