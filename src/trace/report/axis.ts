import { duration } from '../units.ts'
import { make } from './dom.ts'

/** Draws the times below or above a track, the first and the last one inside it. */
export function drawAxis(element: HTMLElement, from: number, to: number, origin: number): void {
  const count = Math.max(Math.min(Math.floor(element.clientWidth / 130), 8), 1)
  const ticks = Array.from({ length: count + 1 }, (_, index) => {
    const tick = make('span', 'tick', timeAt(from + ((to - from) * index) / count - origin))
    tick.style.left = `${(index / count) * 100}%`
    return tick
  })
  element.replaceChildren(...ticks)
}

function timeAt(ms: number): string {
  if (ms < 0.05) return '0'
  if (ms < 3_600_000) return duration(ms)
  const minutes = Math.floor(ms / 60_000)
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
