/**
 * The lines of a trace (docs/debugging.md): one JSON object each. What they share, and what belongs
 * to each type. `raw`, the message itself, is always the last member, so that it can be taken out
 * as source text: numbers in it are never read.
 */
interface RecordHead {
  readonly seq: number
  /** Milliseconds since the trace began, by a clock that never jumps. */
  readonly t: number
  /** Wall time, ISO 8601. */
  readonly at: string
}

/** The first record of every file: what ran, and how. */
interface StartRecord extends RecordHead {
  readonly type: 'start'
  /** The version of this format. */
  readonly v: 1
  readonly version: string
  readonly node: string
  readonly platform: string
  readonly pid: number
  readonly server: string
  readonly argv: readonly string[]
  /** Which file of the trace it is, when it is not the first. */
  readonly part?: number
}

/** A message as it passed the host's side of the bridge, or the server's. */
export interface FrameRecord extends RecordHead {
  readonly type: 'frame'
  /** Who wrote it; `bridge` for what is neither the host's nor the server's own text. */
  readonly from: 'host' | 'server' | 'bridge'
  /** It passed between the bridge and the server, which is another message when it is translated. */
  readonly side?: 'server'
  /** Of a request to the server: the `seq` of the host's request that it stands for. */
  readonly for?: number
  readonly kind:
    | 'request'
    | 'notification'
    | 'response'
    | 'batch'
    | 'invalid'
    | 'unparsable'
    | 'too-long'
  /** The id as JSON source. */
  readonly id?: string
  /** Of a response: the method of its request. */
  readonly method?: string
  /** Bytes of the message, whatever is left of it here. */
  readonly size?: number
  /** It carries a JSON-RPC error. */
  readonly error?: boolean
  /** Of a response: the `seq` of its request, and the milliseconds between the two. */
  readonly request?: number
  readonly ms?: number
  /** Of a response: the HTTP exchange that it came from, or the last one of its request. */
  readonly exchange?: number
  readonly status?: number
  readonly attempt?: number
  readonly stream?: 'json' | 'sse'
  /** `raw` is a string: the beginning of a message that is longer than `--trace-cap`. */
  readonly cut?: boolean
}

/** One HTTP request and what came back. */
export interface HttpRecord extends RecordHead {
  readonly type: 'http'
  readonly exchange: number
  /** An event stream has begun; another record with the same number says how it ended. */
  readonly open?: boolean
  /** Whom it went to. */
  readonly to: 'server' | 'authorization'
  /** The `seq` of the message that was its body. */
  readonly frame?: number
  /** Which request for this message it was. */
  readonly attempt?: number
  readonly verb: string
  readonly url: string
  readonly status?: number
  /** Milliseconds until the headers were there, and until all was. */
  readonly ms?: number
  readonly total?: number
  readonly sent?: number
  readonly received?: number
  readonly requestHeaders?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly stream?: 'json' | 'sse'
  /** Why there was no answer, or no end of it. */
  readonly error?: string
}

/** A change of the link's state (src/log.ts). */
export interface StateRecord extends RecordHead {
  readonly type: 'state'
  readonly part: string
  readonly what: string
  readonly [detail: string]: string | number | boolean | undefined
}

/** A line on stderr. */
interface LineRecord extends RecordHead {
  readonly type: 'stderr'
  readonly line: string
}

/** Records that are missing here, because the disk was too slow. */
interface DroppedRecord extends RecordHead {
  readonly type: 'dropped'
  readonly dropped: number
}

/** One record without its message. */
export type TraceRecord =
  | StartRecord
  | FrameRecord
  | HttpRecord
  | StateRecord
  | LineRecord
  | DroppedRecord

/** A line of a trace, taken apart. */
export interface Entry {
  readonly record: TraceRecord
  /** The message as JSON source. */
  readonly raw: string | undefined
}

const RAW = ',"raw":'

/** Reads a line; `undefined` for what is no record, e.g. the half line of a process that was killed. */
export function readEntry(line: string): Entry | undefined {
  // In a head quotes are escaped, so the first of these is the member.
  const at = line.indexOf(RAW)
  const head = at === -1 ? line : `${line.slice(0, at)}}`
  const raw = at === -1 ? undefined : line.slice(at + RAW.length, -1)
  if (!line.endsWith('}')) return undefined
  try {
    const record = JSON.parse(head) as Partial<TraceRecord> | null
    if (typeof record?.type !== 'string' || typeof record.seq !== 'number') return undefined
    return { record: record as TraceRecord, raw }
  } catch {
    return undefined
  }
}

/** Whether a record tells of something that went wrong. */
export function isFailure({ record, raw }: Entry): boolean {
  switch (record.type) {
    case 'start':
    case 'state':
      return false
    case 'frame':
      return (
        record.error === true ||
        record.kind === 'unparsable' ||
        record.kind === 'too-long' ||
        record.kind === 'invalid' ||
        // A tool that failed (MCP, Tools, Error Handling); elsewhere the member has no meaning.
        (record.method === 'tools/call' && /"isError"\s*:\s*true/.test(raw ?? ''))
      )
    case 'http':
      // What a server without such a stream, or without sessions, is to say (MCP 2025-11-25, transports).
      if (record.status === 405 && record.verb !== 'POST') return false
      return record.error !== undefined || (record.status ?? 0) >= 400
    case 'stderr':
    case 'dropped':
      return true
  }
}

const COMMON: ReadonlySet<string> = new Set(['seq', 't', 'at', 'type'])

/** What a record says beyond what all records do. */
export function detailsOf(record: TraceRecord): [name: string, value: unknown][] {
  return Object.entries(record).filter(([name]) => !COMMON.has(name))
}

/** The details of a state as text: `name=value`. */
export function stateDetails(record: StateRecord): string {
  return detailsOf(record)
    .filter(([name]) => name !== 'part' && name !== 'what')
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ')
}
