import { make, onFrame } from './dom.ts'

const ROW_PX = 28

/** Rows above and below the visible ones, so that a quick scroll shows no gap. */
const SPARE_ROWS = 12

/** Browsers cut elements at some 17 to 33 million pixels. */
const MAX_HEIGHT_PX = 15_000_000

/** A list that keeps only the rows in the document that can be seen. */
export interface Rows<T> {
  readonly element: HTMLElement
  show(items: readonly T[]): void
  /** Marks an item, and brings it into view. */
  select(item: T | undefined): void
  /** Brings the first item that fits to the top. */
  scrollTo(fits: (item: T) => boolean): void
  /** Draws again, e.g. after the list has become visible. */
  refresh(): void
}

/** What a list is to show. */
export interface RowsSetup<T> {
  readonly label: string
  readonly draw: (item: T, row: HTMLElement) => void
  readonly chosen: (item: T) => void
  /** Called with the visible items before they are drawn. */
  readonly visible?: (items: readonly T[]) => void
}

/** A list for the keyboard as well: arrows, Page Up and Down, Home, End (WAI-ARIA listbox pattern). */
export function createRows<T>({ label, draw, chosen, visible }: RowsSetup<T>): Rows<T> {
  const element = make('div', 'rows')
  const space = make('div')
  element.append(space)
  element.tabIndex = 0
  element.setAttribute('role', 'listbox')
  element.setAttribute('aria-label', label)
  const prefix = `row-${label.toLowerCase().replaceAll(/\W+/g, '-')}`
  let items: readonly T[] = []
  let selected = -1
  /** Rows that are in the document, by index. */
  const rows = new Map<number, HTMLElement>()
  const refresh = onFrame(render)

  function clear(): void {
    for (const row of rows.values()) row.remove()
    rows.clear()
  }

  function render(): void {
    const height = element.clientHeight
    if (height === 0) return
    const first = Math.floor(element.scrollTop / ROW_PX)
    const count = Math.ceil(height / ROW_PX)
    if (visible !== undefined) {
      visible(items.slice(first, first + count))
      clear()
    }
    const from = Math.max(first - SPARE_ROWS, 0)
    const to = Math.min(first + count + SPARE_ROWS, items.length)
    for (const [index, row] of rows) {
      if (index >= from && index < to) continue
      row.remove()
      rows.delete(index)
    }
    for (let index = from; index < to; index++) if (!rows.has(index)) rows.set(index, rowAt(index))
  }

  function rowAt(index: number): HTMLElement {
    const row = make('div', 'row')
    row.id = `${prefix}-${index}`
    row.style.top = `${index * ROW_PX}px`
    row.setAttribute('role', 'option')
    row.setAttribute('aria-setsize', String(items.length))
    row.setAttribute('aria-posinset', String(index + 1))
    row.setAttribute('aria-selected', String(index === selected))
    draw(items[index]!, row)
    element.append(row)
    return row
  }

  function mark(index: number): void {
    rows.get(selected)?.setAttribute('aria-selected', 'false')
    selected = index
    rows.get(selected)?.setAttribute('aria-selected', 'true')
    if (index < 0) element.removeAttribute('aria-activedescendant')
    else element.setAttribute('aria-activedescendant', `${prefix}-${index}`)
  }

  function reveal(index: number): void {
    const top = index * ROW_PX
    const bottom = top + ROW_PX - element.clientHeight
    if (element.scrollTop > top) element.scrollTop = top
    else if (element.scrollTop < bottom) element.scrollTop = bottom
    refresh()
  }

  function choose(index: number): void {
    const item = items[index]
    if (item === undefined) return
    mark(index)
    reveal(index)
    chosen(item)
  }

  element.addEventListener('scroll', refresh)
  element.addEventListener('click', (event) => {
    const row = (event.target as HTMLElement).closest<HTMLElement>('.row')
    if (row !== null) choose(Number(row.getAttribute('aria-posinset')) - 1)
  })
  element.addEventListener('keydown', (event) => {
    const page = Math.max(Math.floor(element.clientHeight / ROW_PX) - 1, 1)
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: selected + 1,
      ArrowUp: Math.max(selected - 1, 0),
      PageDown: selected + page,
      PageUp: selected - page,
      Home: 0,
      End: items.length - 1,
    }
    const target = steps[event.key]
    if (target === undefined || event.altKey || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    choose(Math.min(Math.max(target, 0), items.length - 1))
  })
  new ResizeObserver(refresh).observe(element)

  return {
    element,
    refresh,
    show(shown) {
      items = shown
      clear()
      mark(-1)
      space.style.height = `${Math.min(items.length * ROW_PX, MAX_HEIGHT_PX)}px`
      refresh()
    },
    select(item) {
      const index = item === undefined ? -1 : items.indexOf(item)
      mark(index)
      if (index >= 0) reveal(index)
    },
    scrollTo(fits) {
      const index = items.findIndex(fits)
      element.scrollTop = (index === -1 ? items.length : index) * ROW_PX
      refresh()
    },
  }
}
