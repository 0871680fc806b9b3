import { type Entry, type FrameRecord, isFailure, readEntry, type StateRecord } from '../record.ts'

/** A record in the order of the trace. */
export interface Item extends Entry {
  readonly index: number
  readonly failed: boolean
}

/** A request of either side and how it ended. */
export interface Request {
  readonly item: Item
  readonly record: FrameRecord
  /** Absent while nobody has answered. */
  readonly answer: Item | undefined
  readonly ms: number | undefined
  readonly failed: boolean
}

/** A part of the link, from one of its states to the next. */
export interface Span {
  readonly item: Item
  readonly record: StateRecord
  /** Milliseconds since the trace began. */
  readonly from: number
  readonly to: number
  readonly tone: 'good' | 'bad' | 'wait' | 'plain'
}

/** A trace as the page shows it. */
export interface Model {
  readonly items: readonly Item[]
  readonly requests: readonly Request[]
  /** What was said to the server for a request of the host, by the number of that request. */
  readonly translations: ReadonlyMap<number, readonly Item[]>
  /** By part of the link, in the order of their first state. */
  readonly lanes: ReadonlyMap<string, readonly Span[]>
  readonly methods: readonly string[]
  /** Milliseconds of the first and the last record. */
  readonly from: number
  readonly to: number
  /** The record with this number. */
  bySeq(seq: number): Item | undefined
}

const TONES: Readonly<Record<string, Span['tone']>> = {
  again: 'wait',
  authorized: 'good',
  chosen: 'good',
  closed: 'plain',
  connected: 'good',
  'dead-peer': 'bad',
  failed: 'bad',
  found: 'good',
  lost: 'bad',
  'no-ping': 'wait',
  'not-renewed': 'bad',
  opened: 'good',
  refused: 'bad',
  renewed: 'good',
  reopened: 'good',
  resumed: 'good',
  waiting: 'wait',
}

/** Reads the lines of a trace. */
export function readModel(text: string): Model {
  const items: Item[] = []
  const bySeq = new Map<number, Item>()
  const answers = new Map<number, Item>()
  const translations = new Map<number, Item[]>()
  const states = new Map<string, Item[]>()
  const methods = new Set<string>()
  for (const line of text.split('\n')) {
    const entry = readEntry(line)
    if (entry === undefined) continue
    const item: Item = { ...entry, index: items.length, failed: isFailure(entry) }
    items.push(item)
    const { record } = item
    bySeq.set(record.seq, item)
    if (record.type === 'frame') {
      if (record.method !== undefined) methods.add(record.method)
      if (record.request !== undefined) answers.set(record.request, item)
      if (record.for !== undefined) {
        const group = translations.get(record.for) ?? []
        group.push(item)
        translations.set(record.for, group)
      }
    } else if (record.type === 'state') {
      const lane = states.get(record.part) ?? []
      lane.push(item)
      states.set(record.part, lane)
    }
  }
  const good = items.flatMap(({ record }) =>
    record.type === 'state' && TONES[record.what] === 'good' ? [record.t] : [],
  )
  const from = items[0]?.record.t ?? 0
  const to = Math.max(items.at(-1)?.record.t ?? 0, from + 1)
  return {
    items,
    requests: items.flatMap((item) => requestOf(item, answers)),
    translations,
    lanes: new Map([...states].map(([part, lane]) => [part, spansOf(lane, to, good)])),
    methods: [...methods].sort(),
    from,
    to,
    bySeq: (seq) => bySeq.get(seq),
  }
}

function requestOf(item: Item, answers: ReadonlyMap<number, Item>): Request[] {
  const { record } = item
  if (record.type !== 'frame' || record.kind !== 'request') return []
  const answer = answers.get(record.seq)
  const ms = answer?.record.type === 'frame' ? answer.record.ms : undefined
  return [{ item, record, answer, ms, failed: answer?.failed ?? false }]
}

function spansOf(lane: readonly Item[], end: number, good: readonly number[]): Span[] {
  return lane.map((item, index) => {
    const record = item.record as StateRecord
    const next = lane[index + 1]?.record.t ?? end
    // Trying again is no lasting state: it is over when anything works.
    const over = record.part === 'retry' ? good.find((t) => t > record.t) : undefined
    const to = Math.min(next, over ?? end)
    return { item, record, from: record.t, to, tone: TONES[record.what] ?? 'plain' }
  })
}

/** The latencies of one method. */
export interface Latency {
  readonly method: string
  readonly from: 'host' | 'server' | 'bridge'
  /** Between the bridge and the server, where it is another request than the host's. */
  readonly side: 'server' | undefined
  readonly count: number
  readonly failed: number
  readonly open: number
  readonly p50: number
  readonly p95: number
  readonly max: number
}

/** Latencies per method, the slowest first. */
export function latenciesOf(requests: readonly Request[]): Latency[] {
  const groups = new Map<string, Request[]>()
  for (const request of requests) {
    const { from, side = '', method = '' } = request.record
    const key = `${from} ${side} ${method}`
    const group = groups.get(key) ?? []
    group.push(request)
    groups.set(key, group)
  }
  return [...groups.values()]
    .map((group) => {
      const { method = '', from, side } = group[0]!.record
      const times = group.flatMap(({ ms }) => (ms === undefined ? [] : [ms]))
      return {
        method,
        from,
        side,
        count: group.length,
        failed: group.filter(({ failed }) => failed).length,
        open: group.length - times.length,
        p50: percentile(times, 0.5),
        p95: percentile(times, 0.95),
        max: percentile(times, 1),
      }
    })
    .sort((a, b) => b.p95 - a.p95)
}

/** The nearest-rank percentile; NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(Math.ceil(sorted.length * share) - 1, 0)] ?? Number.NaN
}
