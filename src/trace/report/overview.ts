import { duration } from '../units.ts'
import { drawAxis } from './axis.ts'
import { byId, make, onFrame } from './dom.ts'
import { type Item, type Model, percentile, type Span } from './model.ts'

/** States of one part that are drawn; a link that changes more often is in the list. */
const MAX_SPANS = 400

/** A shorter state has no room for its name. */
const MIN_NAMED_SHARE = 0.04

/** The head of the page: what was recorded, how it went, and the link's states over time. */
export function drawOverview(
  model: Model,
  choose: (item: Item) => void,
  seek: (t: number) => void,
): void {
  drawSubject(model)
  drawNumbers(model)
  drawLanes(model, choose)
  const canvas = byId<HTMLCanvasElement>('activity')
  const redraw = onFrame(() => {
    drawActivity(canvas, model)
    drawAxis(byId('axis'), model.from, model.to, model.from)
  })
  new ResizeObserver(redraw).observe(canvas)
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw)
  document.addEventListener('themechange', redraw)
  canvas.addEventListener('click', (event) => {
    const share = event.offsetX / canvas.clientWidth
    seek(model.from + share * (model.to - model.from))
  })
}

function drawSubject({ items }: Model): void {
  const start = items.find(({ record }) => record.type === 'start')?.record
  if (start?.type !== 'start') return
  byId('subject').textContent = start.server
  byId('facts').textContent =
    `mcp-bridge ${start.version} · Node ${start.node} · ${start.platform} · ${start.at.slice(0, 19).replace('T', ' ')} UTC`
}

function drawNumbers({ items, requests: all, from, to }: Model): void {
  // One that was sent to the server in other words is no further request.
  const requests = all.filter(({ record }) => record.side === undefined)
  const times = requests.flatMap(({ ms }) => (ms === undefined ? [] : [ms]))
  const failed = items.filter((item) => item.failed).length
  const numbers: readonly (readonly [string, string, boolean?])[] = [
    ['requests', requests.length.toLocaleString('en')],
    ['went wrong', failed.toLocaleString('en'), failed > 0],
    ['lasted', duration(to - from)],
    ['p50', times.length === 0 ? '–' : duration(percentile(times, 0.5))],
    ['p95', times.length === 0 ? '–' : duration(percentile(times, 0.95))],
    ['slowest', times.length === 0 ? '–' : duration(percentile(times, 1))],
  ]
  byId('numbers').replaceChildren(
    ...numbers.map(([name, value, bad]) =>
      make('div', '', make('dt', '', name), make('dd', bad === true ? 'bad' : '', value)),
    ),
  )
}

function drawLanes({ lanes, from, to }: Model, choose: (item: Item) => void): void {
  const tracks = [...lanes].map(([part, spans]) => {
    const lane = make('div', 'lane')
    lane.append(...spans.slice(-MAX_SPANS).map((span) => spanElement(span, from, to, choose)))
    return make('div', 'track', make('span', 'name', part), lane)
  })
  byId('lanes').replaceChildren(...tracks)
}

function spanElement(
  { item, record, from, to, tone }: Span,
  begin: number,
  end: number,
  choose: (item: Item) => void,
): HTMLElement {
  const share = (to - from) / (end - begin)
  const element = make('button', `span ${tone}`, share < MIN_NAMED_SHARE ? '' : record.what)
  element.type = 'button'
  element.title = `${record.part} ${record.what}, after ${duration(from - begin)}`
  element.setAttribute('aria-label', element.title)
  element.style.left = `${((from - begin) / (end - begin)) * 100}%`
  element.style.width = `${share * 100}%`
  element.addEventListener('click', () => choose(item))
  return element
}

/** Answers over time, the failed ones at the bottom of each bar. */
function drawActivity(canvas: HTMLCanvasElement, { items, from, to }: Model): void {
  const { clientWidth: width, clientHeight: height } = canvas
  const scale = devicePixelRatio
  canvas.width = width * scale
  canvas.height = height * scale
  const context = canvas.getContext('2d')
  if (context === null || width === 0) return
  const bars = Math.max(Math.floor(width / 5), 1)
  const all = new Uint32Array(bars)
  const bad = new Uint32Array(bars)
  for (const { record, failed } of items) {
    if (record.type !== 'frame') continue
    const bar = Math.min(Math.floor(((record.t - from) / (to - from)) * bars), bars - 1)
    all[bar]!++
    if (failed) bad[bar]!++
  }
  const most = Math.max(...all, 1)
  const style = getComputedStyle(canvas)
  const color = (name: string): string => {
    const probe = make('span')
    probe.style.color = `var(${name})`
    canvas.after(probe)
    const { color: value } = getComputedStyle(probe)
    probe.remove()
    return value
  }
  const [plain, red] = [color('--accent'), color('--bad')]
  context.scale(scale, scale)
  context.fillStyle = style.color
  const step = width / bars
  for (let bar = 0; bar < bars; bar++) {
    if (all[bar] === 0) continue
    // The square root keeps single messages visible beside a storm of them.
    const tall = Math.max(Math.sqrt(all[bar]! / most) * (height - 6), 2)
    const low = bad[bar] === 0 ? 0 : Math.max(tall * (bad[bar]! / all[bar]!), 2)
    context.globalAlpha = 0.75
    context.fillStyle = plain
    context.fillRect(bar * step, height - tall, step - 1, tall - low)
    context.globalAlpha = 1
    context.fillStyle = red
    context.fillRect(bar * step, height - low, step - 1, low)
  }
}
