import { type FrameRecord, stateDetails } from '../record.ts'
import { bytes, duration } from '../units.ts'
import { drawAxis } from './axis.ts'
import { byId, make } from './dom.ts'
import { type Item, latenciesOf, type Request } from './model.ts'
import { visible } from './pretty.ts'
import { createRows, type Rows } from './rows.ts'

const SIGN = { host: '→', server: '←', bridge: '↩' } as const
const SERVER_SIGN = { host: '⇥', bridge: '⇥', server: '⇤' } as const
const SLOW_MS = 1_000
const PEEK_CHARS = 240

/** The list of records. */
export function createList(chosen: (item: Item) => void): Rows<Item> {
  const rows = createRows<Item>({ label: 'Records', draw: drawItem, chosen })
  byId('list').append(rows.element)
  return rows
}

function drawItem(item: Item, row: HTMLElement): void {
  const { record, raw } = item
  row.classList.add(`type-${record.type}`)
  if (item.failed) row.classList.add('failed')
  const [sign, what, detail, ms, size, peek] = cellsOf(item, raw)
  if (record.type === 'frame') row.classList.add(...classesOf(record))
  const name = make('span', 'what', make('b', '', visible(what)))
  if (detail !== '') name.append(make('i', '', visible(detail)))
  const took = make('span', 'took', ms === undefined ? '' : duration(ms))
  if (ms !== undefined && ms >= SLOW_MS) took.classList.add('slow')
  row.append(
    make('span', 'at', record.at.slice(11, 23)),
    make('span', 'sign', sign),
    name,
    took,
    make('span', 'size', size === undefined ? '' : bytes(size)),
    make('span', 'peek', visible(peek.slice(0, PEEK_CHARS))),
  )
}

function classesOf({ from, side }: FrameRecord): string[] {
  return side === undefined ? [`from-${from}`] : [`from-${from}`, 'at-server']
}

type Cells = readonly [
  sign: string,
  what: string,
  detail: string,
  ms: number | undefined,
  size: number | undefined,
  peek: string,
]

function cellsOf({ record }: Item, raw: string | undefined): Cells {
  switch (record.type) {
    case 'start':
      return ['■', 'trace begins', '', undefined, undefined, record.server]
    case 'frame': {
      const { from, side, kind, id, method, ms, size } = record
      const what = method ?? kind
      const sign = (side === undefined ? SIGN : SERVER_SIGN)[from]
      return [sign, what, id === undefined ? '' : `#${id}`, ms, size, raw ?? '']
    }
    case 'http': {
      const { verb, url, status, ms, total, received, open, error } = record
      const path = URL.canParse(url) ? new URL(url).pathname : url
      const note = error ?? (open === true ? 'stream begins' : '')
      const detail = `${status ?? ''}`
      return ['⇄', `${verb} ${path}`, detail, open === true ? ms : total, received, note]
    }
    case 'state':
      return ['●', record.part, record.what, undefined, undefined, stateDetails(record)]
    case 'stderr':
      return ['!', 'warning', '', undefined, undefined, record.line]
    case 'dropped':
      return ['!', `${record.dropped} records are missing`, '', undefined, undefined, '']
  }
}

/** Requests as bars; the time axis is that of the requests that can be seen. */
export function createWaterfall(chosen: (item: Item) => void): Rows<Request> {
  let from = 0
  let to = 1
  const axis = make('div', 'wf-axis')
  const rows = createRows<Request>({
    label: 'Requests',
    chosen: ({ item }) => chosen(item),
    visible(requests) {
      const times = requests.map(({ record }) => record.t)
      // One without an answer goes on to the edge: it must not squeeze the others.
      const ends = requests.map(({ record, ms }) => record.t + (ms ?? 0))
      from = times.length === 0 ? 0 : Math.min(...times)
      to = Math.max(from + 1, ...ends)
      drawAxis(axis, from, to, 0)
    },
    draw(request, row) {
      const { record, ms, failed } = request
      row.classList.add(...classesOf(record))
      if (failed) row.classList.add('failed')
      if (ms === undefined) row.classList.add('openbar')
      else if (ms >= SLOW_MS) row.classList.add('slowbar')
      const name = make('span', 'what', make('b', '', visible(record.method ?? '')))
      name.append(make('i', '', `#${record.id ?? ''}`))
      const left = ((record.t - from) / (to - from)) * 100
      const width = (((ms === undefined ? to - record.t : ms) || 0) / (to - from)) * 100
      const bar = make('span')
      bar.style.left = `${left}%`
      bar.style.width = `${width}%`
      const label = make('em', '', ms === undefined ? 'no answer' : duration(ms))
      if (left + width > 88 && left > 12) label.style.right = `${100 - left}%`
      else if (left + width > 88) label.style.right = '0'
      else label.style.left = `${left + width}%`
      row.append(name, make('div', 'lanebar', bar, label))
    },
  })
  rows.element.classList.add('wf')
  byId('waterfall').append(axis, rows.element)
  return rows
}

/** The table of latencies. */
export function drawLatencies(requests: readonly Request[]): void {
  const latencies = latenciesOf(requests)
  const most = Math.max(...latencies.map(({ p95 }) => (Number.isNaN(p95) ? 0 : p95)), 0.001)
  const head = ['method', 'requests', 'failed', 'no answer', 'p50', 'p95', 'slowest', '']
  const table = make(
    'table',
    '',
    make('thead', '', make('tr', '', ...head.map((name) => headCell(name)))),
    make(
      'tbody',
      '',
      ...latencies.map(({ method, from, side, count, failed, open, p50, p95, max }) => {
        const spread = make('div', '', share('p95', p95 / most), share('p50', p50 / most))
        const cells = [
          `${method}${noteOf(from, side)}`,
          count.toLocaleString('en'),
          failed === 0 ? '' : failed.toLocaleString('en'),
          open === 0 ? '' : open.toLocaleString('en'),
          ...[p50, p95, max].map((ms) => (Number.isNaN(ms) ? '–' : duration(ms))),
        ]
        const row = make('tr', '', ...cells.map((text) => make('td', '', visible(text))))
        row.append(make('td', 'spread', spread))
        return row
      }),
    ),
  )
  byId('latency').replaceChildren(
    latencies.length === 0 ? make('p', 'hint', 'There are no requests in this trace.') : table,
  )
}

function noteOf(from: FrameRecord['from'], side: FrameRecord['side']): string {
  if (from === 'server')
    return ` (asked by the server${side === undefined ? '' : ', untranslated'})`
  return side === undefined ? '' : ' (to the server, translated)'
}

function headCell(name: string): HTMLElement {
  const cell = make('th', '', name)
  cell.scope = 'col'
  return cell
}

function share(className: string, part: number): HTMLElement {
  const element = make('span', className)
  element.style.width = `${Number.isNaN(part) ? 0 : Math.max(part * 100, 0.5)}%`
  return element
}
