import { createDetail } from './detail.ts'
import { byId, make } from './dom.ts'
import { type Item, type Model, readModel, type Request } from './model.ts'
import { drawOverview } from './overview.ts'
import { visible } from './pretty.ts'
import { createList, createWaterfall, drawLatencies } from './views.ts'

/** How long typing may go on before the list follows. */
const TYPING_MS = 120

/** The trace in the page, unpacked by the browser itself. */
async function readData(): Promise<string> {
  const packed = JSON.parse(byId('data').textContent ?? '""') as string
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0))
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))
  return new Response(stream).text()
}

function start(model: Model): void {
  let selected: Item | undefined
  const showDetail = createDetail(model, go)
  const choose = (item: Item): void => {
    selected = item
    showDetail(item)
  }
  const list = createList(choose)
  const waterfall = createWaterfall(choose)
  const requestOf = new Map<Item, Request>(model.requests.map((request) => [request.item, request]))
  const method = byId<HTMLSelectElement>('method')
  const type = byId<HTMLSelectElement>('type')
  const slow = byId<HTMLSelectElement>('slow')
  const errors = byId<HTMLInputElement>('errors')
  const search = byId<HTMLInputElement>('search')
  let tab = 'list'

  /** Shows a record that may be hidden by the filters. */
  function go(item: Item): void {
    if (!filter()(item)) {
      for (const field of [search, method, type, slow]) field.value = ''
      errors.checked = false
      update()
    }
    openTab('list')
    choose(item)
    list.select(item)
  }

  function filter(): (item: Item) => boolean {
    const slowMs = slow.value === '' ? undefined : Number(slow.value)
    const words = search.value.trim().replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&')
    const pattern = words === '' ? undefined : new RegExp(words, 'i')
    return ({ record, raw, failed }) => {
      const frame = record.type === 'frame' ? record : undefined
      return (
        (type.value === '' || record.type === type.value) &&
        (method.value === '' || frame?.method === method.value) &&
        (slowMs === undefined || (frame?.ms ?? -1) >= slowMs) &&
        (!errors.checked || failed) &&
        (pattern === undefined || pattern.test(raw ?? '') || pattern.test(JSON.stringify(record)))
      )
    }
  }

  function update(): void {
    const fits = filter()
    const items = model.items.filter(fits)
    const requests = model.requests.filter(
      ({ item, answer }) => fits(item) || (answer !== undefined && fits(answer)),
    )
    list.show(items)
    waterfall.show(requests)
    drawLatencies(requests)
    const all = model.items.length.toLocaleString('en')
    const shown = items.length.toLocaleString('en')
    byId('count').textContent = shown === all ? all : `${shown} of ${all}`
    mark()
  }

  function mark(): void {
    list.select(selected)
    waterfall.select(selected === undefined ? undefined : requestOf.get(selected))
  }

  function openTab(name: string): void {
    tab = name
    for (const each of ['list', 'waterfall', 'latency']) {
      const button = byId(`tab-${each}`)
      button.setAttribute('aria-selected', String(each === name))
      button.tabIndex = each === name ? 0 : -1
      byId(each).hidden = each !== name
    }
    list.refresh()
    waterfall.refresh()
  }

  const tabs = ['list', 'waterfall', 'latency']
  for (const name of tabs) {
    byId(`tab-${name}`).addEventListener('click', () => {
      openTab(name)
      mark()
    })
    byId(`tab-${name}`).addEventListener('keydown', ({ key }) => {
      const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0
      if (step === 0) return
      const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length]!
      openTab(next)
      byId(`tab-${next}`).focus()
    })
  }

  method.append(
    option('', 'all methods'),
    ...model.methods.map((name) => option(name, visible(name))),
  )
  for (const field of [method, type, slow, errors]) field.addEventListener('change', update)
  let typing: ReturnType<typeof setTimeout> | undefined
  search.addEventListener('input', () => {
    clearTimeout(typing)
    typing = setTimeout(update, TYPING_MS)
  })

  const focusRows = (): void => {
    if (tab === 'latency') byId('latency').focus()
    else (tab === 'list' ? list : waterfall).element.focus()
  }
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const typed = event.target instanceof HTMLInputElement && event.target.type === 'search'
    if (event.key === 'Escape' && typed) {
      search.value = ''
      update()
      focusRows()
    } else if (event.key === 'Enter' && typed) {
      focusRows()
    } else if (!typed && event.key === '/') {
      event.preventDefault()
      search.focus()
    } else if (!typed && event.key === 't') {
      toggleTheme()
    }
  })
  byId('theme').addEventListener('click', toggleTheme)

  drawOverview(model, go, (t) => {
    if (tab === 'waterfall') waterfall.scrollTo(({ record }) => record.t >= t)
    else {
      openTab('list')
      list.scrollTo(({ record }) => record.t >= t)
    }
  })
  showDetail(undefined)
  openTab('list')
  update()
  focusRows()
}

function option(value: string, label: string): HTMLOptionElement {
  const element = make('option', '', label)
  element.value = value
  return element
}

function toggleTheme(): void {
  const { style } = document.documentElement
  const dark =
    style.colorScheme === ''
      ? matchMedia('(prefers-color-scheme: dark)').matches
      : style.colorScheme === 'dark'
  style.colorScheme = dark ? 'light' : 'dark'
  document.dispatchEvent(new Event('themechange'))
}

start(readModel(await readData()))
document.body.dataset['ready'] = 'true'
