import { detailsOf } from '../record.ts'
import { bytes, duration } from '../units.ts'
import { byId, make } from './dom.ts'
import type { Item, Model } from './model.ts'
import { indent, visible } from './pretty.ts'

/** Above this only the text is indented: colours of a large message cost a second. */
const MAX_COLORED_CHARS = 200_000

/** Requests to the server that one of the host leads to; a call has eleven rounds at most. */
const MAX_TRANSLATIONS = 20

/** Shows one record whole, and leads to those that belong to it. */
export function createDetail(
  model: Model,
  go: (item: Item) => void,
): (item: Item | undefined) => void {
  const panel = byId('detail')
  const exchanges = new Map<number, Item[]>()
  for (const item of model.items) {
    if (item.record.type !== 'http') continue
    const group = exchanges.get(item.record.exchange) ?? []
    group.push(item)
    exchanges.set(item.record.exchange, group)
  }
  const answers = new Map<Item, Item>()
  for (const { item, answer } of model.requests) if (answer !== undefined) answers.set(item, answer)

  function related(item: Item): [string, Item][] {
    const { record } = item
    const found: [string, Item | undefined][] = []
    if (record.type === 'frame') {
      if (record.request !== undefined) found.push(['Request', model.bySeq(record.request)])
      found.push(['Answer', answers.get(item)])
      if (record.for !== undefined) found.push(['Request of the host', model.bySeq(record.for)])
      const sent = model.translations.get(record.seq) ?? []
      for (const [index, other] of sent.slice(0, MAX_TRANSLATIONS).entries()) {
        found.push([index === 0 ? 'To the server' : `To the server, ${index + 1}`, other])
      }
      const answer = answers.get(item)?.record
      const number = record.exchange ?? (answer?.type === 'frame' ? answer.exchange : undefined)
      if (number !== undefined) found.push(['HTTP exchange', exchanges.get(number)?.at(-1)])
    } else if (record.type === 'http' && record.frame !== undefined) {
      found.push(['Message', model.bySeq(record.frame)])
    }
    return found.filter((pair): pair is [string, Item] => pair[1] !== undefined)
  }

  return (item) => {
    if (item === undefined) {
      panel.replaceChildren(hint())
      return
    }
    const { record, raw } = item
    const children: HTMLElement[] = [
      make('h2', '', visible(titleOf(item))),
      make('p', 'sub', `${record.at.slice(11, 23)} · ${duration(record.t)} after the beginning`),
      listOf(factsOf(item)),
    ]
    const links = related(item).map(([name, target]) => button(name, () => go(target)))
    if (raw !== undefined) links.push(button('Copy', () => copy(raw)))
    if (links.length > 0) children.push(make('div', 'actions', ...links))
    if (record.type === 'http') {
      if (record.requestHeaders !== undefined) {
        children.push(
          make('h3', '', 'Request headers'),
          listOf(Object.entries(record.requestHeaders)),
        )
      }
      if (record.headers !== undefined) {
        children.push(make('h3', '', 'Response headers'), listOf(Object.entries(record.headers)))
      }
    }
    if (raw !== undefined) children.push(make('h3', '', 'Message'), messageOf(raw, record))
    panel.replaceChildren(...children)
    panel.scrollTop = 0
  }
}

function titleOf({ record }: Item): string {
  switch (record.type) {
    case 'start':
      return 'The trace begins'
    case 'frame': {
      const { kind, method, id } = record
      const what = kind === 'response' ? `Answer to ${method ?? 'nothing'}` : (method ?? kind)
      return id === undefined ? what : `${what} #${id}`
    }
    case 'http':
      return `${record.verb} ${record.url}`
    case 'state':
      return `${record.part} ${record.what}`
    case 'stderr':
      return 'Warning'
    case 'dropped':
      return `${record.dropped} records are missing`
  }
}

const FROM = { host: 'host', server: 'server', bridge: 'the bridge itself' } as const

/** What a record says, apart from what is shown elsewhere. */
function factsOf({ record }: Item): [string, string][] {
  const text = (value: unknown): string =>
    typeof value === 'object' ? JSON.stringify(value) : String(value)
  const facts: [string, string][] = []
  for (const [name, value] of detailsOf(record)) {
    if (value === undefined || name === 'headers' || name === 'requestHeaders') continue
    if (name === 'from' && record.type === 'frame') facts.push(['from', FROM[record.from]])
    else if (name === 'ms' || name === 'total') facts.push([LABELS[name]!, duration(Number(value))])
    else if (name === 'size' || name === 'sent' || name === 'received')
      facts.push([name, sizeOf(Number(value))])
    else if (!HIDDEN.has(name)) facts.push([LABELS[name] ?? name, text(value)])
  }
  return [...facts, ['record', String(record.seq)]]
}

function sizeOf(count: number): string {
  return count < 1000 ? bytes(count) : `${bytes(count)} (${count.toLocaleString('en')})`
}

const LABELS: Readonly<Record<string, string>> = { ms: 'time', total: 'time in all' }
const HIDDEN = new Set(['request', 'for', 'v'])

function listOf(entries: readonly (readonly [string, string])[]): HTMLElement {
  const list = make('dl')
  for (const [name, value] of entries) {
    list.append(make('dt', '', visible(name)), make('dd', '', visible(value)))
  }
  return list
}

function messageOf(raw: string, record: Item['record']): HTMLElement {
  const pre = make('pre')
  pre.tabIndex = 0
  if (record.type === 'frame' && record.cut === true) {
    pre.append(visible(JSON.parse(raw) as string), make('span', 'p', '\n… cut here'))
    return pre
  }
  const tokens = indent(raw)
  if (raw.length > MAX_COLORED_CHARS) pre.textContent = tokens.map(({ text }) => text).join('')
  else pre.append(...tokens.map(({ kind, text }) => make('span', kind, text)))
  return pre
}

function button(name: string, action: () => void): HTMLButtonElement {
  const element = make('button', '', name)
  element.type = 'button'
  element.addEventListener('click', action)
  return element
}

/** The clipboard may be closed to files; a selection is always allowed. */
function copy(text: string): void {
  const area = make('textarea')
  area.value = text
  document.body.append(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}

function hint(): HTMLElement {
  return make(
    'p',
    'hint',
    'Choose a record to see all of it. ',
    make('kbd', '', '↑'),
    ' ',
    make('kbd', '', '↓'),
    ' move, ',
    make('kbd', '', '/'),
    ' searches, ',
    make('kbd', '', 't'),
    ' turns on the light.',
  )
}
