import type { HostLine, Local, Remote, RemoteEvents } from './channel.ts'
import { errorObject, failureFrame, invalid, tooMany, unanswered } from './error-frames.ts'
import { PARSE_ERROR_CODE, type RelayError } from './errors.ts'
import {
  batchFrame,
  cancellation,
  cancelledId,
  errorFrame,
  type ErrorObject,
  type Frame,
  type RawId,
  withId,
} from './frame.ts'
import { MAX_FRAME_BYTES, MAX_OPEN_REQUESTS } from './limits.ts'
import type { Log } from './log.ts'

/** The relay between one host and one server. */
export interface Relay {
  /** For the remote: what the server says. */
  readonly events: RemoteEvents
  /** Relays the host's lines until the host has closed its side. */
  run(remote: Remote): Promise<void>
  /** Settles when every request of the host has its answer. */
  idle(): Promise<void>
  /** Answers every open request of both sides with an error: the end of the relay. */
  close(remote: Remote, why: RelayError): Promise<void>
}

const DUPLICATE = invalid('A request with this id is still open.')

/** A request of the host that has no answer yet. */
interface Open {
  /** The batch that the answer must be part of, when the relay split one. */
  readonly group: Group | undefined
  /** An answer under another id that came in this request's own response. */
  stray?: Frame
}

/** The answers to a batch that was split: they go back as one array (JSON-RPC 2.0 §6). */
interface Group {
  missing: number
  readonly answers: Frame[]
}

/** Relays frames both ways and guarantees exactly one answer to every request of either side. */
export function createRelay(local: Local, log: Log): Relay {
  const open = new Map<RawId, Open>()
  const asked = new Set<RawId>()
  let remote: Remote
  let onIdle: (() => void) | undefined
  /** Notifications and answers of the host that are on their way. */
  let sending = 0
  let closed: RelayError | undefined

  const checkIdle = (): void => {
    if (open.size === 0 && sending === 0) onIdle?.()
  }

  /** The one way to the host for an answer: a second answer to the same request finds no entry. */
  function settle(id: RawId, frame: Frame): Promise<void> | undefined {
    const entry = open.get(id)
    if (entry === undefined || !open.delete(id)) return undefined
    const wait = entry.group === undefined ? local.send(frame) : collect(entry.group, frame)
    checkIdle()
    return wait
  }

  function collect(group: Group, frame?: Frame): Promise<void> | undefined {
    if (frame !== undefined) group.answers.push(frame)
    group.missing--
    if (group.missing > 0 || group.answers.length === 0) return undefined
    return local.send(batchFrame(group.answers))
  }

  function refuse(
    id: RawId | undefined,
    error: ErrorObject,
    group?: Group,
  ): Promise<void> | undefined {
    const frame = errorFrame(id ?? 'null', error)
    return group === undefined ? local.send(frame) : collect(group, frame)
  }

  /** Answers those of the requests that are still open with an error. */
  function fail(ids: Iterable<RawId>, error: () => unknown): void {
    for (const id of ids) {
      const entry = open.get(id)
      if (entry === undefined) continue
      const { stray } = entry
      void settle(id, stray === undefined ? failureFrame(id, error()) : withId(stray, id))
    }
  }

  /** Enters the requests of a frame into the table; the ids that may not be entered are refused. */
  function enter(frame: Frame, group?: Group): boolean {
    const id = frame.id!
    if (closed !== undefined) {
      void refuse(id, errorObject(closed), group)
      return false
    }
    if (open.has(id)) {
      void refuse(id, DUPLICATE, group)
      return false
    }
    if (open.size >= MAX_OPEN_REQUESTS) {
      void refuse(id, errorObject(tooMany()), group)
      return false
    }
    open.set(id, { group })
    return true
  }

  function forward(frame: Frame, ids: readonly RawId[]): Promise<void> | undefined {
    if (closed !== undefined) return undefined
    const entries = ids.map((id) => open.get(id))
    // An answered request's id may have been given to another one by the time that this one is over.
    const left = (): RawId[] => ids.filter((id, i) => open.get(id) === entries[i])
    const { started, done } = remote.send(frame)
    if (ids.length === 0) {
      settled(done, frame)
      return started
    }
    done.then(
      (outcome) => {
        if (outcome === 'complete') fail(left(), unanswered)
      },
      (error: unknown) => fail(left(), () => error),
    )
    return started
  }

  /** Nobody waits for an answer to this frame; what went wrong is said on stderr. */
  function settled(done: Promise<unknown>, frame: Frame): void {
    sending++
    done
      .catch((error: unknown) => {
        if (closed === undefined)
          log.warn(`${frame.method ?? 'an answer'}: ${(error as Error).message}`)
      })
      .finally(() => {
        sending--
        checkIdle()
      })
  }

  function fromHost(line: HostLine): Promise<void> | undefined {
    switch (line.kind) {
      case 'unparsable':
        return refuse(undefined, { code: PARSE_ERROR_CODE, message: 'Parse error: not JSON.' })
      case 'too-long': {
        const message = `Parse error: a message may have ${MAX_FRAME_BYTES / 1024 / 1024} MiB at most.`
        return refuse(undefined, { code: PARSE_ERROR_CODE, message })
      }
      case 'frame':
        return line.frame.kind === 'batch' ? batch(line.frame) : single(line.frame)
    }
  }

  function single(frame: Frame, group?: Group): Promise<void> | undefined {
    switch (frame.kind) {
      case 'batch':
      case 'invalid':
        return refuse(frame.id, invalid('Neither a request, a notification nor a response.'), group)
      case 'request':
        return enter(frame, group) ? forward(frame, [frame.id!]) : undefined
      case 'response':
        if (frame.id !== undefined && asked.delete(frame.id)) return forward(frame, [])
        log.warn(`the host answered a request that is not open (id ${frame.id ?? 'missing'})`)
        return undefined
      case 'notification': {
        const id = cancelledId(frame)
        const sent = forward(frame, [])
        if (id !== undefined) forget(id)
        return sent
      }
    }
  }

  /** A cancelled request gets no answer (MCP cancellation); one that still comes is dropped. */
  function forget(id: RawId): void {
    const entry = open.get(id)
    if (entry === undefined) return
    open.delete(id)
    if (entry.group !== undefined) void collect(entry.group)
    checkIdle()
  }

  async function batch(frame: Frame): Promise<void> {
    const parts = frame.parts ?? []
    const requests = parts.filter((part) => part.kind === 'request')
    const ids = requests.map((part) => part.id!)
    const whole =
      closed === undefined &&
      remote.acceptsBatches() &&
      parts.every((part) => part.kind === 'request' || part.kind === 'notification') &&
      new Set(ids).size === ids.length &&
      ids.every((id) => !open.has(id)) &&
      open.size + ids.length <= MAX_OPEN_REQUESTS
    if (whole) {
      for (const id of ids) open.set(id, { group: undefined })
      return forward(frame, ids)
    }
    const answers = parts.filter((part) => part.kind === 'request' || part.kind === 'invalid')
    const group: Group = { missing: answers.length, answers: [] }
    const seen = new Set<RawId>()
    for (const part of parts) {
      const id = part.kind === 'request' ? part.id : undefined
      if (id !== undefined && seen.has(id)) void refuse(id, DUPLICATE, group)
      else await single(part, group)
      if (id !== undefined) seen.add(id)
    }
  }

  function fromServer(frame: Frame, owner?: RawId): Promise<void> | undefined {
    switch (frame.kind) {
      case 'request':
        if (asked.has(frame.id!) || asked.size >= MAX_OPEN_REQUESTS) {
          // The host could not tell two open requests with one id apart.
          const error = asked.has(frame.id!) ? DUPLICATE : errorObject(tooMany())
          void forward(errorFrame(frame.id!, error), [])
          return undefined
        }
        asked.add(frame.id!)
        return local.send(frame)
      case 'notification': {
        const id = cancelledId(frame)
        if (id !== undefined) asked.delete(id)
        return local.send(frame)
      }
      case 'response':
        return response(frame, owner)
      case 'batch':
        return batchFromServer(frame, owner)
      case 'invalid':
        log.warn('the server sent something that is no JSON-RPC message; it is left out')
        return undefined
    }
  }

  function response(frame: Frame, owner: RawId | undefined): Promise<void> | undefined {
    if (frame.id !== undefined && open.has(frame.id)) return settle(frame.id, frame)
    const entry = owner === undefined ? undefined : open.get(owner)
    if (owner === undefined || entry === undefined) return undefined
    // In its own response nobody else can be meant: a missing or `null` id is put right.
    if (frame.id === undefined || frame.id === 'null') return settle(owner, withId(frame, owner))
    // Any other id may be ours, rounded or turned into a string, or the answer to a request that
    // nobody made: it counts when the response ends without a better one.
    entry.stray ??= frame
    return undefined
  }

  function batchFromServer(frame: Frame, owner: RawId | undefined): Promise<void> | undefined {
    const parts = frame.parts ?? []
    const plain = parts.every((part) => {
      const entry =
        part.kind === 'response' && part.id !== undefined ? open.get(part.id) : undefined
      return entry !== undefined && entry.group === undefined
    })
    if (!plain || !remote.acceptsBatches()) {
      let wait: Promise<void> | undefined
      for (const part of parts) wait = fromServer(part, owner) ?? wait
      return wait
    }
    for (const part of parts) open.delete(part.id!)
    const wait = local.send(frame)
    checkIdle()
    return wait
  }

  return {
    events: {
      frame: fromServer,
      lost: (error, only) => fail(only === undefined ? [...open.keys()] : [only], () => error),
      forgotten() {
        for (const id of asked) {
          void local.send(cancellation(id, 'The server has lost its session.'))
        }
        asked.clear()
      },
    },
    async run(server) {
      remote = server
      await local.read(fromHost)
      server.ended?.()
    },
    idle() {
      if (open.size === 0 && sending === 0) return Promise.resolve()
      return new Promise((resolve) => {
        onIdle = resolve
      })
    },
    async close(server, why) {
      closed = why
      fail([...open.keys()], () => why)
      const answers = [...asked].map((id) => server.send(failureFrame(id, why)).done)
      asked.clear()
      await Promise.allSettled(answers)
    },
  }
}
