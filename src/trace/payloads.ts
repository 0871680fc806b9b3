import { type Frame, slice } from '../frame.ts'
import { locate } from '../json/locate.ts'
import type { Span } from '../json/scanner.ts'

/** The frame without what was given and said: `{"masked": bytes}` stands for params, result and error data. */
export function withoutPayloads(frame: Frame): Buffer {
  if (frame.parts !== undefined) {
    const parts = frame.parts.map((part) => withoutPayloads(part).toString('latin1'))
    return Buffer.from(`[${parts.join(',')}]`, 'latin1')
  }
  const text = Buffer.concat(frame.chunks)
  const spans: Span[] = [frame.params, frame.result, errorData(frame)].filter(
    (span) => span !== undefined,
  )
  spans.sort((a, b) => a.start - b.start)
  let masked = ''
  let at = 0
  for (const { start, end } of spans) {
    masked += `${text.toString('latin1', at, start)}{"masked":${end - start}}`
    at = end
  }
  return Buffer.from(masked + text.toString('latin1', at), 'latin1')
}

function errorData({ chunks, error }: Frame): Span | undefined {
  if (error === undefined) return undefined
  const data = locate(slice(chunks, error), 'data')
  return data && { start: error.start + data.start, end: error.start + data.end }
}
