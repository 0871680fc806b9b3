import type { Delivery, Outcome, Remote, RemoteEvents } from '../channel.ts'
import { modernVersion } from '../era/headers.ts'
import { ServerError } from '../errors.ts'
import { cancelledId, type Frame, type RawId, slice } from '../frame.ts'
import {
  INITIALIZE_PATIENCE_MS,
  LIST_PATIENCE_MS,
  MAX_ERROR_MESSAGE_CHARS,
  SIGN_IN_CHECK_MS,
} from '../limits.ts'
import { valueAt } from '../json/locate.ts'
import type { Log } from '../log.ts'
import { pause } from '../pause.ts'
import {
  calledTool,
  canShowLinks,
  listChanges,
  provisionalInitializeResult,
  provisionalList,
  resultFrame,
  SIGN_IN_TOOL,
  signInNeeded,
  signInResult,
  urlElicitation,
} from './provisional.ts'
import { openStatelessRoom, type StatelessRoom } from './stateless-room.ts'

/** What is known of a sign-in that waits for a person. */
export interface PendingSignIn {
  /** The page to open. */
  readonly link: string
}

/** What the waiting room needs. */
export interface SigningInContext {
  /** Host name of the server, as people know it. */
  readonly host: string
  readonly events: RemoteEvents
  readonly log: Log
  /** The sign-in that a person has to complete, if there is one now. */
  pending(): PendingSignIn | undefined
  /** The InitializeResult that this server gave this client last time. */
  remembered(initialize: Frame): Buffer | undefined
  /** Takes the InitializeResult of this time. */
  remember(initialize: Frame, result: Buffer): void
}

interface Held {
  readonly frame: Frame
  readonly timer: NodeJS.Timeout | undefined
  settle(outcome: Promise<Outcome> | Outcome): void
}

/**
 * A server behind a sign-in. Hosts give `initialize` up after 10 to 60 seconds, a person may need
 * minutes: so when it takes longer than a moment it is answered in the server's place, and what the
 * host sends next waits here. Once the person has signed in, the server's real answer is kept from
 * the host, what waited is sent in order, and `list_changed` makes the host look again.
 */
export function withSignIn(
  open: (events: RemoteEvents) => Remote,
  context: SigningInContext,
): Remote {
  const { host, events, log, pending, remembered, remember } = context
  /** The `initialize` that was answered in the server's place and is still on its way. */
  let stood: Frame | undefined
  /** The server has answered it, and what waited is being sent. */
  let draining = false
  /** The last `initialize` of the host. */
  let opening: Frame | undefined
  let failure: string | undefined
  /** The InitializeResult that the host has been given. */
  let told: Buffer = Buffer.alloc(0)
  let held: Held[] = []
  let questions = 0
  const asked = new Set<RawId>()
  /** Where a host of the stateless era waits. */
  let stateless: StatelessRoom | undefined
  let first = true

  const remote = open({
    ...events,
    frame(frame, owner) {
      if (stateless !== undefined) return stateless.take(frame, owner)
      const opens =
        frame.kind === 'response' &&
        opening !== undefined &&
        (owner === opening.id || frame.id === opening.id)
      if (!opens) return events.frame(frame, owner)
      if (frame.result === undefined) {
        if (stood === undefined) return events.frame(frame, owner)
        failed(wordsOf(slice(frame.chunks, frame.error!)))
        return undefined
      }
      const result = slice(frame.chunks, frame.result)
      remember(opening!, result)
      opening = undefined
      if (stood === undefined) return events.frame(frame, owner)
      void signedIn(result)
      return undefined
    },
  })

  async function signedIn(result: Buffer): Promise<void> {
    failure = undefined
    draining = true
    for (let entry = held.shift(); entry !== undefined; entry = held.shift()) {
      clearTimeout(entry.timer)
      const { started, done } = remote.send(entry.frame)
      entry.settle(done)
      await started
    }
    draining = false
    stood = undefined
    for (const change of listChanges(result)) void events.frame(change)
  }

  /** The first request of the host tells which waiting room is its own. */
  function enter(request: Frame): void {
    first = false
    if (request.method === 'initialize' || modernVersion(request) === undefined) return
    stateless = openStatelessRoom({
      host,
      events,
      send: remote.send,
      pending,
      onStandIn: () => log.warn(preliminary(host)),
      onEmpty: closeStateless,
    })
  }

  function closeStateless(): void {
    stateless?.close()
    stateless = undefined
  }

  /** Sends `initialize`, and answers it ourselves when only a person can bring it forward. */
  function begin(frame: Frame): Delivery {
    opening = frame
    const { started, done } = remote.send(frame)
    const until = Date.now() + INITIALIZE_PATIENCE_MS
    const timer = setInterval(() => {
      const page = pending()
      if (page === undefined || Date.now() < until) return
      clearInterval(timer)
      if (stood === undefined) standIn(frame, page.link)
    }, SIGN_IN_CHECK_MS).unref()
    const over = done
      .finally(() => clearInterval(timer))
      .catch((error: unknown) => {
        if (stood !== frame) throw error
        failed(error instanceof ServerError ? wordsOf(error.object) : (error as Error).message)
        return 'complete' as const
      })
    return { started, done: over }
  }

  function standIn(frame: Frame, link: string): void {
    stood = frame
    told = remembered(frame) ?? provisionalInitializeResult(frame, host, link)
    log.warn(preliminary(host))
    void events.frame(resultFrame(frame.id!, told))
  }

  function failed(reason: string): void {
    failure = reason
    log.warn(`the sign-in to ${host} failed: ${failure}`)
    for (const entry of held) if (entry.frame.kind === 'request') giveUp(entry)
  }

  /** Answers a request that has waited long enough. */
  function giveUp(entry: Held): void {
    held = held.filter((candidate) => candidate !== entry)
    clearTimeout(entry.timer)
    void events.frame(lastResort(entry.frame))
    entry.settle('complete')
  }

  function lastResort(frame: Frame): Frame {
    const list = provisionalList(frame.method!, host)
    return list === undefined
      ? signInNeeded(frame.id!, host, pending()?.link)
      : resultFrame(frame.id!, list)
  }

  /** A request to a server that is not there yet. */
  function hold(frame: Frame): Delivery {
    if (draining) return enqueue(frame)
    if (frame.method === 'ping') return local(resultFrame(frame.id!, Buffer.from('{}')))
    if (frame.method === 'initialize') return local(resultFrame(frame.id!, told))
    if (calledTool(frame) === SIGN_IN_TOOL) {
      return { started: Promise.resolve(), done: signIn(frame) }
    }
    const cancelled = cancelledId(frame)
    if (cancelled !== undefined) {
      held = held.filter(({ frame: waiting, timer, settle }) => {
        if (waiting.id !== cancelled) return true
        clearTimeout(timer)
        settle('complete')
        return false
      })
      return local()
    }
    if (frame.kind === 'request' && failure !== undefined) {
      return local(lastResort(frame))
    }
    return enqueue(frame)
  }

  function enqueue(frame: Frame): Delivery {
    const done = new Promise<Outcome>((settle) => {
      const entry: Held = {
        frame,
        timer:
          frame.kind === 'request'
            ? setTimeout(() => giveUp(entry), LIST_PATIENCE_MS).unref()
            : undefined,
        settle,
      }
      held.push(entry)
    })
    return { started: Promise.resolve(), done }
  }

  /** The sign-in tool: gives the link, after starting another attempt when the last one failed. */
  async function signIn(call: Frame): Promise<Outcome> {
    const before = failure
    if (before !== undefined && stood !== undefined) {
      failure = undefined
      begin(stood).done.catch(() => {}) // told by `failed`
    }
    const until = Date.now() + LIST_PATIENCE_MS
    const isOpen = (): boolean => stood !== undefined && failure === undefined
    while (pending() === undefined && isOpen() && Date.now() < until) {
      await pause(SIGN_IN_CHECK_MS)
    }
    const page = pending()
    if (page === undefined) {
      const reply = signInResult(host, undefined, failure)
      void events.frame(resultFrame(call.id!, reply))
      return 'complete'
    }
    if (stood !== undefined && canShowLinks(stood)) {
      const question = urlElicitation(`bridge-sign-in-${++questions}`, host, page.link)
      asked.add(question.id!)
      void events.frame(question)
    }
    void events.frame(resultFrame(call.id!, signInResult(host, page.link, before)))
    return 'complete'
  }

  function local(reply?: Frame): Delivery {
    if (reply !== undefined) void events.frame(reply)
    return { started: Promise.resolve(), done: Promise.resolve('complete') }
  }

  return {
    send(frame) {
      // What the server has asked behind `initialize` it may need to know before it answers that.
      if (frame.kind === 'response') return asked.delete(frame.id!) ? local() : remote.send(frame)
      if (first && frame.kind === 'request') enter(frame)
      if (stateless !== undefined) {
        if (frame.method !== 'initialize') return stateless.send(frame)
        closeStateless() // it has only probed
      }
      if (frame.method === 'initialize' && stood === undefined) return begin(frame)
      return stood === undefined ? remote.send(frame) : hold(frame)
    },
    acceptsBatches: remote.acceptsBatches,
    ended: () => remote.ended?.(),
    close() {
      closeStateless()
      return remote.close()
    },
  }
}

/** What the server says when it refuses `initialize`. */
function wordsOf(error: Buffer): string {
  const message = valueAt(error, 'message')
  return typeof message === 'string'
    ? message.slice(0, MAX_ERROR_MESSAGE_CHARS)
    : 'The server refused it.'
}

function preliminary(host: string): string {
  return `${host} waits for a sign-in; the host gets a preliminary answer`
}
