import type { HostLine, Local, RemoteEvents, ServerTap } from '../channel.ts'
import type { Frame, RawId } from '../frame.ts'
import { MAX_OPEN_REQUESTS, TRACE_CUT_MARGIN_BYTES } from '../limits.ts'
import type { Log, StateChange } from '../log.ts'
import { withoutPayloads } from './payloads.ts'
import type { FrameRecord } from './record.ts'
import type { Redact } from './redact.ts'
import type { Sink } from './sink.ts'

/** Numbers and times of the records of one trace. */
export interface Stamp {
  /** The first members of a record, without the closing brace, and its number. */
  next(type: string): { readonly seq: number; readonly t: number; readonly head: string }
}

/** Stamps by the process's clocks. */
export function createStamp(now: () => number, wall: () => number): Stamp {
  const begun = now()
  let seq = 0
  let lastMs = -1
  let lastText = ''
  return {
    next(type) {
      const t = Math.round((now() - begun) * 1000) / 1000
      const ms = wall()
      if (ms !== lastMs) {
        lastMs = ms
        lastText = new Date(ms).toISOString()
      }
      const number = seq++
      const head = `{"seq":${number},"t":${t},"at":"${lastText}","type":"${type}"`
      return { seq: number, t, head }
    },
  }
}

const OWN_MEMBERS: ReadonlySet<string> = new Set(['seq', 't', 'at', 'type', 'raw'])

/** A JSON text as one character per byte. */
function json(value: unknown): string {
  const text = JSON.stringify(value)
  // oxlint-disable-next-line no-control-regex
  return /^[\0-\u007f]*$/.test(text) ? text : Buffer.from(text).toString('latin1')
}

/** Members to add to a record; absent ones are left out. */
export function members(values: object): string {
  const text = json(values)
  return text === '{}' ? '' : `,${text.slice(1, -1)}`
}

/** A request that has no answer yet, and what is known of its way over HTTP. */
export interface OpenRequest {
  readonly seq: number
  readonly t: number
  readonly method: string | undefined
  exchange?: number
  status?: number
  stream?: 'json' | 'sse'
  attempts: number
}

/** Records messages, states and lines. */
export interface Recorder {
  local(local: Local): Local
  events(events: RemoteEvents): RemoteEvents
  /** What passes between a translation and the server. */
  readonly server: ServerTap
  log(log: Log): Log
  /** The request whose text is the body of an HTTP request. */
  requestOf(body: readonly Buffer[] | undefined): OpenRequest | undefined
}

/** What of each frame is kept. */
export interface Extent {
  readonly capBytes: number
  readonly payloads: boolean
  /** Whether states and lines are recorded too. */
  readonly states: boolean
}

/** The requests that have no answer yet at one side of the bridge. */
interface Side {
  /** Those that go towards the server. */
  readonly ours: Map<RawId, OpenRequest>
  readonly theirs: Map<RawId, OpenRequest>
}

/** Records what passes the two sides of the bridge, and who answered what. */
export function createRecorder(sink: Sink, stamp: Stamp, redact: Redact, extent: Extent): Recorder {
  const atHost: Side = { ours: new Map(), theirs: new Map() }
  const atServer: Side = { ours: new Map(), theirs: new Map() }
  /** The records of the host's requests that requests of ours are about to be sent for. */
  const standing = new Map<RawId, number>()
  const bodies = new WeakMap<readonly Buffer[], OpenRequest>()
  /** The server's frames, by identity: whatever else goes to the host is the bridge's. */
  const relayed = new WeakSet<Frame>()
  let translated = false

  function record(frame: Frame, from: FrameRecord['from'], side = atHost): void {
    const { seq, t, head } = stamp.next('frame')
    const { kind, id, size } = frame
    const outward = side === atHost ? from === 'host' : from === 'bridge'
    let text = `${head},"from":"${from}"`
    if (side === atServer) text += `,"side":"server"${outward ? cause(frame) : ''}`
    text += `,"kind":"${kind}"`
    if (id !== undefined) text += `,"id":${json(id)}`
    const asked = outward ? side.ours : side.theirs
    const answered = outward ? side.theirs : side.ours
    if (frame.method !== undefined) text += `,"method":${json(frame.method)}`
    if (kind === 'response') text += closing(answered, id, t)
    if (frame.error !== undefined) text += ',"error":true'
    text += `,"size":${size}`
    if (frame.parts !== undefined) {
      for (const part of frame.parts) if (part.kind === 'response') closing(answered, part.id, t)
    }
    const request = { seq, t, method: frame.method, attempts: 0 }
    for (const part of frame.parts ?? [frame]) {
      if (part.kind === 'request') enter(asked, part.id!, { ...request, method: part.method })
    }
    if (outward) {
      const open = kind === 'request' ? asked.get(id!) : undefined
      bodies.set(frame.chunks, open ?? request)
    }
    if (!extent.payloads) {
      const masked = withoutPayloads(frame)
      sink.write(text, [masked], masked.length)
    } else if (size <= extent.capBytes) {
      sink.write(text, frame.chunks, size)
    } else {
      const start = Buffer.from(json(beginning(frame)), 'latin1')
      sink.write(`${text},"cut":true`, [start], start.length)
    }
  }

  /** The host's request that a request to the server stands for. */
  function cause({ kind, id }: Frame): string {
    const seq = kind === 'request' ? standing.get(id!) : undefined
    if (seq === undefined) return ''
    standing.delete(id!)
    return `,"for":${seq}`
  }

  /** The beginning of a long frame. Masked before it is cut: half a secret would not be recognised. */
  function beginning(frame: Frame): string {
    const all = Buffer.concat(
      [...frame.chunks],
      Math.min(frame.size, extent.capBytes + TRACE_CUT_MARGIN_BYTES),
    )
    return Buffer.from(
      redact(all.toString('latin1')).slice(0, extent.capBytes),
      'latin1',
    ).toString()
  }

  function enter(open: Map<RawId, OpenRequest>, id: RawId, request: OpenRequest): void {
    // A cancelled request is never answered.
    if (open.size >= MAX_OPEN_REQUESTS) open.delete(open.keys().next().value!)
    open.set(id, request)
  }

  function closing(open: Map<RawId, OpenRequest>, id: RawId | undefined, t: number): string {
    const request = id === undefined ? undefined : open.get(id)
    if (request === undefined) return ''
    open.delete(id!)
    const { seq, method, exchange, status, stream, attempts } = request
    const attempt = attempts > 0 ? attempts : undefined
    const ms = Math.round((t - request.t) * 1000) / 1000
    let text = method === undefined ? '' : `,"method":${json(method)}`
    text += `,"request":${seq},"ms":${ms}`
    if (exchange !== undefined) text += `,"exchange":${exchange}`
    if (status !== undefined) text += `,"status":${status}`
    if (attempt !== undefined) text += `,"attempt":${attempt}`
    if (stream !== undefined) text += `,"stream":"${stream}"`
    return text
  }

  function fromLine(line: HostLine): void {
    if (line.kind === 'frame') {
      record(line.frame, 'host')
      return
    }
    sink.write(`${stamp.next('frame').head},"from":"host","kind":"${line.kind}"`)
  }

  function state(change: StateChange): void {
    // A detail must not pass for a member of every record.
    const details = Object.entries(change).filter(([name]) => !OWN_MEMBERS.has(name))
    sink.write(stamp.next('state').head + members(Object.fromEntries(details)))
  }

  return {
    local: (local) => ({
      ...local,
      send(frame) {
        record(frame, relayed.has(frame) ? 'server' : 'bridge')
        return local.send(frame)
      },
      read: (onLine) =>
        local.read((line) => {
          fromLine(line)
          return onLine(line)
        }),
    }),
    events: (events) => ({
      ...events,
      frame(frame, owner) {
        if (!translated) relayed.add(frame)
        return events.frame(frame, owner)
      },
    }),
    server: {
      translates() {
        translated = true
      },
      standsFor(id, hostId) {
        const request = atHost.ours.get(hostId)
        if (request !== undefined) standing.set(id, request.seq)
      },
      sent: (frame) => record(frame, 'bridge', atServer),
      received(frame) {
        relayed.add(frame)
        record(frame, 'server', atServer)
      },
    },
    log: (log) => ({
      warn(line) {
        if (extent.states) sink.write(stamp.next('stderr').head + members({ line }))
        log.warn(line)
      },
      state(change) {
        if (extent.states) state(change)
        log.state(change)
      },
    }),
    requestOf: (body) => (body === undefined ? undefined : bodies.get(body)),
  }
}
